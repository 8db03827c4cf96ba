"""The Medical Segmentation Decathlon's form: `dataset.json` lists each image with its label.

Source: http://medicaldecathlon.com (doi:10.1038/s41467-022-30695-9); MONAI's datalists have the
same form, with `validation`, or with a `fold` of each item.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from chaosprep.errors import NothingFoundError, Problem, plural
from chaosprep.layouts.dataset_json import (
    DATASET,
    Inside,
    Table,
    dataset_folder,
    has_table,
    inside_folders,
    is_there,
    legend_of,
    names_of,
    origin_of,
    read_table,
)
from chaosprep.layouts.folder_cases import NOWHERE
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.named_cases import ASKS, Channel, Faults, Frames, NamedCase, make_root
from chaosprep.layouts.patterns import stem
from chaosprep.layouts.root import Root
from chaosprep.layouts.volumes_of import frames_of_volumes
from chaosprep.series.source import is_litter

_WHAT = "a list of the Decathlon"
_LISTS = ("training", "validation", "testing", "test")  # of testing, the images may stand in test
_IMAGE = "image"  # what channels are called where the list does not say it
_FIRST = "_0000"  # behind a case's name in the file of its first channel


@dataclass(frozen=True)
class _Item:
    """A line of a list: below the folder, or None for what leads out of it."""

    side: str
    images: tuple[str | None, ...]
    label: str | None
    fold: int | None


def find(root: Path, where: Where) -> Root:
    """Find the cases that a `dataset.json` lists.

    Every channel of a case is a sequence, called as `modality` has it: a file of a list of images,
    or a volume of a file of four dimensions. What is listed for validation and the folds are kept;
    what is listed for testing is a test set.

    Raises:
        UsageError: the root, its dataset.json, or what was said of the patients will not do.
        NothingFoundError: it lists nothing.
        ChaosprepError: a folder cannot be listed, or two patients have one pseudonym.
    """
    folder = dataset_folder(root, _fits, _WHAT)
    table, faults = read_table(folder), Faults(folder, where)
    items = _without_repeats([*_items(folder, table)])
    if not items:
        raise NothingFoundError(
            f"{folder}: its {DATASET} lists no image", "Download it again.", "nothing"
        )
    names = names_of(table["modality"]) if "modality" in table else None
    legend, notes = legend_of(table.get("labels"))
    cases = _once_each(_cases(_sound(items, faults), names, faults), faults)
    said = table.get("numTraining")
    found = sum(item.side == "training" for item in items)
    if isinstance(said, int) and said != found:
        notes += (f"{DATASET} says {said} cases for training, and lists {found}",)
    if any("/" in case.name for case in cases):
        notes += ("files of several cases have one name: all cases are called by their paths",)
    origin = origin_of(folder, table)
    return make_root(cases, faults, legend=legend, origin=origin, notes=notes, channels=names or ())


def _items(folder: Path, table: Table) -> Iterator[_Item]:
    inside = Inside(folder)
    for side in _LISTS:
        lines = table.get(side)
        for line in lines if isinstance(lines, list) else ():
            found = line if isinstance(line, Mapping) else {"image": line}
            several, label, fold = found.get("image"), found.get("label"), found.get("fold")
            images = tuple(map(inside.path, several if isinstance(several, list) else [several]))
            if any(path and is_litter(PurePosixPath(path).name) for path in images):
                continue
            mask = None if label is None else inside.path(label)
            yield _Item(
                "test" if side == "testing" else side,
                (None,) if label is not None and mask is None else images,
                mask,
                fold if type(fold) is int and fold >= 0 else None,
            )


def _without_repeats(items: Iterable[_Item]) -> list[_Item]:
    """The items; those of `test` that `testing` has with a label stand there alone."""
    found: dict[tuple[object, ...], _Item] = {}
    for at, item in enumerate(items):
        is_known = item.side == "test" and None not in item.images
        found.setdefault(item.images if is_known else (at,), item)
    return [*found.values()]


def _sound(items: Iterable[_Item], faults: Faults) -> list[_Item]:
    """The items whose files are there, and that have a label where they are not for testing."""
    sound, absent, bare = list[_Item](), list[str](), list[str]()
    folder, outside = faults.folder, 0
    for item in items:
        paths = [path for path in (*item.images, item.label) if path is not None]
        if None in item.images or not item.images:
            outside += 1
        elif lost := [path for path in paths if not is_there(folder / path)]:
            absent += lost
        elif item.label is None and item.side != "test":
            bare += paths
        else:
            sound.append(item)
    if outside:
        faults.problems.append(
            Problem(
                code="path-outside",
                id=NOWHERE,
                file=DATASET,
                reason=f"no path, or one that leads out of the folder: {plural(outside, 'item')}",
                remedy="Copy the files in, and write their paths relative to the folder.",
            )
        )
    says = f"not there, though {DATASET} lists it: {plural(len(absent), 'file')}"
    as_nnunet = any(is_there(folder / _first_channel(path)) for path in absent)
    remedy = (
        "They are named like those of nnU-Net's first version: let nnU-Net convert the data set "
        "(nnUNetv2_convert_old_nnUNet_dataset)."
        if as_nnunet
        else "Bring them back."
    )
    faults.tell_files("file-missing", absent, says, remedy)
    says = f"listed for training without a label: {plural(len(bare), 'file')}"
    faults.tell_files("mask-missing", bare, says, "List its label, or list the image for testing.")
    return sound


def _first_channel(path: str) -> str:
    """What nnU-Net's first version calls the first channel of an image."""
    name = stem(path)
    return f"{name}{_FIRST}{path[len(name) :]}"


def _cases(items: Sequence[_Item], names: list[str] | None, faults: Faults) -> list[NamedCase]:
    """The cases of items; those whose channels are not those of `modality` are a problem."""
    called = _names(items)
    has_folds = any(item.fold is not None for item in items)
    has_sides = has_folds or any(item.side == "validation" for item in items)
    made, odd = list[NamedCase](), list[str]()
    for name, item in zip(called, items, strict=True):
        parts = _parts(faults.folder, item)
        own = names or [_IMAGE, *(f"{_IMAGE}-{at}" for at in range(1, len(parts)))]
        if len(own) != len(parts):
            odd.append(name)
            continue
        channels = tuple(Channel(one, *part) for one, part in zip(own, parts, strict=True))
        case = NamedCase(name, channels, item.label, "test" if item.side == "test" else "train")
        if has_sides and item.side == "validation":
            case = replace(case, split="val")
        elif has_sides and item.side == "training":
            case = replace(case, split="train" if item.fold is None else None, fold=item.fold)
        made.append(case)
    says = f"the channels do not match modality in {DATASET}: {faults.cases(odd)}"
    faults.tell_cases("channel-missing", odd, says, "Correct it, or bring back what is missing.")
    return made


def _parts(folder: Path, item: _Item) -> list[tuple[str, Frames | None]]:
    """The file of each channel, and which of its frames are the channel's."""
    images = [path for path in item.images if path is not None]
    volumes = frames_of_volumes(folder / images[0]) if len(images) == 1 else ()
    if len(volumes) > 1:
        return [(images[0], frames) for frames in volumes]
    return [(path, None) for path in images]


def _names(items: Sequence[_Item]) -> list[str]:
    """What the cases are called: as their labels' files, or else as their images'.

    Where the files of labels lack the number of a channel that those of images have, no name has
    it. Where that does not tell the cases apart, the paths of their images do.
    """
    paths = [item.images[0] or "" for item in items]
    images = [stem(PurePosixPath(path).name) for path in paths]
    labels = [item.label and stem(PurePosixPath(item.label).name) for item in items]
    numbered = any(i == f"{label}{_FIRST}" for i, label in zip(images, labels, strict=True))
    if numbered:
        images = [name.removesuffix(_FIRST) for name in images]
    named = [label or image for image, label in zip(images, labels, strict=True)]
    return named if len({*named}) == len({*paths}) else [stem(path) for path in paths]


def _once_each(cases: Sequence[NamedCase], faults: Faults) -> list[NamedCase]:
    """The cases without those that are listed twice."""
    count = Counter(case.name for case in cases)
    twice = [name for name, n in count.items() if n > 1]
    said = f"more than once in {DATASET}: {faults.cases(twice)}"
    faults.tell_cases("case-twice", twice, said, "List each once.")
    return [case for case in cases if count[case.name] == 1]


def _fits(table: Table) -> bool:
    found = table.get("training")
    if not isinstance(found, list) or {"channel_names", "file_ending"} <= table.keys():
        return False
    return bool(found) and all(isinstance(one, dict) and "image" in one for one in found)


def takes(root: Path, where: Where) -> bool:
    """Whether a root is such a data set, or a folder of some."""
    if where.images is not None or not root.is_dir():
        return False
    return has_table(root, _fits) or bool(inside_folders(root, _fits, "Task"))


LAYOUT = Layout("decathlon", _WHAT, find=find, takes=takes, asks=ASKS)
