"""DICOM SEG and RTSTRUCT as a prediction: laid on the grid of the reference that they are beside.

Such a file is drawn on images, and shows what it shows of them: a SEG may leave out empty frames,
an RTSTRUCT has no voxels at all. The grid is the reference's; where things lie decides, not what
they refer to.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError, UsageError, about
from chaosprep.files import open_regular, read_regular
from chaosprep.formats.dicom.heads import read_elements
from chaosprep.formats.dicom.kinds import sop_class
from chaosprep.formats.masks import Stack, cut_mask, mask_format
from chaosprep.formats.rtstruct import SOP_CLASS
from chaosprep.formats.rtstruct_references import read_set_references
from chaosprep.formats.seg_file import SOP_CLASSES, read_references
from chaosprep.imaging.header import Header
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.layouts.layout import Layout
from chaosprep.layouts.mask_set import (
    CaseMasks,
    MaskCase,
    MaskSet,
    Organs,
    in_order,
    name_twice,
)
from chaosprep.privacy.identity import identifies, read_identity
from chaosprep.series.source import is_litter

_ELSEWHERE = ("mask-grid", "mask-missing", "mask-surplus")
_WHAT = "a DICOM SEG or RTSTRUCT, or a folder of them, next to a reference"


def open_drawn(path: Path, reference: MaskSet | None, asked: Organs = ()) -> MaskSet | None:
    """A DICOM SEG or RTSTRUCT, or a folder of them (or its folder `masks`); None if there is none.

    Files are matched by their names without the ending; one file beside a single case is of it.

    Raises:
        UsageError: `reference`, nothing says on which grid they are to be laid.
    """
    folders = (path, path / "masks") if path.is_dir() else ()
    files = [path] if _is_drawn(path) else next(filter(None, map(_below, folders)), [])
    if not files:
        return None
    if reference is None:
        raise UsageError(
            f"{path}: a DICOM SEG or RTSTRUCT has no grid of its own that it could be a "
            "reference on",
            "Make a stage directory of it and its images: chaosprep split ROOT -o REF.",
            code="reference",
        )
    named = {file.stem: file for file in files}
    if path.is_file() and len(reference.members) == 1:
        named = dict.fromkeys(reference.members, path)
    told = {id: _told(file) or dict(reference.labels) for id, file in named.items()}
    return MaskSet(
        kind="DICOM SEG or RTSTRUCT",
        path=path,
        members={
            id: MaskCase(id, id, in_order(told[id]), partial(_read, file, reference.members[id]))
            if id in reference.members
            else MaskCase(id, id, in_order(told[id]), partial(_alone, file))
            for id, file in named.items()
        },
        organs=tuple(dict.fromkeys(organ for one in told.values() for organ in in_order(one))),
        values={},
        labels={},
        in_mm=False,  # its voxels are the reference's
        problems=tuple(
            name_twice(stem, stem)
            for stem, count in Counter(file.stem for file in files).items()
            if count > 1
        ),
    )


def _below(folder: Path) -> list[Path]:
    """The files of a folder that are one; they may have any ending, as DICOM files do."""
    if not folder.is_dir():
        return []
    return [one for one in sorted(folder.iterdir()) if not is_litter(one.name) and _is_drawn(one)]


def _is_drawn(file: Path) -> bool:
    if not file.is_file():
        return False
    try:
        with open_regular(file) as stream:
            found = read_elements(stream, ("SOPClassUID",))
    except (FileError, OSError):
        return False
    return found is not None and str(found.get("SOPClassUID")) in (*SOP_CLASSES, SOP_CLASS)


def _told(file: Path) -> Mapping[int, str]:
    """Number -> name; none that would identify the patient. What cannot be read tells later why."""
    try:
        data = read_regular(file)
        legend = mask_format(file.name, data).legend
        labels = {} if legend is None else legend(data)
    except FileError:
        return {}
    identity = read_identity(data)
    names = ((value, label.name) for value, label in labels.items())
    return {value: name for value, name in names if not identifies(name, identity)}


def _alone(file: Path, organs: Organs) -> CaseMasks:
    raise FileError(
        f"{file.name}: the reference has no such case",
        "Give it the name of the case.",
        "case-surplus",
    )


def _read(file: Path, reference: MaskCase, organs: Organs) -> CaseMasks:
    """The file's structures on the grid of the reference's case.

    Raises:
        FileError: `geometry-unknown`, `grid-mismatch`, `structures-overlap`, and what its format
            raises.
    """
    there = reference.read(()).lattice
    if there is None:
        raise FileError(
            "the reference does not say where its voxels lie",
            "Give both as slices of one name, or a reference with positions.",
            code="geometry-unknown",
        )
    data = read_regular(file)
    with about(file.name):
        return _laid(file, data, there, organs)


def _laid(file: Path, data: bytes, there: Lattice, organs: Organs) -> CaseMasks:
    """The structures on the slices of a lattice, along the first of its axes on which they lie."""
    faults: list[FileError] = []
    space = _space(data)
    for lattice in _sliced(there):
        images = dict(_images(lattice, space))
        stack = cut_mask(
            *(file.parent, file.name, data, images, len(images)),
            takes=lambda name: name in organs,
            may_say=lambda text: text in organs,
        )
        if not stack.errors:
            _check_names(stack, organs)
            planes = [_places(plane, stack.names, organs) for plane in stack.labels.values()]
            return CaseMasks(np.stack(planes), lattice=lattice)
        faults += [error for _, error in stack.errors]
    if faults[0].code not in _ELSEWHERE:
        raise faults[0]
    raise FileError(
        f"it does not lie on the reference's grid: {faults[0].reason}",
        "Compare it with a reference on the pixels of the images that it was drawn on.",
        code="grid-mismatch",
    )


def _check_names(stack: Stack, organs: Organs) -> None:
    if organs and not {*organs} & {*stack.names.values()}:
        raise FileError(
            "none of its structures has a name, or only ones that would identify the patient",
            "Give them the names that the reference has, and export it again.",
            code="labels-unknown",
        )
    meeting = {stack.names.get(label) for labels in stack.overlaps.values() for label in labels}
    if some := [organ for organ in organs if organ in meeting]:
        raise FileError(
            f"its structures overlap: {', '.join(some)}",
            "Compare them one by one, with --organ.",
            code="structures-overlap",
        )


def _space(data: bytes) -> str:
    """The frame of reference of a file, where it has one: the reference's is taken to be the same.

    It is compared and never shown.
    """
    if sop_class(data) != SOP_CLASS:
        return read_references(data)[0].space
    spaces = read_set_references(data).spaces
    return next(iter(spaces)) if len(spaces) == 1 else ""


def _sliced(there: Lattice) -> Iterator[Lattice]:
    """The lattice cut into slices along each of its axes, ascending along their normal."""
    for axis in (0, 2, 1):
        rows, cols = (other for other in range(3) if other != axis)
        order = [axis, rows, cols]
        shape = there.shape[axis], there.shape[rows], there.shape[cols]
        one = Lattice(shape, there.origin, there.steps[:, order])
        normal = np.cross(one.steps[:, 2], one.steps[:, 1])
        yield one if normal @ one.steps[:, 0] >= 0 else one.backwards()


def _images(lattice: Lattice, space: str) -> Iterator[tuple[str, Header]]:
    """A header for each slice of a lattice, (slices, rows, cols), that says where it lies."""
    count, rows, cols = lattice.shape
    _, down, right = lattice.spacing
    cosines = (lattice.steps[:, 2] / right).tolist() + (lattice.steps[:, 1] / down).tolist()
    for at in range(count):
        place = (lattice.origin + at * lattice.steps[:, 0]).tolist()
        yield (
            str(at),
            Header(
                rows=rows,
                cols=cols,
                dtype="uint8",
                bits_stored=8,
                pixel_spacing=(down, right),
                image_position_patient=tuple(place),
                image_orientation_patient=tuple(cosines),
                evidence={"FrameOfReferenceUID": space},
            ),
        )


def _places(plane: NDArray[Any], names: Mapping[int, str], organs: Organs) -> NDArray[np.uint8]:
    """Label values, (rows, cols), as places in `organs` + 1."""
    table = np.zeros(int(plane.max(initial=0)) + 1, np.uint8)
    for label, name in names.items():
        if name in organs and label < len(table):
            table[label] = organs.index(name) + 1
    found: NDArray[np.uint8] = table[plane]
    return found


LAYOUT = Layout("drawn", _WHAT, masks=open_drawn)
