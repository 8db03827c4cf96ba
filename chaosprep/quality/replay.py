"""Replay: augmented copies made again from their originals, and compared byte for byte."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.decoding import release_of
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.migrations import newer, unknown_parameters
from chaosprep.dataset.records import Slice
from chaosprep.errors import ChaosprepError, Problem
from chaosprep.files import sha256
from chaosprep.formats.codecs import encode
from chaosprep.params import make_params
from chaosprep.quality.findings import Findings
from chaosprep.running.mapping import map_cases
from chaosprep.stages.augment import AugmentParams, remade


def replayed(dataset: Dataset, count: int | None, *, jobs: int) -> Findings:
    """Make augmented copies again, `count` of them or all, and compare them with their files.

    A file of other bytes with the same pixels is a warning: another version of a compressor may
    have written it. Other pixels are a fault.
    """
    if dataset.made.stage != "augment":
        return Findings()
    made = dataset.made
    if unknown := unknown_parameters(AugmentParams, made.stage, made.parameters):
        raise newer(dataset.directory, release_of(dataset.descriptor), unknown)
    params = make_params(AugmentParams, made.parameters)
    chosen = _chosen(dataset, count)
    cases = (case for case in dataset.cases if any(row.id in chosen for row in case.slices))
    replay, count = partial(_replay, ids=chosen, params=params), len(dataset.cases)
    return Findings.of(*map_cases(replay, cases, lambda case: case.id, jobs, count=count))


def _chosen(dataset: Dataset, count: int | None) -> frozenset[str]:
    """The copies whose hashed ids come first: the same ones for the same dataset."""
    ids = [row.id for case in dataset.cases for row in case.slices if row.copy]
    ids.sort(key=lambda id: sha256(f"{dataset.descriptor_sha256} {id}".encode()))
    return frozenset(ids if count is None else ids[:count])


def _replay(case: Case, ids: frozenset[str], params: AugmentParams) -> Findings:
    found = Findings()
    originals = {row.id: row for row in case.slices if not row.copy}
    for row in case.slices:
        original = originals.get(row.parent or "")
        if row.id not in ids or original is None:
            continue
        try:
            for problem in _differences(case, row, original, params):
                (found.warnings if problem.code == "replay-bytes" else found.faults).append(problem)
        except ChaosprepError as error:
            found.faults.append(Problem.of(error, row.id, row.image))
    return found


def _differences(
    case: Case, row: Slice, original: Slice, params: AugmentParams
) -> Iterator[Problem]:
    image, mask = remade(row, case.filled(original), case.mask(original), params)
    data = encode(image, Path(row.image).suffix, params.compression)
    if sha256(data) != row.image_sha256:
        yield _compared(row, row.image, image, case.image(row))
    if row.mask is None or mask is None:
        return
    if sha256(encode(mask, Path(row.mask).suffix, params.compression)) != row.mask_sha256:
        yield _compared(row, row.mask, mask, case.mask(row))


def _compared(row: Slice, path: str, again: NDArray[Any], there: NDArray[Any] | None) -> Problem:
    if there is not None and np.array_equal(again, there) and again.dtype == there.dtype:
        reason = "made again it has the same pixels, but different bytes"
        remedy = "Nothing is wrong where another version of the compressor wrote it."
        return Problem(code="replay-bytes", id=row.id, file=path, reason=reason, remedy=remedy)
    reason = "made again from its original it has different pixels"
    remedy = "Run augment again with --overwrite."
    return Problem(code="replay", id=row.id, file=path, reason=reason, remedy=remedy)
