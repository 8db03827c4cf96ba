"""The challenge's folders as sides: a CHAOS root with Ground, and what is submitted against it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.chaos import CHAOS, USUAL_LEVELS, shown_organs
from chaosprep.dataset.records import Orientation, Spacing, Triple
from chaosprep.errors import ChaosprepError, FileError, Problem
from chaosprep.formats.pictures import read_mask
from chaosprep.imaging.levels import check_levels, label_map, level_histogram
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.layouts import chaos
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.mask_set import CaseMasks, MaskSet, Organs, known_lattice, plane_of, stack
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
class GroundCase:
    """A series of a CHAOS root with its masks; slices by position, named by slice ids."""

    case: SourceCase

    @property
    def id(self) -> str:
        """The case's."""
        return self.case.id

    @property
    def patient(self) -> str:
        """The case's."""
        return self.case.patient

    @property
    def split(self) -> None:
        """The challenge's sets are not divided."""
        return

    @property
    def sequence(self) -> str:
        """The case's."""
        return self.case.sequence

    @property
    def organs(self) -> Organs:
        """All four, of CT the liver alone."""
        return _organs(self.case.sequence)

    def read(self, organs: Organs) -> CaseMasks:
        """The series, paired by CHAOS's rules and ordered by position."""
        series = read_series(self.case)
        _check(series)
        slices = series.slices
        planes = (_ground(found, self.sequence, organs) for found in slices)
        return CaseMasks(
            stack(planes, len(slices)),
            tuple(found.id for found in slices),
            tuple(Path(str(found.mask)).stem for found in slices),
            _lattice(series),
        )


@dataclass(frozen=True)
class SetCase:
    """The pictures of one of the challenge's sets: its `Results`, or another `Ground`.

    `Results` are the slices of the set's Ground in the order of names, as the challenge takes them.
    """

    id: str
    sequence: str
    files: tuple[Path, ...]
    ground: tuple[str, ...] | None
    split: None = None

    @property
    def patient(self) -> str:
        """The part of the id that is the set's."""
        return self.id.partition("_")[0]

    @property
    def organs(self) -> Organs:
        """All four, of CT the liver alone."""
        return _organs(self.sequence)

    def read(self, organs: Organs) -> CaseMasks:
        """Its pictures, named by the reference's files."""
        names = [file.stem for file in self.files]
        if self.ground is not None:
            names = [Path(path).stem for path in self.ground]
        if len(names) != len(self.files):
            raise FileError(
                f"it has {len(self.files)} pictures, its Ground {len(names)}",
                "Submit one picture for each slice, empty ones too.",
                code="slices-differ",
            )
        planes = (self._plane(file, organs) for file in self.files)
        return CaseMasks(stack(planes, len(self.files)), tuple(names))

    def _plane(self, file: Path, organs: Organs) -> NDArray[np.uint8]:
        try:
            return _levels(plane_of(file), self.sequence, organs)
        except FileError as error:
            error.file = error.file or file.name
            raise


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
    members = {case.id: GroundCase(case) for case in cases if case.sequence not in opposed}
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
    members: dict[str, SetCase] = {}
    for folder in folders:
        id, sequence = _set(folder)
        if id in members:
            raise ChaosprepError(
                f"{id}: two folders below {root} are this set's",
                "Give the folder of one task.",
                code="set-twice",
            )
        ground = reference.members.get(id) if name == "results" else None
        masks = ground.case.masks if isinstance(ground, GroundCase) else None
        ordered = tuple(sorted(masks, key=natural_key)) if masks is not None else None
        members[id] = SetCase(id, sequence, tuple(pictures_below(folder, 0)), ordered)
    return _side("challenge submission" if name == "results" else "CHAOS masks", root, members)


def _side(
    kind: str,
    root: Path,
    members: Mapping[str, GroundCase] | Mapping[str, SetCase],
    problems: tuple[Problem, ...] = (),
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


def _organs(sequence: str) -> Organs:
    return tuple(organ.name for organ in shown_organs(sequence))


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
    try:
        return _levels(read_mask(found.mask_data or b"").pixels, sequence, organs)
    except FileError as error:
        error.file = error.file or found.mask
        raise


def _check(series: Series) -> None:
    """Refuse a series that is not whole; the first problem stands for all."""
    if series.problems:
        first, count = series.problems[0], len(series.problems)
        more = f" ({count - 1} more like it; chaosprep inspect lists them)" if count > 1 else ""
        error = FileError(f"{first.reason}{more}", first.remedy, first.code)
        error.file = first.file
        raise error


@dataclass(frozen=True)
class _Place:
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
        places.append(_Place(found.id, header.rows, header.cols, *at, spacing))
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
    takes=lambda where: where.images is None,
    masks=find_masks,
)
