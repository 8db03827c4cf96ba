"""Masks as plain DICOM slices: labels by stored value, on the image of their name or place."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chaosprep.layouts import folder
from chaosprep.layouts.layout import Where
from chaosprep.series.reading import Series, read_series
from chaosprep.series.sharing import told_beside
from tests.formats.samples import dataset, dicom, encoded, item
from tests.formats.test_frames import group
from tests.layouts.trees import COLS, ROWS, STEP, labels_at, slice_at, write

IMAGES = "scans/{patient}/{sequence}/{slice}.dcm"
MASKS = "masks/{patient}/{sequence}/{slice}.dcm"
FOLDER = "masks/{patient}/{sequence}"
COUNT = 4


def mask_at(place: int, labels: NDArray[Any] | None = None, **changes: object) -> bytes:
    """The mask of a slice as a DICOM slice of its own."""
    values: dict[str, Any] = {"ImagePositionPatient": [-10, -20, STEP * place], "Modality": "SEG"}
    return dicom(labels_at(place) if labels is None else labels, **(values | changes))


def tree(masks: Mapping[str, bytes]) -> dict[str, bytes]:
    """Four slices of a patient, and masks by their names."""
    files = {f"scans/7/t2/{place + 1:02d}.dcm": slice_at(place) for place in range(COUNT)}
    return files | {f"masks/7/t2/{name}": data for name, data in masks.items()}


def read(root: Path, masks: Mapping[str, bytes], pattern: str = MASKS) -> Series:
    found = folder.find(write(root, tree(masks)), Where(IMAGES, pattern))
    assert found.problems == ()
    (case,) = found.cases
    return read_series(case)


def shown(series: Series) -> dict[int, list[list[int]]]:
    """Place -> labels, of a series without problems."""
    assert series.problems == ()
    return {one.index: np.asarray(one.mask_array).tolist() for one in series.slices}


def codes(series: Series) -> set[tuple[str, str | None]]:
    return {(problem.code, problem.file) for problem in series.problems}


EXPECTED = {place: labels_at(place).tolist() for place in range(COUNT)}
NAMED = {f"{place + 1:02d}.dcm": mask_at(place) for place in range(COUNT)}


def frames_at(places: list[int]) -> bytes:
    """The masks of slices as the frames of one file."""
    frames = np.stack([labels_at(place) for place in places])
    made = dataset(
        frames[0],
        SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1",
        NumberOfFrames=len(places),
        PixelData=frames.tobytes(),
        ImagePositionPatient=None,
        PerFrameFunctionalGroupsSequence=[
            group(PlanePositionSequence=item(ImagePositionPatient=[-10, -20, STEP * place]))
            for place in places
        ],
    )
    return encoded(made)


@pytest.mark.parametrize("pattern", [MASKS, FOLDER, "masks/{patient}/{sequence}/{slice}", "masks"])
def test_stored_values_are_the_labels(tmp_path: Path, pattern: str) -> None:
    images = "scans" if pattern == "masks" else IMAGES
    (case,) = folder.find(write(tmp_path, tree(NAMED)), Where(images, pattern)).cases
    assert shown(series := read_series(case)) == EXPECTED
    assert {one.warnings for one in series.slices} == {()}


def test_masks_without_endings_are_found(tmp_path: Path) -> None:
    masks = {name.removesuffix(".dcm"): data for name, data in NAMED.items()}
    assert shown(read(tmp_path, masks, "masks/{patient}/{sequence}/{slice}")) == EXPECTED


@pytest.mark.parametrize("pattern", [MASKS, FOLDER])
@pytest.mark.parametrize("seed", range(3))
def test_masks_with_names_of_their_own_go_by_place(tmp_path: Path, pattern: str, seed: int) -> None:
    names = random.Random(seed).sample([f"m{n}.dcm" for n in range(COUNT)], COUNT)
    masks = {name: mask_at(place) for place, name in enumerate(names)}
    assert shown(read(tmp_path, masks, pattern)) == EXPECTED


def test_in_a_folder_the_place_counts_and_not_the_name(tmp_path: Path) -> None:
    masks = {f"{COUNT - place:02d}.dcm": mask_at(place) for place in range(COUNT)}
    assert shown(read(tmp_path, masks, FOLDER)) == EXPECTED


def test_a_name_that_the_place_contradicts_is_an_error(tmp_path: Path) -> None:
    masks = {f"{COUNT - place:02d}.dcm": mask_at(place) for place in range(COUNT)}
    series = read(tmp_path, masks)
    assert series.slices == ()
    assert codes(series) == {("mask-grid", f"masks/7/t2/{name}") for name in masks}
    assert len({problem.reason for problem in series.problems}) == 1


def test_the_pixels_of_a_mask_that_runs_backwards_are_turned(tmp_path: Path) -> None:
    (row, col), (x, y) = (1.25, 1.5), (-10, -20)
    turned = {
        "ImageOrientationPatient": [-1, 0, 0, 0, -1, 0],
        "PixelSpacing": [row, col],
    }
    masks = {
        f"{place + 1:02d}.dcm": mask_at(
            place,
            labels_at(place)[::-1, ::-1].copy(),
            ImagePositionPatient=[x + (COLS - 1) * col, y + (ROWS - 1) * row, STEP * place],
            **turned,
        )
        for place in range(COUNT)
    }
    assert shown(read(tmp_path / "a", masks)) == EXPECTED
    assert shown(read(tmp_path / "b", masks, FOLDER)) == EXPECTED


def test_a_mask_on_other_pixels_is_an_error(tmp_path: Path) -> None:
    masks = NAMED | {"02.dcm": mask_at(1, PixelSpacing=[1.3, 1.5])}
    assert codes(read(tmp_path / "a", masks)) == {("mask-grid", "masks/7/t2/02.dcm")}
    assert codes(read(tmp_path / "b", masks, FOLDER)) == {("mask-grid", "scans/7/t2/02.dcm")}


@pytest.mark.parametrize("pattern", [MASKS, FOLDER])
def test_an_image_without_a_mask_is_named(tmp_path: Path, pattern: str) -> None:
    masks = {name: data for name, data in NAMED.items() if name != "03.dcm"}
    series = read(tmp_path, masks, pattern)
    assert codes(series) == {("mask-missing", "scans/7/t2/03.dcm")}
    assert [one.index for one in series.slices] == [0, 1, 3]


@pytest.mark.parametrize("pattern", [MASKS, FOLDER])
def test_a_mask_of_no_image_is_named(tmp_path: Path, pattern: str) -> None:
    series = read(tmp_path, NAMED | {"05.dcm": mask_at(COUNT)}, pattern)
    assert codes(series) == {("mask-surplus", "masks/7/t2/05.dcm")}
    assert len(series.slices) == COUNT


def test_two_masks_in_one_plane_are_an_error(tmp_path: Path) -> None:
    series = read(tmp_path, NAMED | {"02b.dcm": mask_at(1)}, FOLDER)
    assert codes(series) == {("mask-several", "scans/7/t2/02.dcm")}


def test_masks_that_do_not_say_where_they_lie_go_by_name_and_it_is_said(tmp_path: Path) -> None:
    masks = {
        f"{place + 1:02d}.dcm": mask_at(place, ImagePositionPatient=None) for place in range(COUNT)
    }
    for pattern in (MASKS, FOLDER):
        series = read(tmp_path / pattern[-8:-1], masks, pattern)
        assert shown(series) == EXPECTED
        assert {"paired only by name" in " ".join(one.warnings) for one in series.slices} == {True}


def test_without_places_and_names_nothing_is_paired(tmp_path: Path) -> None:
    masks = {f"m{n}.dcm": mask_at(n, ImagePositionPatient=None) for n in range(COUNT)}
    series = read(tmp_path, masks, FOLDER)
    assert series.slices == ()
    assert {problem.code for problem in series.problems} == {"mask-missing", "mask-surplus"}


def test_places_of_another_frame_of_reference_do_not_count(tmp_path: Path) -> None:
    files = tree({})
    for place in range(COUNT):
        name = f"{place + 1:02d}.dcm"
        files[f"scans/7/t2/{name}"] = slice_at(place, FrameOfReferenceUID="1.2.3")
        files[f"masks/7/t2/{name}"] = mask_at(place, FrameOfReferenceUID="1.2.4")
    write(tmp_path, files)
    (case,) = folder.find(tmp_path, Where(IMAGES, MASKS)).cases
    series = read_series(case)
    assert shown(series) == EXPECTED
    assert all("frames of reference" in " ".join(one.warnings) for one in series.slices)
    (case,) = folder.find(tmp_path, Where(IMAGES, FOLDER)).cases
    assert codes(read_series(case)) == {("mask-grid", "masks/7/t2")}


def test_labels_are_what_the_header_rescales_to(tmp_path: Path) -> None:
    masks = NAMED | {"02.dcm": mask_at(1, RescaleSlope="2", RescaleIntercept="0")}
    series = read(tmp_path, masks)
    assert shown(series) == EXPECTED | {1: (2 * labels_at(1).astype(int)).tolist()}
    assert any("rescaled" in text for text in series.slices[1].warnings)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"RescaleSlope": "0.5", "RescaleIntercept": "0"}, "mask-values"),
        ({"RescaleSlope": "1", "RescaleIntercept": "-1024"}, "mask-values"),
        ({"RescaleSlope": "1e-7", "RescaleIntercept": "0"}, "mask-values"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "mask-values"),
        (
            {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3, "PlanarConfiguration": 0},
            "mask-not-grey",
        ),
        ({"labels": np.full((ROWS, COLS), -1, np.int16)}, "mask-values"),
        ({"labels": np.zeros((ROWS, COLS + 1), np.uint8)}, "mask-grid"),
        ({"NumberOfFrames": 2, "PixelData": bytes(2 * ROWS * COLS)}, "multi-frame"),
    ],
)
def test_a_mask_that_is_no_label_map_is_named(
    tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    data = mask_at(1, changes.pop("labels", None), **changes)
    series = read(tmp_path, NAMED | {"02.dcm": data})
    assert codes(series) == {(code, "masks/7/t2/02.dcm")}


def test_signed_labels_of_16_bits_are_taken(tmp_path: Path) -> None:
    labels = np.zeros((ROWS, COLS), np.int16)
    labels[1, 2] = 700
    series = read(tmp_path, NAMED | {"02.dcm": mask_at(1, labels)})
    assert shown(series)[1] == labels.tolist()


def test_a_secondary_capture_may_be_a_mask(tmp_path: Path) -> None:
    data = mask_at(1, SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    assert shown(read(tmp_path, NAMED | {"02.dcm": data})) == EXPECTED


@pytest.mark.parametrize("kind", ["481.2", "66.4", "481.3", "11.1", "30"])
def test_other_objects_are_no_masks_of_slices(tmp_path: Path, kind: str) -> None:
    data = mask_at(1, SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{kind}")
    series = read(tmp_path, NAMED | {"02.dcm": data})
    assert codes(series) == {("mask-kind", "masks/7/t2/02.dcm")}


def test_several_segmentations_of_a_series_are_a_problem(tmp_path: Path) -> None:
    data = mask_at(1, SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")
    series = read(tmp_path, {"a.dcm": data, "b.dcm": data}, FOLDER)
    assert codes(series) == {("mask-several", "masks/7/t2/a.dcm")}


def test_an_image_is_not_its_own_mask(tmp_path: Path) -> None:
    for pattern in (MASKS, FOLDER):
        series = read(tmp_path / pattern[-8:-1], NAMED | {"01.dcm": slice_at(0)}, pattern)
        assert {problem.code for problem in series.problems} == {"mask-kind"}


def test_the_mask_of_all_may_be_one_file_of_many_frames(tmp_path: Path) -> None:
    assert shown(read(tmp_path, {"all.dcm": frames_at([2, 0, 3, 1])}, FOLDER)) == EXPECTED


def test_several_files_of_many_frames_are_slices_of_one_mask(tmp_path: Path) -> None:
    masks = {"a.dcm": frames_at([2, 0]), "b.dcm": frames_at([1, 3])}
    assert shown(read(tmp_path, masks, FOLDER)) == EXPECTED


def test_a_frame_of_no_image_is_surplus(tmp_path: Path) -> None:
    series = read(tmp_path, {"all.dcm": frames_at([2, 0, 3, 1, 9])}, FOLDER)
    assert codes(series) == {("mask-surplus", "masks/7/t2/all.dcm")}


def test_frames_without_places_are_no_mask_of_a_series(tmp_path: Path) -> None:
    data = mask_at(0, NumberOfFrames=COUNT, PixelData=bytes(COUNT * ROWS * COLS))
    series = read(tmp_path, {"all.dcm": data}, FOLDER)
    assert codes(series) == {("mask-grid", "masks/7/t2/all.dcm")}


def test_series_on_other_grids_may_lie_beside_the_masks_of_one(tmp_path: Path) -> None:
    files = tree(NAMED)
    for place in range(COUNT):
        other = slice_at(place, PixelSpacing=[2, 2])
        files[f"scans/7/t1/{place + 1:02d}.dcm"] = other
        files[f"masks/7/{place + 1:02d}.dcm"] = files.pop(f"masks/7/t2/{place + 1:02d}.dcm")
    found = folder.find(write(tmp_path, files), Where(IMAGES, "masks/{patient}/{slice}.dcm"))
    one, two = told_beside(found.cases)
    assert {problem.code for problem in read_series(one).problems} == {"mask-grid"}
    assert shown(read_series(two)) == EXPECTED
