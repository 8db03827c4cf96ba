"""verify: can this stage directory be trusted? Hashes, pairs, sizes, labels, leakage."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.executors import WorkerDied, map_unordered, open_executor
from chaosprep.dataset.files import sha256
from chaosprep.dataset.manifest import DESCRIPTOR, TABLE, Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.dataset.records import Slice, Split
from chaosprep.errors import ChaosprepError, Problem
from chaosprep.imaging.organs import label_areas
from chaosprep.quality.findings import Findings, Seen
from chaosprep.quality.replay import replayed

_REMAKE = "Run the stage that made it again with --overwrite."


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: faults make the data unfit, warnings are what a person should know."""

    directory: Path
    stage: str
    cases: int
    slices: int
    faults: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def verify(directory: str | Path, *, jobs: int = 1, replay: int | Literal["all"] = 0) -> Verdict:
    """Check every file of a stage directory against its manifest, and the split for leakage.

    Args:
        directory: what a stage made.
        jobs: worker processes.
        replay: how many augmented copies to make again from their originals and to compare, byte
            for byte; which ones is drawn from the manifest itself.

    Raises:
        ManifestError: the directory is unfinished, or its manifest not to be trusted.
    """
    dataset = open_dataset(directory)
    total = Findings()
    for case, found in map_unordered(lambda: open_executor(jobs), check_case, iter(dataset.cases)):
        if isinstance(found, WorkerDied):
            total.faults.append(_fault("worker-died", case.id, None, "its worker process died"))
            continue
        total.faults += found.faults
        total.warnings += found.warnings
        total.seen += found.seen
        total.files += found.files
    if replay:
        found = replayed(dataset, None if replay == "all" else replay, jobs=jobs)
        total.faults += found.faults
        total.warnings += found.warnings
    total.faults += _surplus(dataset, set(total.files))
    total.faults += [*_patients_on_two_sides(total.seen), *_pixels_on_two_sides(total.seen)]
    return Verdict(
        dataset.directory,
        dataset.made.stage,
        len(dataset),
        len(total.seen),
        tuple(sorted(total.faults, key=_order)),
        tuple(sorted(total.warnings, key=_order)),
    )


def _order(problem: Problem) -> tuple[str, str, str]:
    return problem.id, problem.file or "", problem.code


def check_case(case: Case) -> Findings:
    """Check one case: each file, each pair, and that copies stand beside their originals."""
    found = Findings()
    originals = {row.id: row for row in case.slices if not row.copy}
    for row in case.slices:
        found.files += [path for path, _, _ in row.files()]
        found.warnings += [_warning(row, text) for text in row.warnings]
        image = _checked(case, row, row.image, found)
        mask = _checked(case, row, row.mask, found) if row.mask else None
        if image is not None:
            found.faults += _image_faults(row, image)
        if mask is not None:
            found.faults += _mask_faults(row, mask)
        found.faults += _copy_faults(row, originals)
        found.seen.append(Seen(row.id, row.patient, row.split, _digest(image)))
    return found


def _checked(case: Case, row: Slice, path: str, found: Findings) -> NDArray[Any] | None:
    """The array of a file; a file that is not as recorded is a fault."""
    try:
        return case.image(row) if path == row.image else case.mask(row)
    except ChaosprepError as error:
        found.faults.append(
            Problem(
                code=error.code,
                id=row.id,
                file=path,
                reason=error.reason,
                remedy=error.remedy or _REMAKE,
            )
        )
    return None


def _image_faults(row: Slice, image: NDArray[Any]) -> Iterator[Problem]:
    if image.shape != (row.rows, row.cols):
        reason = f"the image is {_size(image)}, the manifest says {row.rows}x{row.cols}"
        yield _fault("size", row.id, row.image, reason)
    if image.dtype.name != row.dtype:
        reason = f"the image holds {image.dtype.name}, the manifest says {row.dtype}"
        yield _fault("dtype", row.id, row.image, reason)


def _mask_faults(row: Slice, mask: NDArray[Any]) -> Iterator[Problem]:
    if mask.shape != (row.rows, row.cols):
        reason = f"the mask is {_size(mask)}, its image {row.rows}x{row.cols}"
        yield _fault("size", row.id, row.mask, reason)
    values = {int(value) for value in np.unique(mask)} - {0}
    strangers = sorted(values - set(row.labels))
    if strangers:
        shown = ", ".join(map(str, strangers[:8]))
        yield _fault("labels", row.id, row.mask, f"mask values that stand for no organ: {shown}")
    for organ, pixels in label_areas(mask, row.labels).items():
        if row.pixels.get(organ, 0) != pixels:
            reason = f"{organ} covers {pixels} pixels, the manifest says {row.pixels.get(organ, 0)}"
            yield _fault("area", row.id, row.mask, reason)


def _copy_faults(row: Slice, originals: dict[str, Slice]) -> Iterator[Problem]:
    if not row.copy:
        return
    original = originals.get(row.parent or "")
    if original is None:
        yield _fault("original-missing", row.id, row.image, "its original is not in the dataset")
    elif original.split != row.split:
        reason = f"it is in {row.split}, its original in {original.split}"
        yield _fault("leakage", row.id, row.image, reason)


def _digest(image: NDArray[Any] | None) -> str | None:
    """The hash of an image's pixels; None for a constant image, which tells nobody apart."""
    if image is None or image.min() == image.max():
        return None
    return sha256(f"{image.dtype} {image.shape}".encode() + np.ascontiguousarray(image).tobytes())


def _surplus(dataset: Dataset, known: set[str]) -> Iterator[Problem]:
    for path in sorted(dataset.directory.rglob("*")):
        name = path.relative_to(dataset.directory).as_posix()
        if not path.is_dir() and name not in known and name not in (DESCRIPTOR, TABLE):
            yield _fault("surplus", name, name, "the manifest does not know this file")


def _patients_on_two_sides(seen: list[Seen]) -> Iterator[Problem]:
    sides: dict[str, set[Split]] = {}
    for found in seen:
        sides.setdefault(found.patient, set()).add(found.split)
    for patient, on in sorted(sides.items()):
        if len(on) > 1:
            reason = f"the patient is on {len(on)} sides: {', '.join(sorted(on))}"
            yield _fault("leakage", patient, None, reason)


def _pixels_on_two_sides(seen: list[Seen]) -> Iterator[Problem]:
    first: dict[str, Seen] = {}
    for found in sorted(seen, key=lambda s: s.id):
        if found.digest is None:
            continue
        other = first.setdefault(found.digest, found)
        if other.split != found.split:
            reason = f"in {found.split}, with the pixels of {other.id} in {other.split}"
            yield _fault("leakage", found.id, None, reason)


def _fault(code: str, id: str, file: str | None, reason: str) -> Problem:
    return Problem(code=code, id=id, file=file, reason=reason, remedy=_REMEDIES.get(code, _REMAKE))


_REMEDIES = {
    "leakage": "Split again by patient, and leave out doubled patients.",
    "surplus": "Remove it, or run the stage again with --overwrite.",
}


def _warning(row: Slice, text: str) -> Problem:
    return Problem(code="warning", id=row.id, file=row.source, reason=text)


def _size(array: NDArray[Any]) -> str:
    return "x".join(str(side) for side in array.shape)
