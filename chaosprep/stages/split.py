"""split: patients go to train, val or test; the pairs are copied as they are."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from chaosprep.dataset.records import Slice, Spacing
from chaosprep.dataset.records import Split as Side
from chaosprep.dataset.stage import CaseResult, Params, Stage
from chaosprep.dataset.writer import Link, Writer
from chaosprep.errors import FileError, Problem, UsageError
from chaosprep.imaging.images import read_mask
from chaosprep.imaging.organs import CHAOS, LEVELS, areas, level_histogram
from chaosprep.layouts.chaos import ChaosRoot, find
from chaosprep.layouts.chaos import Sequence as SequenceName
from chaosprep.layouts.series import SourceCase, SourceSlice, read_series

Fraction = Annotated[float, Meta(ge=0, lt=1)]


class SplitParams(Params, frozen=True, kw_only=True):
    """How to divide the patients, and which series to take."""

    val: Annotated[Fraction, Meta(description="Part of the patients for validation.")] = 0.2
    test: Annotated[Fraction, Meta(description="Part of the patients for testing.")] = 0.0
    folds: Annotated[
        Annotated[int, Meta(ge=2)] | None,
        Meta(description="Give every patient one of this many folds, instead of --val."),
    ] = None
    fold: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="The fold that is the validation side, from 0. [default with --folds: 0]"),
    ] = None
    val_patient: Annotated[
        tuple[str, ...],
        Meta(description="A validation patient, such as MR005, instead of --val. Repeatable."),
    ] = ()
    test_patient: Annotated[
        tuple[str, ...],
        Meta(description="A test patient, such as MR001, instead of --test. Repeatable."),
    ] = ()
    sequence: Annotated[
        tuple[SequenceName, ...], Meta(description="A series to take. Repeatable.")
    ] = ("t1-in",)
    seed: Annotated[int, Meta(description="Seed of the ranking of the patients.")] = 0
    link: Annotated[
        Link, Meta(description="Copy the files, or link to the originals (hard or symbolic).")
    ] = "copy"

    def __post_init__(self) -> None:
        if self.folds is not None and self.val_patient:
            raise ValueError("folds and val_patient exclude each other")
        if self.fold is not None and (self.folds is None or self.fold >= self.folds):
            raise ValueError("fold must be smaller than folds")
        if set(self.val_patient) & set(self.test_patient):
            raise ValueError("val_patient and test_patient name the same patient")
        if not self.sequence:
            raise ValueError("sequence must name at least one series")


def assign(patients: Sequence[str], params: SplitParams) -> dict[str, tuple[Side, int | None]]:
    """Decide the side and the fold of every patient that is not a test patient by its folder.

    The patients are ranked by a hash of the seed and their id, so the order of the input does not
    matter. Validation takes the ranking's first patients, test its last, folds its runs of equal
    length: where a patient is added, at most one patient moves across each border.

    Raises:
        UsageError: it cannot be done with these patients; the message says what there is.
    """
    ranked = sorted(set(patients), key=lambda patient: _rank(params.seed, patient))
    sides: dict[str, tuple[Side, int | None]] = dict.fromkeys(ranked, ("train", None))
    free = [patient for patient in ranked if patient not in params.val_patient]
    count = 0 if params.test_patient else _count(params.test, "test", len(ranked))
    test = params.test_patient or _last(free, count)
    _known(test, ranked, "test_patient")
    rest = [patient for patient in ranked if patient not in test]
    if params.folds is None:
        count = 0 if params.val_patient else _count(params.val, "val", len(ranked))
        val = params.val_patient or rest[:count]
        _known(val, ranked, "val_patient")
        sides.update(dict.fromkeys(val, ("val", None)))
    else:
        sides.update(_folds(rest, params.folds, params.fold or 0))
    sides.update(dict.fromkeys(test, ("test", None)))
    if ranked and not any(side == "train" for side, _ in sides.values()):
        raise UsageError(
            f"val and test: they leave none of the {len(ranked)} patients for training",
            "Give them a smaller part.",
            code="split",
        )
    return sides


def _rank(seed: int, patient: str) -> tuple[bytes, str]:
    return hashlib.sha256(f"chaosprep.split.1\n{seed}\n{patient}".encode()).digest(), patient


def _last(ranked: list[str], count: int) -> list[str]:
    return ranked[max(0, len(ranked) - count) :]


def _count(fraction: float, name: str, patients: int) -> int:
    count = round(patients * fraction)
    if patients and fraction and not count:
        raise UsageError(
            f"{name}: {fraction:g} of {patients} patients rounds to nobody",
            f"Give a larger part, --{name} 0 for none, or name them with --{name}-patient.",
            code="split",
        )
    return count


def _known(wanted: Sequence[str], patients: Sequence[str], name: str) -> None:
    unknown = sorted(set(wanted) - set(patients))
    if unknown:
        raise UsageError(
            f"{name}: no such patient to divide: {', '.join(unknown)}",
            f"There are: {', '.join(sorted(patients)) or 'none'}.",
            code="split",
        )


def _folds(ranked: list[str], folds: int, chosen: int) -> dict[str, tuple[Side, int | None]]:
    if ranked and len(ranked) < folds:
        raise UsageError(
            f"folds: {folds} folds need as many patients, there are {len(ranked)}",
            f"Use --folds {len(ranked)} or fewer.",
            code="split",
        )
    sides: dict[str, tuple[Side, int | None]] = {}
    for place, patient in enumerate(ranked):
        fold = place * folds // len(ranked)
        sides[patient] = ("val" if fold == chosen else "train", fold)
    return sides


def plan(cases: Sequence[SourceCase], params: SplitParams) -> Callable[[SourceCase], SourceCase]:
    """Decide every patient's side; patients of a test set stay test."""
    divided = [case.patient for case in cases if case.pool == "train"]
    sides = assign(divided, params)

    def complete(case: SourceCase) -> SourceCase:
        side, fold = sides.get(case.patient, ("test", None))
        return msgspec.structs.replace(case, split=side, fold=fold)

    return complete


def run_case(case: SourceCase, params: SplitParams, writer: Writer) -> CaseResult:
    """Copy one case's pairs and describe them."""
    series = read_series(case)
    rows: list[Slice] = []
    problems = list(series.problems)
    for found in series.slices:
        try:
            rows.append(_row(case, found, series.slice_spacing, params, writer))
        except FileError as error:
            problems.append(Problem.of(error, found.id, found.mask))
    return CaseResult(tuple(rows), tuple(problems), series.inputs)


def _row(
    case: SourceCase,
    found: SourceSlice,
    slice_spacing: float | None,
    params: SplitParams,
    writer: Writer,
) -> Slice:
    assert case.split is not None
    labels, pixels, note = _organs(found)
    root = Path(case.root)
    image = writer.copy(
        case.split, "images", found.id, root / found.image, found.image_data, params.link
    )
    mask = None
    if found.mask is not None and found.mask_data is not None:
        mask = writer.copy(
            case.split, "masks", found.id, root / found.mask, found.mask_data, params.link
        )
    header = found.header
    spacing: Spacing | None = None
    if header.pixel_spacing is not None:
        spacing = (slice_spacing, *header.pixel_spacing)
    return Slice(
        id=found.id,
        case=case.id,
        patient=case.patient,
        sequence=case.sequence,
        slice=found.index,
        split=case.split,
        fold=case.fold,
        image=image.path,
        image_sha256=image.sha256,
        image_bytes=image.bytes,
        mask=mask.path if mask else None,
        mask_sha256=mask.sha256 if mask else None,
        mask_bytes=mask.bytes if mask else None,
        rows=header.rows,
        cols=header.cols,
        dtype=header.dtype,
        bits_stored=header.bits_stored,
        spacing=spacing,
        position=header.image_position_patient,
        orientation=header.image_orientation_patient,
        slope=header.rescale_slope,
        intercept=header.rescale_intercept,
        labels=labels,
        pixels=pixels,
        source=found.image,
        warnings=(*found.warnings, *note),
    )


def _organs(slice_: SourceSlice) -> tuple[dict[int, str], dict[str, int], tuple[str, ...]]:
    """What the mask shows by CHAOS's grey levels; judging the levels is left to extract-liver."""
    if slice_.mask_data is None:
        return {}, {}, ()
    try:
        mask = read_mask(slice_.mask_data)
    except FileError as error:
        if error.code != "mask-not-grey":
            raise
        return {}, {}, (f"mask: {error.reason}",)
    histogram = level_histogram(mask.pixels)
    if mask.binary:
        return {1: "liver"}, {"liver": histogram.get(1, 0)}, ()
    organs = LEVELS[CHAOS]
    labels = {
        level: organ.name
        for level in histogram
        for organ in organs
        if organ.low <= level <= organ.high
    }
    found = areas(histogram, organs)
    return labels, {organ.name: found.get(organ.name, 0) for organ in organs}, ()


def open_root(root: Path, params: SplitParams) -> ChaosRoot:
    """The wanted series below a dataset root."""
    return find(root).only(params.sequence)


SPLIT = Stage(
    name="split", version=1, params=SplitParams, run_case=run_case, open=open_root, plan=plan
)
