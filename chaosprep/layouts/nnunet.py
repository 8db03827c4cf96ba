"""nnU-Net v2's raw data: `DatasetNNN_Name` with dataset.json, imagesTr, labelsTr and imagesTs.

Source: https://github.com/MIC-DKFZ/nnUNet, documentation/dataset_format.md.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from chaosprep.errors import NothingFoundError, UsageError, plural
from chaosprep.formats.images import is_named_whole
from chaosprep.formats.masks import volume_endings
from chaosprep.layouts.dataset_json import (
    DATASET,
    Inside,
    Table,
    dataset_folder,
    has_broken_table,
    has_table,
    inside_folders,
    is_there,
    legend_of,
    names_of,
    origin_of,
    read_table,
)
from chaosprep.layouts.downloads import files_in
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.named_cases import ASKS, Channel, Faults, NamedCase, make_root
from chaosprep.layouts.own_folds import SPLITS, Side, own_folds
from chaosprep.layouts.root import Root

_WHAT = "nnU-Net's raw data"
_CHANNEL = re.compile(r"(.+)_(\d{4})", re.DOTALL)
_NO_SPLITS = (
    f"there is no {SPLITS} next to {DATASET}: the patients are divided by --val, --test or "
    "--folds; nnU-Net keeps its own in nnUNet_preprocessed, and a copy of it here is used"
)


def find(root: Path, where: Where) -> Root:
    """Find the cases of a data set of nnU-Net v2, or of a folder that holds one.

    Every channel of a case is a sequence, called as `channel_names` has it; all share the label
    map. Cases of imagesTs are a test set, with or without labels in labelsTs.

    Raises:
        UsageError: the root, its dataset.json or splits_final.json, or what was said of the
            patients will not do.
        NothingFoundError: it has no case.
        ChaosprepError: a folder cannot be listed, or two patients have one pseudonym.
    """
    folder = dataset_folder(root, _fits, _WHAT)
    table = read_table(folder)
    ending = str(table["file_ending"])
    if not (is_named_whole(ending) and ending.casefold().endswith(volume_endings())):
        known = [one for one in volume_endings() if is_named_whole(one)]
        raise UsageError(
            f"{folder.name}: file_ending is {ending[:20]!r}, not that of volumes that say where "
            "they lie",
            f"There are: {', '.join(known)}.",
            code="ending-unknown",
        )
    names, faults = names_of(table["channel_names"]), Faults(folder, where)
    legend, notes = legend_of(table.get("labels"))
    tree = _Tree(ending, names, faults)
    listed = table.get("dataset")
    training = tree.listed(listed) if isinstance(listed, Mapping) else tree.cases("Tr")
    test = tree.cases("Ts")
    _check_apart(training, test, faults)
    sides = own_folds([case.name for case in training], faults)
    if sides is None:
        notes += () if where.redivide else (_NO_SPLITS,)
    else:
        training = [_placed(case, sides[case.name]) for case in training if case.name in sides]
    if not (training or test or faults.problems):
        raise NothingFoundError(
            f"{folder}: no case is in its imagesTr and imagesTs",
            "Give the folder that holds the images.",
            code="nothing",
        )
    said = table.get("numTraining")
    if isinstance(said, int) and said != len(training) and not faults.problems:
        notes += (f"{DATASET} says {said} cases for training, there are {len(training)}",)
    origin = origin_of(folder, table)
    cases = [*training, *test]
    return make_root(cases, faults, legend=legend, origin=origin, notes=notes)


class _Tree:
    """The files of a data set, sorted into cases; what is wrong with them goes to ``faults``."""

    def __init__(self, ending: str, names: list[str], faults: Faults) -> None:
        self._folder = faults.folder
        self._inside = Inside(faults.folder)
        self._ending = ending
        self._names = names
        self._faults = faults

    def cases(self, side: str) -> list[NamedCase]:
        """The cases of imagesTr or imagesTs that have all that they need."""
        images: dict[str, dict[int, str]] = defaultdict(dict)
        odd = list[str]()
        for path, name in files_in(f"images{side}", self._ending, self._inside, self._faults):
            fit = _CHANNEL.fullmatch(name or "")
            if fit is None:
                odd.append(path)
            else:
                images[fit[1]][int(fit[2])] = path
        labels = {
            name or path: path
            for path, name in files_in(f"labels{side}", self._ending, self._inside, self._faults)
        }
        odd += [path for name, path in labels.items() if name == path]
        labels = {name: path for name, path in labels.items() if name != path}
        self._faults.tell_files(
            "file-strange",
            odd,
            f"not named CASE_0000{self._ending} or CASE{self._ending}: {plural(len(odd), 'file')} "
            f"of images{side} and labels{side}",
            f"Move them out, or correct file_ending in {DATASET}.",
        )
        alone = [path for name, path in labels.items() if name not in images]
        says = f"without an image: {plural(len(alone), 'file')} of labels{side}"
        self._faults.tell_files(
            "mask-surplus", alone, says, "Bring back the image, or move them out."
        )
        if side == "Tr":
            bare = [path for name in images if name not in labels for path in images[name].values()]
            remedy = "Bring back its labels, or move the image to imagesTs."
            says = f"without labels: {plural(len(bare), 'file')} of imagesTr"
            self._faults.tell_files("mask-missing", bare, says, remedy)
            images = {name: found for name, found in images.items() if name in labels}
        wanted = range(len(self._names))
        wrong = sorted(name for name, found in images.items() if sorted(found) != [*wanted])
        says = (
            f"the channels do not match the {len(self._names)} in {DATASET}: "
            f"{self._faults.cases(wrong)} of images{side}"
        )
        self._faults.tell_cases("channel-missing", wrong, says, "Bring back what is missing.")
        return [
            self._case(name, [images[name][at] for at in wanted], labels.get(name), side)
            for name in sorted(images.keys() - {*wrong})
        ]

    def listed(self, table: Mapping[str, object]) -> list[NamedCase]:
        """The cases that `dataset` lists, each with the paths of its images and of its labels."""
        outside, found = list[str](), list[NamedCase]()
        absent = list[str]()
        for name, item in table.items():
            images, label = _paths_in(item)
            paths = [self._inside.path(text) for text in (*images, label)]
            if len(images) != len(self._names) or None in paths:
                outside.append(name)
                continue
            *inside, mask = [path for path in paths if path is not None]
            if all(is_there(self._folder / path) for path in (*inside, mask)):
                found.append(self._case(name, inside, mask, "Tr"))
            else:
                absent.append(name)
        self._faults.tell_cases(
            "path-outside",
            outside,
            f"{DATASET} does not list an image for each channel, and labels, all inside its "
            f"folder: {self._faults.cases(outside)}",
            "Copy the files in, and write their paths relative to that folder.",
        )
        says = f"{DATASET} lists files that are not there: {self._faults.cases(absent)}"
        self._faults.tell_cases("file-missing", absent, says, "Bring the files back.")
        return sorted(found, key=lambda case: case.name)

    def _case(self, name: str, images: list[str], mask: str | None, side: str) -> NamedCase:
        channels = tuple(map(Channel, self._names, images))
        return NamedCase(name, channels, mask, "test" if side == "Ts" else "train")


def _paths_in(item: object) -> tuple[list[object], object]:
    if not isinstance(item, Mapping):
        return [], None
    images = item.get("images")
    return images if isinstance(images, list) else [], item.get("label")


def _placed(case: NamedCase, side: Side) -> NamedCase:
    return replace(case, split=side[0], fold=side[1])


def _check_apart(training: list[NamedCase], test: list[NamedCase], faults: Faults) -> None:
    names = {case.name for case in training}
    both = [case.name for case in test if case.name in names]
    said = f"both for training and for testing: {faults.cases(both)}"
    faults.tell_cases("case-twice", both, said, "Keep one of them.")
    training[:] = [case for case in training if case.name not in both]
    test[:] = [case for case in test if case.name not in both]


def _fits(table: Table) -> bool:
    return isinstance(table.get("file_ending"), str) and "channel_names" in table


def takes(root: Path, where: Where) -> bool:
    """Whether a root is such a data set, or a folder of some; also where its table is broken."""
    if where.images is not None or not root.is_dir():
        return False
    if (root / "imagesTr").is_dir() and has_broken_table(root):
        return True
    return has_table(root, _fits) or bool(inside_folders(root, _fits, "Dataset"))


LAYOUT = Layout("nnunet", f"{_WHAT} (v2)", find=find, takes=takes, asks=ASKS)
