"""The options that leave things out, of every stage that works on a stage directory."""

import re
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from msgspec import Meta

from chaosprep.dataset.records import Slice
from chaosprep.formats.codecs import PngParams

if TYPE_CHECKING:
    from fractions import Fraction

    from chaosprep.expressions.condition import Condition

EXCLUDE = (
    "A table of what to leave out: the report's ratings.csv (what failed), or CSV or TSV with a "
    "column case, patient or id, and reason. Repeatable."
)
_AREA = re.compile(r"(?:(?P<organ>.+)=)?\s*(?P<size>\d+\.?\d*|\.\d+)\s*(?P<unit>mm2)?", re.DOTALL)


class Area(NamedTuple):
    """The least area of a structure, in pixels or in mm2; of all together where none is named."""

    organ: str | None
    size: "Fraction"
    in_mm: bool


class ChoiceParams(PngParams, frozen=True, kw_only=True):
    """What to leave out of a stage directory before anything is made of it."""

    exclude: Annotated[tuple[str, ...], Meta(description=EXCLUDE)] = ()
    min_area: Annotated[
        tuple[str, ...],
        Meta(
            description="Leave out slices whose mask shows less than this of a structure "
            "(liver=50), or of all together (50), in pixels or mm2 (50mm2). Repeatable."
        ),
    ] = ()
    max_empty: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None,
        Meta(
            description="The largest share of a case's slices with masks that may be empty; if "
            "there are more, evenly spread ones stay."
        ),
    ] = None
    where: Annotated[
        tuple[str, ...],
        Meta(
            description="A condition on the row; slices that do not meet it are left out: "
            "'spacing[0] <= 6', \"pixels['liver'] > 100\". Repeatable."
        ),
    ] = ()

    def __post_init__(self) -> None:
        self.areas(), self.conditions()

    @property
    def leaves_out(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.exclude or self.min_area or self.max_empty is not None or self.where)

    def areas(self) -> tuple[Area, ...]:
        """`min_area` as numbers."""
        return tuple(map(_area, self.min_area))

    def conditions(self) -> "tuple[Condition, ...]":
        """`where`, read and checked.

        Raises:
            UsageError: `where-syntax` or `where-unknown`.
        """
        if not self.where:
            return ()
        from chaosprep.expressions.condition import Condition

        return tuple(Condition(text, Slice.__struct_fields__) for text in self.where)

    def recorded(self) -> "ChoiceParams":
        """The same with a fingerprint of what the tables say in the place of their paths."""
        return msgspec.structs.replace(self, exclude=recorded_tables(self.exclude))


def recorded_tables(files: tuple[str, ...]) -> tuple[str, ...]:
    """What a manifest says of tables of what to leave out."""
    if not files:
        return ()
    from chaosprep.choices.excluded import fingerprint

    return (f"table {fingerprint(files)}",)


def _area(text: str) -> Area:
    found = _AREA.fullmatch(text.strip())
    if found is None:
        raise ValueError("--min-area must be PIXELS, 50mm2, or ORGAN=PIXELS")
    from fractions import Fraction

    organ = None if found["organ"] is None else found["organ"].strip()
    return Area(organ, Fraction(found["size"]), in_mm=found["unit"] is not None)
