"""split: patients go to train, val or test; the pairs are copied as they are."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.dataset.records import File, Slice, file_columns
from chaosprep.errors import FileError, Problem
from chaosprep.files import sha256
from chaosprep.formats.images import image_format
from chaosprep.formats.pictures import read_mask
from chaosprep.imaging.labels import MAX_LABELS
from chaosprep.imaging.levels import areas, level_histogram
from chaosprep.known import LEVELS
from chaosprep.layouts.find import find
from chaosprep.layouts.root import Root
from chaosprep.running.fitting import Expected, file_path
from chaosprep.running.stage import CaseResult, Stage
from chaosprep.running.writer import Writer
from chaosprep.series.reading import Series, SourceSlice, read_series
from chaosprep.series.source import SourceCase
from chaosprep.stages.assignment import SplitParams, assign


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
    images: dict[str, str] = {}
    for found in () if case.refused else read_series(case, max_pixels=params.max_pixels).slices:
        assert case.split is not None
        first = images.setdefault(found.image, found.id)  # all frames of a file share it
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
            "image": file_path(case.split, "images", first, _ending(found)),
            "image_sha256": sha256(found.image_data),
            "frame": found.frame,
            "mask": mask,
            "source": str(case.shown(found.image)),
            "parent": None,
        } | copied


def _row(case: SourceCase, found: SourceSlice, series: Series, files: dict[str, Any]) -> Slice:
    assert case.split is not None
    labels, pixels, note = _organs(found, case.levels, series.names)
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
        labels=labels,
        pixels=pixels,
        source=str(case.shown(found.image)),
        warnings=(*found.warnings, *note),
    )


def _image(case: SourceCase, found: SourceSlice, params: SplitParams, writer: Writer) -> File:
    assert case.split is not None
    origin, data, ending = Path(case.root, found.image), found.image_data, _ending(found)
    return writer.copy(case.split, "images", found.id, origin, data, params.link, ending)


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


Shown = tuple[dict[int, str], dict[str, int], tuple[str, ...]]


def _organs(found: SourceSlice, levels: str | None, names: Mapping[int, str]) -> Shown:
    """What the mask shows: labels, pixels, notes; judging is left to extract-liver."""
    if found.mask_array is not None:
        return _by_value(level_histogram(found.mask_array), names)
    if found.mask_data is None:
        return {}, {}, ()
    try:
        mask = read_mask(found.mask_data)
    except FileError as error:
        if error.code != "mask-not-grey":
            raise
        return {}, {}, (f"mask: {error.reason}",)
    histogram = level_histogram(mask.pixels)
    if levels is None:
        return _by_value(histogram, names)
    if mask.binary:
        name = LEVELS[levels].binary.name
        return {1: name}, {name: histogram.get(1, 0)}, ()
    return _named(histogram, levels)


def _named(histogram: dict[int, int], table: str) -> Shown:
    organs = LEVELS[table].organs
    labels = {
        level: organ.name
        for level in histogram
        for organ in organs
        if organ.low <= level <= organ.high
    }
    found = areas(histogram, organs)
    return labels, {organ.name: found.get(organ.name, 0) for organ in organs}, ()


def _by_value(histogram: dict[int, int], names: Mapping[int, str]) -> Shown:
    """What the values stand for; where nobody says it, `label-1`, no organ that may be wrong."""
    if len(histogram) > MAX_LABELS:
        raise FileError(
            f"the mask is no label map: it holds {len(histogram)} different values",
            "Save it with one whole number for each organ.",
            code="mask-values",
        )
    labels = {level: names.get(level, f"label-{level}") for level in histogram if level}
    pixels = Counter[str]()
    for level, name in labels.items():
        pixels[name] += histogram[level]
    return labels, dict(pixels), ()


def open_root(root: Path, params: SplitParams) -> Root:
    """The wanted series below a dataset root."""
    return find(root, params, sequences=params.sequence)


SPLIT = Stage(
    name="split",
    version=1,
    params=SplitParams,
    run_case=run_case,
    open=open_root,
    plan=plan,
    rows=rows,
    folder="split",
    source_name="ROOT",
    help="ROOT is CHAOS as it was downloaded: the outer folder, Train_Sets, MR, or one patient; "
    "with --images it is any folder of DICOM series. "
    "Patients are ranked by a hash of the seed and their id; all series of a patient stay on one "
    "side; patients of Test_Sets are test.",
)
