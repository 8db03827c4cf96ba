"""Sides and folds that a data set has of its own."""

from collections.abc import Sequence

from chaosprep.dataset.records import Split
from chaosprep.errors import UsageError, plural
from chaosprep.series.source import SourceCase


def official_sides(cases: Sequence[SourceCase], chosen: int) -> dict[str, tuple[Split, int | None]]:
    """The side and fold of every patient whose cases say them.

    A case with a fold and no side is validated on where it is of the ``chosen`` one.

    Raises:
        UsageError: `official-leak`, cases of one patient are on several sides.
    """
    found: dict[str, tuple[Split, int | None]] = {}
    torn: dict[str, None] = {}
    for case in cases:
        if case.split is None and case.fold is None:
            continue
        side: Split = case.split or ("val" if case.fold == chosen else "train")
        if found.setdefault(case.patient, (side, case.fold)) != (side, case.fold):
            torn[case.patient] = None
    if torn:
        raise UsageError(
            f"{plural(len(torn), 'patient')} of the data set ({', '.join(list(torn)[:3])}) are on "
            "several of its sides or folds",
            "Its own split leaks; say who the patients are, or divide them anew.",
            code="official-leak",
        )
    return found
