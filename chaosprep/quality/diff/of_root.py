"""A dataset root, of any layout or of volumes in folders images and masks, as a side."""

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.errors import FileError, ProblemsError, plural
from chaosprep.files import sha256
from chaosprep.formats.image_file import ImageFile
from chaosprep.formats.images import open_image
from chaosprep.imaging.measured import looked_up, upright
from chaosprep.layouts.patterns import stem
from chaosprep.layouts.root import Root
from chaosprep.quality.diff.of_stage import in_units
from chaosprep.quality.diff.sides import GEOMETRY, Member, One, Plane, Read, Side, Structures
from chaosprep.quality.outliers.sources import structures_of
from chaosprep.series.reading import Series, SourceSlice, read_series
from chaosprep.series.source import SourceCase


def root_side(path: Path, root: Root) -> Side:
    """The cases that a layout found.

    Raises:
        ProblemsError: there are problems alone.
    """
    if root.problems and not root.cases:
        raise ProblemsError(
            f"{path}: none of its cases can be compared",
            "Resolve what inspect says of it, or name its layout: --layout.",
            root.problems,
        )
    labels = {str(value): label.name for value, label in root.label_map.items()}
    hard = [one for one in root.problems if one.code != "patient-unknown"]
    count = plural(len(hard), "problem")
    notes = (
        (f"{path}: {count}, which inspect lists: not everything may be compared",) if hard else ()
    )
    members = {case.id: _member(case) for case in root.cases}
    return Side("dataset root", members, labels, notes=notes)


def plain_side(path: Path, root: Root, *, has_patients: bool) -> Side:
    """The volumes of folders images and masks: their cases are called as their files are.

    Without ``has_patients`` nobody told whose they are.
    """
    names = [stem(Path(case.images[0]).name) for case in root.cases]
    cases, count = [], Counter(names)
    for case, name in zip(root.cases, names, strict=True):
        id = name if count[name] == 1 else case.id
        patient = case.patient if has_patients else id
        cases.append(msgspec.structs.replace(case, id=id, patient=patient))
    return root_side(path, replace(root, cases=tuple(cases)))


def _member(case: SourceCase) -> Member:
    side = case.split or ("test" if case.pool == "test" else "")
    fold = "" if case.fold is None else str(case.fold)
    patient = "" if case.patient == case.id else case.patient
    return Member(case.id, patient, side, fold, partial(_slices, case))


def _slices(case: SourceCase) -> Read:
    series = read_series(case)
    if series.problems and not series.slices:
        one = series.problems[0]
        error = FileError(one.reason, one.remedy, one.code)
        error.file = one.file
        raise error
    hashed: dict[int, str] = {}  # a volume's bytes are those of all its slices

    def hash_of(data: bytes) -> str:
        if id(data) not in hashed:
            hashed[id(data)] = sha256(data)
        return hashed[id(data)]

    opened = _Opened()
    slices = [
        One(
            found.id,
            (hash_of(found.image_data), None if (d := found.mask_data) is None else hash_of(d)),
            partial(_image, found, opened),
            partial(_mask, found, case, series),
            _geometry(found, series),
        )
        for found in series.slices
    ]
    return Read(slices, len(series.problems))


def _geometry(found: SourceSlice, series: Series) -> dict[str, Any]:
    header = found.header
    inside = header.pixel_spacing
    spacing = None if inside is None else (series.slice_spacing, *inside)
    told = (spacing, header.image_position_patient, header.image_orientation_patient)
    return dict(zip(GEOMETRY, told, strict=True))


class _Opened:
    """The image file that was opened last: a volume is not unpacked anew for each of its slices."""

    def __init__(self) -> None:
        self._last: tuple[bytes, ImageFile] | None = None

    def of(self, found: SourceSlice) -> ImageFile:
        """The file of a slice."""
        if self._last is None or self._last[0] is not found.image_data:
            self._last = found.image_data, open_image(found.image, found.image_data)
        return self._last[1]


def _image(found: SourceSlice, opened: _Opened) -> Plane:
    header, array = upright(*looked_up(*opened.of(found).read(found.frame)))
    return in_units(array, header.rescale_slope, header.rescale_intercept)


def _mask(found: SourceSlice, case: SourceCase, series: Series) -> Structures | None:
    if found.mask_array is None and found.mask_data is None:
        return None
    return dict(structures_of(found, case, series))
