"""A series of files on its way to become a case: found by a layout, then read, paired, ordered."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from chaosprep.dataset.files import read_regular, sha256
from chaosprep.dataset.records import Split
from chaosprep.errors import FileError, Problem
from chaosprep.imaging.dicom import Header, is_dicom, read_header
from chaosprep.imaging.geometry import Order, order_series
from chaosprep.imaging.images import mask_size
from chaosprep.layouts.pairing import Pairs, Rule, natural_key, pair

JUNK = frozenset({"dicomdir", "thumbs.db", "desktop.ini"})


def list_files(folder: Path, root: Path) -> tuple[str, ...]:
    """The entries of a folder relative to the root, in natural order, without system litter."""
    names = (path.name for path in folder.iterdir())
    kept = (name for name in names if not name.startswith(".") and name.casefold() not in JUNK)
    paths = ((folder / name).relative_to(root).as_posix() for name in kept)
    return tuple(sorted(paths, key=natural_key))


class SourceCase(msgspec.Struct, frozen=True, kw_only=True):
    """One patient's one sequence as files below a dataset root; paths are relative to it."""

    root: str
    id: str
    patient: str
    sequence: str
    pool: Literal["train", "test"]
    images: tuple[str, ...]
    masks: tuple[str, ...] | None
    rule: Rule
    split: Split | None = None
    fold: int | None = None

    def content(self) -> bytes:
        """The case without the place of its root."""
        return msgspec.json.encode(msgspec.structs.replace(self, root=""))

    def inputs(self) -> str:
        """The SHA-256 of what the case's files hold."""
        return Files(self).digest


class Files:
    """The bytes of a case's files, read once; what cannot be read is an error in its place."""

    def __init__(self, case: SourceCase) -> None:
        self.data: dict[str, bytes] = {}
        self.errors: dict[str, FileError] = {}
        root = Path(case.root).resolve()
        for path in (*case.images, *(case.masks or ())):
            try:
                self.data[path] = _read_inside(root, path)
            except FileError as error:
                self.errors[path] = error

    @cached_property
    def digest(self) -> str:
        """The SHA-256 over every file's path and content."""
        lines = [f"{path} {sha256(data)}\n" for path, data in self.data.items()]
        lines += [f"{path} {error.code}\n" for path, error in self.errors.items()]
        return hashlib.sha256("".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()


def _read_inside(root: Path, path: str) -> bytes:
    file = (root / path).resolve()
    if not file.is_relative_to(root):
        raise FileError("it is a link out of the dataset", "Copy the file in.", code="file-link")
    return read_regular(file)


@dataclass(frozen=True)
class SourceSlice:
    """An image with its mask, at its place in the series; both still as bytes."""

    id: str
    index: int
    image: str
    image_data: bytes
    header: Header
    mask: str | None
    mask_data: bytes | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """A case that was read: slices in anatomical order, what is wrong, and what its files held."""

    slices: tuple[SourceSlice, ...]
    slice_spacing: float | None
    problems: tuple[Problem, ...]
    inputs: str


def read_series(case: SourceCase) -> Series:
    """Read a case's files, pair them by the case's rule, and order them by position.

    Every slice keeps the number of its place in the series, also where others have a problem.
    """
    files = Files(case)
    errors = list(files.errors.items())
    images = [path for path in case.images if path in files.data]
    strangers = [path for path in images if not is_dicom(files.data[path])]
    errors += [(path, _not_dicom()) for path in strangers]
    # A damaged file keeps its rank, or every pair after it would be a wrong one.
    foreign = [path for path in strangers if not path.casefold().endswith(".dcm")]
    pairs = pair([path for path in case.images if path not in foreign], case.masks, case.rule)
    errors += [(path, error) for path, error in pairs.errors if path not in dict(errors)]
    headers: dict[str, Header] = {}
    for path in images:
        if path not in strangers:
            try:
                headers[path] = read_header(files.data[path])
            except FileError as error:
                errors.append((path, error))
    try:
        order = order_series(list(headers.values()))
    except FileError as error:
        errors.append((str(Path(case.images[0]).parent), error))
        order = Order((), None, (), {}, ())
    slices, more = _slices(case, files, headers, pairs, order)
    problems = tuple(_problem(case.id, path, error) for path, error in [*errors, *more])
    return Series(slices, order.slice_spacing, problems, files.digest)


def _slices(
    case: SourceCase, files: Files, headers: dict[str, Header], pairs: Pairs, order: Order
) -> tuple[tuple[SourceSlice, ...], list[tuple[str, FileError]]]:
    paths = list(headers)
    mask_of = dict(pairs.pairs)
    width = max(3, len(str(len(paths) - 1)))
    doubled = {index for group in order.duplicates for index in group}
    slices: list[SourceSlice] = []
    errors: list[tuple[str, FileError]] = []
    for place, index in enumerate(order.indices):
        path = paths[index]
        if index in doubled:
            errors.append((path, _doubled()))
        mask = mask_of.get(path)
        if path not in mask_of or mask in files.errors or index in doubled:
            continue
        note = (pairs.note,) if pairs.note else ()
        warnings = (*order.warnings, *order.slice_warnings.get(index, ()), *note)
        data = files.data[path]
        found = SourceSlice(
            f"{case.id}_s{place:0{width}}", place, path, data, headers[path], None, None, warnings
        )
        try:
            if mask is not None:
                _check_mask_size(found.header, files.data[mask])
                found = replace(found, mask=mask, mask_data=files.data[mask])
        except FileError as error:
            errors.append((mask or path, error))
            continue
        slices.append(found)
    return tuple(slices), errors


def _check_mask_size(header: Header, data: bytes) -> None:
    rows, cols = mask_size(data)
    if (rows, cols) != (header.rows, header.cols):
        raise FileError(
            f"the mask is {rows}x{cols} but its image {header.rows}x{header.cols}",
            "Find the mask that was drawn on this image; resizing would blur it.",
            code="size-mismatch",
        )


def _not_dicom() -> FileError:
    return FileError("it is not a DICOM file", "Move it out of the folder.", code="not-dicom")


def _doubled() -> FileError:
    return FileError(
        "another slice of the series has the same position",
        "Keep one series in a folder.",
        code="position-twice",
    )


def _problem(case: str, path: str, error: FileError) -> Problem:
    return Problem.of(error, case, path.encode("utf-8", "backslashreplace").decode())
