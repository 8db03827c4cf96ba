"""extract-liver on masks that are no grey levels: organs by their names, never by their numbers."""

from pathlib import Path

from chaosprep.dataset.descriptor import LabelMap
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.errors import UsageError
from chaosprep.known import KNOWN, LEVELS, USUAL_LEVELS, owner
from chaosprep.stages.organ_choice import ExtractLiverParams
from chaosprep.stages.selection import Selection, select
from chaosprep.structures import folded
from chaosprep.words import there_are

_FOR_LEVELS = ("range", "levels", "lenient_masks")
_ENOUGH = 2  # levels of a known data set: one alone may be any label


def open_masks(directory: Path, params: ExtractLiverParams, bench: object = None) -> Dataset:
    """Open a stage directory whose masks name their structures, or are grey levels.

    Raises:
        ManifestError: it is unfinished or damaged.
        UsageError: what `selection` raises; `parameter`, split was told of other levels;
            `labels-unknown`, nobody said what values stand for.
    """
    dataset = open_dataset(directory)
    told = dataset.history[0].parameters.get("labels")
    if told in LEVELS and told != params.levels:
        raise UsageError(
            f"--levels {params.levels}: split was told that these masks have those of {told}",
            f"Use --levels {told}.",
            code="parameter",
        )
    if dataset.label_map:
        selection(dataset.label_map, params)
    elif not has_levels(dataset, params.levels):
        raise _unknown(dataset, params.levels)
    return dataset


def has_levels(dataset: Dataset, levels: str = USUAL_LEVELS) -> bool:
    """Whether its masks are grey levels of a known data set, not labels.

    They are where they came as it lays them out, or split was told so; in any other tree, where all
    values are levels of the table, and enough of them.
    """
    if dataset.label_map or not _may_be_anything(dataset):
        return not dataset.label_map
    values, table = _values(dataset), LEVELS[levels]
    inside = all(any(one.low <= value <= one.high for one in table.organs) for value in values)
    return not values or (inside and len(values & table.exact) >= _ENOUGH)


def selection(labels: LabelMap, params: ExtractLiverParams) -> Selection:
    """What is written of a label map that names its structures.

    Raises:
        UsageError: `organ-unknown`, it does not name the organ; `parameter`, an option is for grey
            levels.
    """
    usual = ExtractLiverParams()
    if odd := [name for name in _FOR_LEVELS if getattr(params, name) != getattr(usual, name)]:
        raise UsageError(
            f"--{odd[0].replace('_', '-')} is for grey levels, but these masks name their organs",
            "Leave it out: the organ is taken by its name.",
            code="parameter",
        )
    there = {folded(label.name) for label in labels.values()}
    names = [organ.name for organ in params.wanted() if folded(organ.name) in there]
    if not names:
        wanted = " or ".join(organ.name for organ in params.wanted())
        names = [label.name for label in labels.values()]
        raise UsageError(
            f"no structure is called {wanted}",
            f"Take another with extract-labels --organ NAME. {there_are(names, [wanted])}",
            code="organ-unknown",
        )
    found = select(labels, names)
    values = {
        folded(organ.name): organ.label if params.all_organs else params.mask_value
        for organ in params.wanted()
    }
    return found.numbered({one.value: values[folded(one.label.name)] for one in found.structures})


def _may_be_anything(dataset: Dataset) -> bool:
    """Whether its masks came from anywhere: a known data set's layout, or a user, tells levels."""
    first = dataset.history[0].parameters
    said = first.get("labels") in LEVELS
    known = first.get("images") is None and first.get("layout") in (None, "auto", *KNOWN)
    return not (said or known)


def _values(dataset: Dataset) -> set[int]:
    return {value for case in dataset.cases for row in case.slices for value in row.labels}


def _unknown(dataset: Dataset, levels: str) -> UsageError:
    values = _values(dataset)
    shown = ", ".join(map(str, sorted(values)[:8])) + (", ..." if len(values) > 8 else "")
    return UsageError(
        f"{dataset.directory}: it is not known what the values of its masks stand for ({shown}), "
        f"and they are not {owner(levels).name}'s grey levels",
        "Say it: chaosprep split --labels 1=liver,2=spleen, with your numbers and names"
        f"{_or_levels(values)}.",
        code="labels-unknown",
    )


def _or_levels(values: set[int]) -> str:
    """The name of a table of grey levels that has all of some values, and enough of its own."""
    fits = [name for name, table in LEVELS.items() if values <= table.exact]
    if not fits or len(values) < _ENOUGH:
        return ""
    return f", or --labels {fits[0]} if they are of {owner(fits[0]).name}"
