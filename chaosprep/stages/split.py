"""split: patients go to train, val or test; the pairs are copied as they are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from chaosprep.dataset.descriptor import LabelMap
from chaosprep.dataset.naming import file_path
from chaosprep.dataset.records import File, Slice, file_columns
from chaosprep.division.divide import divide
from chaosprep.division.keys import with_known_key
from chaosprep.division.params import SplitParams
from chaosprep.division.traits.gather import with_traits
from chaosprep.division.written import check_kept, check_writable, write_split
from chaosprep.errors import FileError, Problem, UsageError, plural
from chaosprep.files import sha256
from chaosprep.layouts.find import find
from chaosprep.layouts.root import Root
from chaosprep.privacy.pseudonyms import Key
from chaosprep.running.fitting import Expected
from chaosprep.running.options import RunOptions
from chaosprep.running.stage import CaseResult, Planned, Source, Stage
from chaosprep.running.writer import Writer
from chaosprep.series.reading import Series, SourceSlice, read_series
from chaosprep.series.shown import shown
from chaosprep.series.source import SourceCase
from chaosprep.stages.copies import (
    DRY,
    Images,
    ending_of,
    hash_to_pass_on,
    image_to_pass_on,
    key_for,
    mask_to_pass_on,
)
from chaosprep.stages.known_names import KnownNames
from chaosprep.stages.passed_on import find_to_pass_on, notes_on_names
from chaosprep.workbench import ALONE, Workbench


def plan(root: Root, cases: Sequence[SourceCase], params: SplitParams) -> Planned[SourceCase]:
    """Decide every patient's side and fold."""
    divided = divide(root, cases, params)

    def complete(case: SourceCase) -> SourceCase:
        side, fold = divided.sides[case.patient]
        folds = divided.folds.get(case.patient, ())
        return msgspec.structs.replace(case, split=side, fold=fold, folds=folds)

    notes = notes_on_names(root, key_for(params, DRY)) if params.deidentify else ()
    return Planned(complete, (*divided.notes, *notes), divided.shares)


def run_case(case: SourceCase, params: SplitParams, writer: Writer) -> CaseResult:
    """Copy one case's pairs and describe them."""
    if case.refused:
        return CaseResult(())
    key = key_for(params, writer)
    series, known = read_series(case, max_pixels=params.max_pixels), KnownNames([case], key)
    series = replace(series, names=known.names(series.names))
    rows: list[Slice] = []
    problems = [*_about_the_kept(case, series)]
    images = Images(case, params, writer, key)
    for found in _kept(case, series):
        try:
            image = images.of(found)
            mask = _mask(case, found, params, writer, key)
            files = file_columns(image.file, mask)
            rows.append(known.row(_row(case, found, series, files, image.notes)))
        except FileError as error:
            file = found.mask and case.shown(found.mask)
            problems.append(Problem.of(error, found.id, file))
    return CaseResult(tuple(rows), tuple(map(known.problem_of, problems)), series.inputs)


def rows(case: SourceCase, params: SplitParams) -> Iterator[Expected]:
    """One for each slice of the series, with its files where they are copied as they are."""
    images: dict[str, tuple[str, str]] = {}
    key = key_for(params)
    series = None if case.refused else read_series(case, max_pixels=params.max_pixels)
    for found in () if series is None else _kept(case, series):
        assert case.split is not None
        if found.image not in images:  # all frames of a file share it
            data = image_to_pass_on(case, found, params, key)
            images[found.image] = found.id, hash_to_pass_on(found, data)
        first, digest = images[found.image]
        mask = None if found.mask is None else file_path(case.split, "masks", found.id, ".png")
        copied = {}
        if found.mask_data is not None:
            copied["mask_sha256"] = sha256(mask_to_pass_on(found.mask_data, key))
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
            "image": file_path(case.split, "images", first, ending_of(found)),
            "image_sha256": digest,
            "frame": found.frame,
            "mask": mask,
            "source": str(case.shown(found.image)),
            "parent": None,
        } | copied


def _kept(case: SourceCase, series: Series) -> Iterator[SourceSlice]:
    return (found for found in series.slices if found.id not in case.left_out)


def _about_the_kept(case: SourceCase, series: Series) -> Iterator[Problem]:
    """The problems of what is not left out, and slices to leave out that there are not."""
    yield from (one for one in series.problems if one.id not in case.left_out)
    there = {one.id for one in series.slices} | {one.id for one in series.problems}
    if strange := [id for id in case.left_out if id not in there]:
        yield Problem(
            code="exclude-unknown",
            id=case.id,
            reason=f"--exclude names {plural(len(strange), 'slice')} that it does not have",
            remedy="Take the ids from the table of a split of the same files.",
        )


def _row(
    case: SourceCase,
    found: SourceSlice,
    series: Series,
    files: dict[str, Any],
    notes: tuple[str, ...],
) -> Slice:
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
        warnings=(*found.warnings, *notes, *told.notes),
        overlaps={**told.overlaps} or UNSET,
        folds=case.folds or UNSET,
    )


def _mask(
    case: SourceCase, found: SourceSlice, params: SplitParams, writer: Writer, key: Key | None
) -> File | None:
    """A mask that is a picture of this slice is copied; any other is written as PNG."""
    assert case.split is not None
    if found.mask_array is not None:
        return writer.mask(case.split, found.id, found.mask_array)
    if found.mask is None or found.mask_data is None:
        return None
    origin, data = Path(case.root, found.mask), mask_to_pass_on(found.mask_data, key)
    return writer.copy(case.split, "masks", found.id, origin, data, params.link)


def open_root(root: Path, params: SplitParams, bench: Workbench = ALONE) -> Root:
    """The wanted series below a dataset root.

    Raises:
        UsageError: `parameter`, links would show what pseudonyms hide; what `with_known_key`,
            `find` and `with_traits` raise.
        ChaosprepError: what `find` raises.
    """
    params, key_file = with_known_key(params)
    if params.deidentify:
        found = find_to_pass_on(root, params, bench)
    else:
        asked = params.sequence
        found = find(root, params, sequences=asked, exclude=params.exclude, bench=bench)
    if key_file is not None:
        found = replace(found, key_file=key_file)
    if params.link == "sym" and found.people is not None:
        raise UsageError(
            "--link sym: links would show the paths below ROOT, and patients have pseudonyms here",
            "Leave it out: the files are then copied.",
            code="parameter",
        )
    return with_traits(found, params, bench)


def labels(source: Source[SourceCase], params: SplitParams) -> LabelMap:
    """What the values of masks will stand for."""
    return KnownNames(source.cases, key_for(params, DRY)).labels(source.label_map)


def ready(
    params: SplitParams,
    root: Path,
    output: Path,
    cases: Iterable[SourceCase],
    options: RunOptions,
) -> None:
    """Refuse, before the work begins, an output that would destroy what is read or written."""
    check_kept(params, output)
    check_writable(params, root, output, cases, options)


def settle(params: SplitParams, root: Root) -> SplitParams:
    """The parameters with the key that was made or found beside the output.

    Workers elsewhere read it too, where files are de-identified.
    """
    file = root.key_file or params.pseudonymize
    if params.deidentify and file is not None:
        file = Path(file).absolute()
    return msgspec.structs.replace(params, pseudonymize=file and str(file))


SPLIT = Stage(
    name="split",
    version=1,
    params=SplitParams,
    run_case=run_case,
    open=open_root,
    settle=settle,
    plan=plan,
    rows=rows,
    labels=labels,
    ready=ready,
    after=write_split,
    folder="split",
    source_name="ROOT",
    help="ROOT is CHAOS as it was downloaded: the outer folder, Train_Sets, MR, or one patient; "
    "or any folder of DICOM files, whatever their names; or any tree of which --images says where "
    "the files are (DICOM, or volumes: NIfTI, NRRD, MetaImage); or a data set of nnU-Net or the "
    "Decathlon. Patients are ranked by a hash of the seed and their id; all series of a patient "
    "stay on one side; patients of a test set are test, and sides or folds of the data set's own "
    "are kept. A new patient takes a place in the ranking, and moves at most one other over each "
    "border between sides or folds; with --like, no patient moves.",
)
