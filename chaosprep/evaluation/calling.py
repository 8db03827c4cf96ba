"""What a caller of `evaluate` may give; the command line has checked it."""

from collections.abc import Sequence
from numbers import Real
from typing import get_args

from chaosprep.dataset.records import SPLITS
from chaosprep.errors import UsageError
from chaosprep.evaluation.compare import Per
from chaosprep.running.options import OnError
from chaosprep.words import there_are


def check_call(
    patients: Sequence[str],
    organs: Sequence[str],
    split: str | None,
    per: str,
    spacing: Sequence[float] | None,
    on_error: str,
) -> None:
    """Check texts, choices and lengths.

    Raises:
        UsageError: `parameter` or `spacing`.
    """
    for name, some in (("patients", patients), ("organs", organs)):
        if isinstance(some, str):
            raise UsageError(
                f"{name}={some!r} is a text, not a list", f"Give {name}=[{some!r}].", "parameter"
            )
    of: tuple[tuple[str, str | None, tuple[str, ...]], ...] = (
        ("split", split, tuple(SPLITS)),
        ("per", per, get_args(Per)),
        ("on_error", on_error, get_args(OnError)),
    )
    for name, value, known in of:
        if value is not None and value not in known:
            raise UsageError(f"{name}={value!r}", there_are(known, [value]), "parameter")
    if spacing is not None and not (
        len(spacing) == 3 and all(isinstance(mm, Real) and 0 < mm < 1000 for mm in spacing)
    ):
        raise UsageError(
            f"spacing={spacing!r} is not three lengths",
            "Give mm, such as (5.5, 1.9, 1.9).",
            code="spacing",
        )
