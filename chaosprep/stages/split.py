"""split: patients go to train, val or test; the pairs are copied as they are."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from chaosprep.dataset.naming import file_path
from chaosprep.dataset.records import File, Slice, file_columns
from chaosprep.division.divide import divide
from chaosprep.division.keys import with_known_key
from chaosprep.division.params import SplitParams
from chaosprep.division.traits.gather import with_traits
from chaosprep.division.written import check_writable, write_split
from chaosprep.errors import FileError, Problem, UsageError
from chaosprep.files import sha256
from chaosprep.formats.images import image_format
from chaosprep.layouts.find import find
from chaosprep.layouts.root import Root
from chaosprep.running.fitting import Expected
from chaosprep.running.stage import CaseResult, Planned, Stage
from chaosprep.running.writer import Writer
from chaosprep.series.reading import Series, SourceSlice, read_series
from chaosprep.series.shown import shown
from chaosprep.series.source import SourceCase
from chaosprep.workbench import ALONE, Workbench


def plan(root: Root, cases: Sequence[SourceCase], params: SplitParams) -> Planned[SourceCase]:
    """Decide every patient's side and fold."""
    divided = divide(root, cases, params)

    def complete(case: SourceCase) -> SourceCase:
        side, fold = divided.sides[case.patient]
        folds = divided.folds.get(case.patient, ())
        return msgspec.structs.replace(case, split=side, fold=fold, folds=folds)

    return Planned(complete, divided.notes, divided.shares)


def run_case(case: SourceCase, params: SplitParams, writer: Writer) -> CaseResult:
    """Copy one case's pairs and describe them."""
    if case.refused:
        return CaseResult(())
    series = read_series(case, max_pixels=params.max_pixels)
    rows: list[Slice] = []
    problems = list(series.problems)
    images: dict[str, File] = {}
    for found in series.slices:
        try:
            image = images.get(found.image) or _image(case, found, params, writer)
            images[found.image] = image  # all frames of a file share it
            mask = _mask(case, found, params, writer)
            rows.append(_row(case, found, series, file_columns(image, mask)))
        except FileError as error:
            file = found.mask and case.shown(found.mask)
            problems.append(Problem.of(error, found.id, file))
    return CaseResult(tuple(rows), tuple(problems), series.inputs)


def rows(case: SourceCase, params: SplitParams) -> Iterator[Expected]:
    """One for each slice of the series, with its files where they are copied as they are."""
    images: dict[str, tuple[str, str]] = {}
    for found in () if case.refused else read_series(case, max_pixels=params.max_pixels).slices:
        assert case.split is not None
        if found.image not in images:  # all frames of a file share it
            images[found.image] = found.id, sha256(found.image_data)
        first, digest = images[found.image]
        mask = None if found.mask is None else file_path(case.split, "masks", found.id, ".png")
        copied = {} if found.mask_data is None else {"mask_sha256": sha256(found.mask_data)}
        yield {
            "id": found.id,
            "case": case.id,
            "patient": case.patient,
            "sequence": case.sequence,
            "slice": found.index,
            "copy": 0,
            "split": case.split,
            "fold": case.fold,
            "folds": case.folds or UNSET,
            "image": file_path(case.split, "images", first, _ending(found)),
            "image_sha256": digest,
            "frame": found.frame,
            "mask": mask,
            "source": str(case.shown(found.image)),
            "parent": None,
        } | copied


def _row(case: SourceCase, found: SourceSlice, series: Series, files: dict[str, Any]) -> Slice:
    assert case.split is not None
    told = shown(found, case, series)
    header = found.header
    return Slice(
        id=found.id,
        case=case.id,
        patient=case.patient,
        sequence=case.sequence,
        slice=found.index,
        split=case.split,
        fold=case.fold,
        **files,
        frame=found.frame,
        rows=header.rows,
        cols=header.cols,
        dtype=header.dtype,
        bits_stored=header.bits_stored,
        spacing=header.pixel_spacing and (series.slice_spacing, *header.pixel_spacing),
        position=header.image_position_patient,
        orientation=header.image_orientation_patient,
        slope=header.rescale_slope,
        intercept=header.rescale_intercept,
        padding=header.padding,
        labels=told.labels,
        pixels=told.pixels,
        source=str(case.shown(found.image)),
        warnings=(*found.warnings, *told.notes),
        overlaps={**told.overlaps} or UNSET,
        folds=case.folds or UNSET,
    )


def _image(case: SourceCase, found: SourceSlice, params: SplitParams, writer: Writer) -> File:
    assert case.split is not None
    origin, data, ending = Path(case.root, found.image), found.image_data, _ending(found)
    link = "copy" if found.image in case.frames else params.link  # it may be a part of the file
    return writer.copy(case.split, "images", found.id, origin, data, link, ending)


def _ending(found: SourceSlice) -> str:
    kind = image_format(found.image, found.image_data)
    assert kind is not None, "its header was read"
    return kind.ending


def _mask(case: SourceCase, found: SourceSlice, params: SplitParams, writer: Writer) -> File | None:
    """A mask that is a picture of this slice is copied; any other is written as PNG."""
    assert case.split is not None
    if found.mask_array is not None:
        return writer.mask(case.split, found.id, found.mask_array)
    if found.mask is None or found.mask_data is None:
        return None
    origin = Path(case.root, found.mask)
    return writer.copy(case.split, "masks", found.id, origin, found.mask_data, params.link)


def open_root(root: Path, params: SplitParams, bench: Workbench = ALONE) -> Root:
    """The wanted series below a dataset root.

    Raises:
        UsageError: `parameter`, links would show what pseudonyms hide; what `with_known_key`,
            `find` and `with_traits` raise.
        ChaosprepError: what `find` raises.
    """
    params, key_file = with_known_key(params)
    found = find(root, params, sequences=params.sequence, bench=bench)
    if key_file is not None:
        found = replace(found, key_file=key_file)
    if params.link == "sym" and found.people is not None:
        raise UsageError(
            "--link sym: links would show the paths below ROOT, and patients have pseudonyms here",
            "Leave it out: the files are then copied.",
            code="parameter",
        )
    return with_traits(found, params, bench)


def settle(params: SplitParams, root: Root) -> SplitParams:
    """The parameters with the key that was made or found beside the output."""
    if root.key_file is None:
        return params
    return msgspec.structs.replace(params, pseudonymize=str(root.key_file))


SPLIT = Stage(
    name="split",
    version=1,
    params=SplitParams,
    run_case=run_case,
    open=open_root,
    settle=settle,
    plan=plan,
    rows=rows,
    ready=check_writable,
    after=write_split,
    folder="split",
    source_name="ROOT",
    help="ROOT is CHAOS as it was downloaded: the outer folder, Train_Sets, MR, or one patient; "
    "or any folder of DICOM files, whatever they are called; with --images their places are said, "
    "and those of volumes (NIfTI, NRRD, MetaImage); or a data set of nnU-Net or the Decathlon. "
    "Patients are ranked by a hash of the seed and their id; all series of a patient stay on one "
    "side; patients of a test set are test, and sides or folds of the data set's own are kept. "
    "A new patient takes a place in the ranking, and moves at most one other over each border "
    "between sides or folds; with --like, nobody moves.",
)
