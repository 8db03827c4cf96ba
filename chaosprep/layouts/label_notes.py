"""What is said of the values of masks, and what there is to say of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chaosprep.errors import UsageError
from chaosprep.facts import Label
from chaosprep.formats.label_table import LabelTable
from chaosprep.series.source import SourceCase
from chaosprep.structures import folded, near_misses

NO_NUMBER = 2**16
"""No value of a label map."""

_LOST = (
    "a file next to the masks that may be a legend is not understood, and not used: --labels with "
    "its path says why"
)
_HIDDEN = "a structure has the name of its patient, and is left without a name: rename it"
_NONE_TAKEN = "its masks have no structure that --roi takes"


@dataclass(frozen=True)
class Told:
    """What is said of the values of a case's masks.

    The ``numbers`` are the file's own business where the mask itself tells its names, and where
    every structure has a file: what counts then is the name.
    """

    labels: tuple[Label, ...]
    numbers: tuple[int, ...] | None
    itself: bool

    def pairs(self) -> Iterator[tuple[Label, int]]:
        """Each label with its number, `NO_NUMBER` where it has none."""
        numbers = self.numbers or (NO_NUMBER,) * len(self.labels)
        return zip(self.labels, numbers, strict=True)

    def without(self, names: Collection[str]) -> "Told":
        """The same without labels that are called so, folded."""
        kept = [pair for pair in self.pairs() if folded(pair[0].name) not in names]
        numbers = None if self.numbers is None else tuple(number for _, number in kept)
        return Told(tuple(label for label, _ in kept), numbers, self.itself)


def notes_of(
    cases: Sequence[SourceCase],
    told: Mapping[str, Told],
    hidden: Mapping[str, Collection[str]],
    table: LabelTable | None,
) -> dict[str, tuple[str, ...]]:
    """Case -> what is to be said of all its slices.

    Args:
        cases: those with masks.
        told: what is said of each.
        hidden: its structures that are called as its patient is.
        table: what was said of the values.

    Raises:
        UsageError: `labels`, a name of the table is misspelt.
    """
    notes = _misspelt(told, table)
    for case in cases:
        one = told[case.id]
        lost = case.is_legend_lost and table is None and not one.itself
        none = bool(case.roi) and one.itself and not (one.labels or hidden.get(case.id))
        said = {_HIDDEN: bool(hidden.get(case.id)), _LOST: lost, _NONE_TAKEN: none}
        notes[case.id] = (*notes.get(case.id, ()), *(note for note, is_so in said.items() if is_so))
    return notes


def _misspelt(told: Mapping[str, Told], table: LabelTable | None) -> dict[str, tuple[str, ...]]:
    """Case -> what to say of names that stand in it alone, and nearly so in the others.

    Raises:
        UsageError: `labels`, that is so with a name of the table.
    """
    names = {id: [label.name for label in one.labels] for id, one in told.items() if one.itself}
    said = [label.name for label in table.legend.values()] if table and names else []
    notes: dict[str, tuple[str, ...]] = {}
    for found in near_misses({"": said, **names}):
        if not found.case:
            raise UsageError(
                f"--labels: no mask has a structure that is called {found.name}",
                f"They have {found.meant}: spell it that way.",
                code="labels",
            )
        note = f"only this case has {found.name}, which may be misspelt: others have {found.meant}"
        notes[found.case] = (*notes.get(found.case, ()), note)
    return notes
