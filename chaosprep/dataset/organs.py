"""The organs of a dataset: their values in its masks, and their labels in exports."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from chaosprep.dataset.codes import codes
from chaosprep.dataset.descriptor import LabelMap
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organ_order import organ_values
from chaosprep.dataset.records import Slice
from chaosprep.errors import ChaosprepError, plural
from chaosprep.facts import Label

_SHOWN = 8  # organs in a message
MOST_ORGANS = 254  # of an export or a network: 255 marks what has no label


def organ_labels(dataset: Dataset) -> dict[str, int]:
    """Every organ of a dataset and its label in exports: 1, 2, ... in the order of `organ_values`.

    So the labels are the same whichever cases are exported, and whatever these show.

    Raises:
        ChaosprepError: `too-many-organs`.
    """
    rows = (row.labels for case in dataset.cases for row in case.slices)
    return number_organs(dataset, organ_values(dataset.label_map, rows))


def number_organs(dataset: Dataset, values: Mapping[str, int]) -> dict[str, int]:
    """The organs that `organ_values` gave of a dataset, and their labels: 1, 2, ...

    Raises:
        ChaosprepError: `too-many-organs`.
    """
    if len(values) > MOST_ORGANS:
        raise ChaosprepError(
            f"{dataset.directory}: its masks name {len(values)} organs, a label map {MOST_ORGANS}",
            "Choose some with chaosprep extract-labels, or check that these are masks.",
            code="too-many-organs",
        )
    return {organ: label for label, organ in enumerate(values, start=1)}


def unnamed(value: int) -> str:
    """What a mask value is called that nobody named: no organ that may be wrong."""
    return f"label-{value}"


def meanings(told: LabelMap, rows: Iterable[Mapping[int, str]]) -> LabelMap:
    """Mask value -> label, ascending: what a descriptor says, and of other values what rows say."""
    names = {value: organ for row in rows for value, organ in row.items()}
    shown = {value: Label(organ) for value, organ in names.items() if value not in told}
    return dict(sorted((shown | told).items()))


def can_show(named: Collection[str], organs: Iterable[str]) -> tuple[str, ...]:
    """The organs that masks can show, of those of their dataset: some show the liver alone.

    Args:
        named: the names in their rows' `labels` and `pixels`. The unnamed values of `split`,
            `label-1`, stand there only where they occur: any mask may show them.
        organs: those of the dataset.
    """
    return tuple(organ for organ in organs if organ in named or organ.startswith("label-"))


def names_in(rows: Iterable[Slice]) -> set[str]:
    """The organs that the masks of rows are known to show or not: `named` of `can_show`."""
    return {organ for row in rows for organ in (*row.labels.values(), *row.pixels)}


def partial_notes(named: Collection[Collection[str]], organs: Collection[str]) -> tuple[str, ...]:
    """What to say of organs that some masks cannot show, to who takes all else for background.

    Args:
        named: `names_in` of each case that has masks.
        organs: those of the dataset.
    """
    lacking = Counter(
        organ for names in named for organ in {*organs}.difference(can_show(names, organs))
    )
    notes = []
    for count in sorted({*lacking.values()}):
        some = [organ for organ in organs if lacking[organ] == count]
        listed = ", ".join([*some[:_SHOWN], *(["..."] if len(some) > _SHOWN else [])])
        cases = f"{count} of {plural(len(named), 'case')}"
        notes.append(f"masks of {cases} do not name {listed}: it counts as background there")
    return tuple(notes)


class Listed(NamedTuple):
    """A line of a label map to read: values such as `1` or `55-70, 80`, and `SCT 10200004`."""

    values: str
    name: str
    code: str


def listed(labels: LabelMap) -> list[Listed]:
    """A label map as lines, one for each organ, in the order of their lowest values."""
    values: dict[str, list[int]] = {}
    for value, label in sorted(labels.items()):
        values.setdefault(label.name, []).append(value)
    known = codes(labels)
    return [
        Listed(_ranges(some), name, " ".join(known[name][:2]) if name in known else "")
        for name, some in values.items()
    ]


def _ranges(values: list[int]) -> str:
    """Ascending numbers, those that follow each other as `55-70`."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
