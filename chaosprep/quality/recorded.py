"""A stage directory against its manifest: every file, every pair, and what the table says."""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.containers.table import on_disk
from chaosprep.dataset.manifest import DESCRIPTOR, Dataset
from chaosprep.dataset.overlapping import structure_areas
from chaosprep.dataset.records import Slice
from chaosprep.errors import REMAKE, ChaosprepError, Problem
from chaosprep.imaging.limits import size_text
from chaosprep.privacy.identity import Identity, read_identity
from chaosprep.privacy.persons import first_told, tells
from chaosprep.quality.alike.leaks import SPLIT_AGAIN, across, on_several_sides
from chaosprep.quality.containers import container_faults
from chaosprep.quality.findings import Findings, Seen
from chaosprep.quality.geometry import geometry_faults
from chaosprep.quality.identity_left import identity_left, is_deidentified
from chaosprep.quality.inspected import of_patients
from chaosprep.quality.labels import label_findings
from chaosprep.quality.left_out import left_out_faults
from chaosprep.quality.normalized import bias_faults, normalization_faults, scale_faults
from chaosprep.quality.outliers.measuring import gauge_of, take
from chaosprep.quality.persons import Told, check_sides, trusts_folders
from chaosprep.quality.replay import replayed
from chaosprep.quality.scaled import ScalingCheck
from chaosprep.running.mapping import ignore, map_cases


def check_recorded(
    dataset: Dataset,
    *,
    jobs: int,
    replay: int | Literal["all"],
    patients: Collection[str],
    on_case: Callable[[str], None] | None,
) -> Findings:
    """Check a stage directory; the parameters are those of `verify`.

    Raises:
        UsageError: an unknown patient.
    """
    cases = of_patients(dataset.cases, patients)
    several = len({case.split for case in cases}) > 1
    check = partial(check_case, pictures=several, nameless=is_deidentified(dataset))
    tell = ignore if on_case is None else lambda case, done, total: on_case(case)
    total = Findings.of(*map_cases(check, cases, lambda case: case.id, jobs, tell))
    total.cases = len(cases)
    total.seen.sort(key=lambda one: one.id)
    if replay:
        total.add(replayed(dataset, None if replay == "all" else replay, jobs=jobs))
    if not patients:
        total.faults += _surplus(dataset, set(total.files))
    total.faults += [*_chain_faults(dataset), *left_out_faults(dataset)]
    total.faults += scale_faults(dataset)
    total.add(label_findings(dataset.made.stage, dataset.label_map, total.named))
    total.faults += _patients_on_two_sides(total.seen)
    # Of some patients alone it cannot be told what all share, and is nobody's.
    persons = check_sides([] if patients else total.told, trusted=trusts_folders(dataset))
    total.faults += persons.faults
    total.warnings += persons.warnings
    total.notes += persons.notes
    shared = across(total.seen, jobs=jobs)
    total.faults += shared.faults
    total.warnings += shared.warnings
    return total


def _chain_faults(dataset: Dataset) -> Iterator[Problem]:
    """The history must begin with split, and no stage may stand in it twice."""
    stages = [record.stage for record in dataset.history]
    if stages[0] != "split" or len(set(stages)) < len(stages):
        reason = f"its history is not a chain of stages: {' > '.join(stages)}"
        yield _fault("chain", dataset.made.stage, DESCRIPTOR, reason)


def check_case(case: Case, *, pictures: bool = False, nameless: bool = False) -> Findings:
    """Check one case: each file, each pair, and that copies stand beside their originals.

    With `pictures`, originals get fingerprints; in `nameless` files nothing may identify.
    """
    found = Findings()
    identity: Identity = {}
    looked_at = set[str]()

    def on_read(row: Slice, data: bytes) -> None:
        nonlocal identity
        if not tells(identity):
            identity = first_told((identity, read_identity(data)))
        if nameless and row.image not in looked_at:
            looked_at.add(row.image)
            found.faults += identity_left(row, row.image, data)

    def on_mask(row: Slice, data: bytes) -> None:
        if nameless:
            found.faults += identity_left(row, row.mask, data)

    originals = {row.id: row for row in case.slices if not row.copy}
    gauge, scaled = gauge_of(case), ScalingCheck(case)
    found.faults += geometry_faults(case)
    found.faults += [*normalization_faults(case), *bias_faults(case)]
    for row in case.slices:
        found.files += [path for file in row.files() for path in on_disk(file)]
        look = "Look at this slice before you trust it."
        found.warnings += [
            Problem(code="warning", id=row.id, file=row.source, reason=text, remedy=look)
            for text in row.warnings
        ]
        image = _checked(case, row, row.image, found, partial(on_read, row))
        mask = _checked(case, row, row.mask, found, partial(on_mask, row)) if row.mask else None
        if image is not None:
            found.faults += (odd := [*_image_faults(row, image)])
            if not odd:
                scaled.add(row, image)
        if mask is not None:
            found.faults += _mask_faults(row, mask)
        found.faults += _copy_faults(row, originals)
        if not found.faults:
            take(gauge, row, image, mask)
        found.named.update(row.labels.items())
        place = row.id, row.patient, row.split, row.image
        found.seen.append(Seen.of(image, place, with_picture=pictures and not row.copy))
    found.faults += scaled.faults()
    found.faults = list(container_faults(case, found.faults))
    found.told.append(Told(case.patient, case.split, identity))
    values = None if found.faults else gauge.values()  # of what is broken nothing is told
    found.values += [] if values is None else [values]
    return found


def _checked(
    case: Case,
    row: Slice,
    path: str,
    found: Findings,
    on_read: Callable[[bytes], None] | None = None,
) -> NDArray[Any] | None:
    """The array of a file; a file that is not as recorded is a fault."""
    try:
        return case.image(row, on_read) if path == row.image else case.mask(row, on_read)
    except ChaosprepError as error:
        error.remedy = error.remedy or REMAKE
        found.faults.append(Problem.of(error, row.id, path))
    return None


def _image_faults(row: Slice, image: NDArray[Any]) -> Iterator[Problem]:
    if image.shape != (row.rows, row.cols):
        reason = f"the image is {size_text(image.shape)}, the manifest says {row.rows}x{row.cols}"
        yield _fault("size", row.id, row.image, reason)
    if image.dtype.name != row.dtype:
        reason = f"the image holds {image.dtype.name}, the manifest says {row.dtype}"
        yield _fault("dtype", row.id, row.image, reason)


def _mask_faults(row: Slice, mask: NDArray[Any]) -> Iterator[Problem]:
    if mask.shape != (row.rows, row.cols):
        reason = f"the mask is {size_text(mask.shape)}, its image {row.rows}x{row.cols}"
        yield _fault("size", row.id, row.mask, reason)
    values = {int(value) for value in np.unique(mask)} - {0}
    strangers = sorted(values - {*row.labels, *(row.overlaps or {})})
    if strangers:
        shown = ", ".join(map(str, strangers[:8]))
        yield _fault("labels", row.id, row.mask, f"mask values that stand for no organ: {shown}")
    for organ, inside in structure_areas(row, mask):
        pixels = int(np.count_nonzero(inside))
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


def _surplus(dataset: Dataset, known: set[str]) -> Iterator[Problem]:
    for name in dataset.store.strays(known | {DESCRIPTOR, *dataset.table.names}):
        yield _fault("surplus", name, name, "the manifest does not list this file")


def _patients_on_two_sides(seen: list[Seen]) -> Iterator[Problem]:
    for patient, sides in on_several_sides((one.patient, one.side) for one in seen):
        yield _fault("leakage", patient, None, f"the patient is on {sides}")


def _fault(code: str, id: str, file: str | None, reason: str) -> Problem:
    return Problem(code=code, id=id, file=file, reason=reason, remedy=_REMEDIES.get(code, REMAKE))


_REMEDIES = {
    "leakage": SPLIT_AGAIN,
    "surplus": "Remove it, or run the stage again with --overwrite.",
}
