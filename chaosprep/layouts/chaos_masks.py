"""The masks of a CHAOS root with Ground, and of what is submitted against it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chaosprep.chaos import CHAOS, USUAL_LEVELS, shown_organs
from chaosprep.dataset.records import Orientation, Spacing, Triple
from chaosprep.errors import ChaosprepError, FileError, Problem, about
from chaosprep.formats.masks import read_plane
from chaosprep.imaging.levels import check_levels, label_map, level_histogram
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.layouts import chaos
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.mask_set import (
    CaseMasks,
    MaskCase,
    MaskSet,
    Organs,
    known_lattice,
    plane_of,
    stack,
)
from chaosprep.layouts.pictures import SLICE_ID, pictures_below
from chaosprep.layouts.root import Root, pseudonymized
from chaosprep.series.pairing import natural_key
from chaosprep.series.reading import Series, SourceSlice, read_series
from chaosprep.series.source import SourceCase, is_litter

_LEVELS = CHAOS.levels[USUAL_LEVELS].organs
_ROOT = "CHAOS root"
_DEPTH = 6  # Task3 / Train_Sets / MR / 1 / T1DUAL / Results
_SEQUENCES = {"T1DUAL": "t1-in", "T2SPIR": "t2-spir"}
_OTHER_LEVELS = "Run split and extract-liver on it first, and compare their stage directory."


@dataclass(frozen=True)
class _Ground:
    """Reads a series of a CHAOS root with its masks, paired by its rules and put in order."""

    case: SourceCase

    def __call__(self, organs: Organs) -> CaseMasks:
        series, sequence = read_series(self.case), self.case.sequence
        if series.problems:  # the first stands for all
            first, count = series.problems[0], len(series.problems)
            more = f" ({count - 1} more like it; chaosprep inspect lists them)" if count > 1 else ""
            with about(first.file or ""):
                raise FileError(f"{first.reason}{more}", first.remedy, first.code)
        planes = (_ground(found, sequence, organs) for found in series.slices)
        return CaseMasks(
            stack(planes, len(series.slices)),
            tuple(found.id for found in series.slices),
            tuple(Path(str(found.mask)).stem for found in series.slices),
            _lattice(series),
        )


def _read_set(
    files: tuple[Path, ...], sequence: str, ground: tuple[str, ...] | None, organs: Organs
) -> CaseMasks:
    """The pictures of one of the challenge's sets, named by the reference's files.

    `Results` are the slices of the set's Ground in the order of names, as the challenge takes them;
    another Ground (`ground` None) has names of its own.
    """
    names = [Path(file).stem for file in (files if ground is None else ground)]
    if len(names) != len(files):
        raise FileError(
            f"it has {len(files)} pictures, its Ground {len(names)}",
            "Submit one picture for each slice, empty ones too.",
            code="slices-differ",
        )

    def plane(file: Path) -> NDArray[np.uint8]:
        with about(file.name):
            return _levels(plane_of(file), sequence, organs)

    return CaseMasks(stack(map(plane, files), len(files)), tuple(names))


def find_masks(root: Path, reference: MaskSet | None = None, asked: Organs = ()) -> MaskSet | None:
    """A CHAOS root with masks, or, beside one, what is submitted against it."""
    if not root.is_dir():
        return None
    if reference is not None and reference.kind == _ROOT:
        return open_sets(root, reference)
    return open_chaos(root)


def open_chaos(root: Path) -> MaskSet | None:
    """A CHAOS root with masks; None where there is none. T1 stands once, as its in-phase series."""
    try:
        found = chaos.find(root)
    except ChaosprepError as error:
        if error.code == "nothing":
            return None
        raise
    opposed = {sequence for _, sequence in CHAOS.phases}
    cases = [case for case in found.cases if case.masks is not None]
    members = {
        case.id: _member(case.id, case.sequence, _Ground(case))
        for case in cases
        if case.sequence not in opposed
    }
    return _side(_ROOT, root, members, found.problems) if members else None


def open_sets(root: Path, reference: MaskSet) -> MaskSet | None:
    """The sets below a folder by their `Results`, or, where there is none, their `Ground`.

    None where there is neither; folders of pictures named by slice ids are no sets.

    Args:
        root: a submission, or a folder in the challenge's layout.
        reference: the CHAOS root that it is compared with.

    Raises:
        ChaosprepError: `set-twice`, a set is there for two tasks.
    """
    for name in ("results", "ground"):
        folders = [f for f in sorted(_named(root, name, _DEPTH)) if not _holds_slice_ids(f)]
        if folders:
            break
    else:
        return None
    members: dict[str, MaskCase] = {}
    for folder in folders:
        id, sequence = _set(folder)
        if id in members:
            raise ChaosprepError(
                f"{id}: two folders below {root} are this set's",
                "Give the folder of one task.",
                code="set-twice",
            )
        read = reference.members[id].read if name == "results" and id in reference.members else None
        masks = read.case.masks if isinstance(read, _Ground) else None
        ordered = None if masks is None else tuple(sorted(masks, key=natural_key))
        files = tuple(pictures_below(folder, 0))
        members[id] = _member(id, sequence, partial(_read_set, files, sequence, ordered))
    return _side("challenge submission" if name == "results" else "CHAOS masks", root, members)


def _member(id: str, sequence: str, read: Callable[[Organs], CaseMasks]) -> MaskCase:
    """A case: of MR all four organs, of CT the liver alone."""
    organs = tuple(organ.name for organ in shown_organs(sequence))
    return MaskCase(id, id.partition("_")[0], organs, read, sequence=sequence)


def _side(
    kind: str, root: Path, members: Mapping[str, MaskCase], problems: tuple[Problem, ...] = ()
) -> MaskSet:
    shown = {organ for member in members.values() for organ in member.organs}
    organs = [organ for organ in _LEVELS if organ.name in shown]
    return MaskSet(
        kind=kind,
        path=root,
        members=members,
        organs=tuple(organ.name for organ in organs),
        values={level: o.name for o in organs for level in range(o.low, o.high + 1)},
        labels={organ.label: organ.name for organ in organs},
        problems=problems,
    )


def _levels(array: NDArray[Any], sequence: str, organs: Organs) -> NDArray[np.uint8]:
    """Grey levels as places in `organs` + 1; in CT a single level, whichever, is the liver."""
    histogram = level_histogram(array)
    known = shown_organs(sequence)
    if sequence == "ct" and len(set(histogram) - {0}) <= 1:
        array = np.where(array != 0, np.uint8(known[0].low), np.uint8(0))
    else:
        try:
            check_levels(histogram, known, CHAOS)
        except FileError as error:
            raise FileError(error.reason, _OTHER_LEVELS, error.code) from error
    table = np.zeros(max(organ.label for organ in known) + 1, np.uint8)
    for organ in known:
        table[organ.label] = organs.index(organ.name) + 1 if organ.name in organs else 0
    found: NDArray[np.uint8] = table[label_map(array, known)]
    return found


def _ground(found: SourceSlice, sequence: str, organs: Organs) -> NDArray[np.uint8]:
    with about(str(found.mask)):
        return _levels(read_plane(str(found.mask), found.mask_data or b""), sequence, organs)


class _Slot(NamedTuple):
    """Where a slice lies, as `case_lattice` asks for it."""

    id: str
    rows: int
    cols: int
    position: Triple | None
    orientation: Orientation | None
    spacing: Spacing | None


def _lattice(series: Series) -> Lattice | None:
    """Where the voxels of a series lie; None where its headers do not tell."""
    places = []
    for found in series.slices:
        header = found.header
        spacing = header.pixel_spacing and (series.slice_spacing, *header.pixel_spacing)
        at = header.image_position_patient, header.image_orientation_patient
        places.append(_Slot(found.id, header.rows, header.cols, *at, spacing))
    return known_lattice(places)


def _named(folder: Path, name: str, depth: int) -> Iterator[Path]:
    """Folders of a name, in any case, below a folder."""
    if folder.name.casefold() == name:
        yield folder
    elif depth:
        for child in folder.iterdir():
            if child.is_dir() and not child.is_symlink() and not is_litter(child.name):
                yield from _named(child, name, depth - 1)


def _holds_slice_ids(folder: Path) -> bool:
    """Whether its pictures are named by slice ids, whatever it is called itself."""
    files = pictures_below(folder)
    return bool(files) and all(SLICE_ID.fullmatch(file.stem) for file in files)


def _set(folder: Path) -> tuple[str, str]:
    """The case id and the sequence of a folder of results, by the names of those around it.

    Raises:
        ChaosprepError: `set-name`, they are not the challenge's.
    """
    *_, above, last = ("", "", *folder.resolve().parts[:-1])
    sequence = _SEQUENCES.get(last.upper(), "ct")
    number = last if sequence == "ct" else above
    if not number.isdecimal() or (sequence == "ct" and above.casefold() == "mr"):
        raise ChaosprepError(
            f"{'/'.join(folder.parts[-4:])}: it is not known which set this is",
            "Name the folders as the challenge does: CT/3/Results, MR/1/T2SPIR/Results.",
            code="set-name",
        )
    modality = "CT" if sequence == "ct" else "MR"
    return f"{modality}{int(number):03d}_{sequence}", sequence


def _find(root: Path, where: Where) -> Root:
    found = chaos.find(root)
    return found if where.key is None else pseudonymized(found, where.key)


LAYOUT = Layout(
    "chaos",
    "a CHAOS root with Ground, or a submission of Results for it",
    find=_find,
    takes=lambda root, where: where.images is None and chaos.is_laid_out(root),
    masks=find_masks,
)
