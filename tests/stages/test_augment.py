"""augment: transformed copies of the training slices, image and mask as one."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset, Slice
from chaosprep.augmentation import apply, mirrored
from chaosprep.errors import ProblemsError, UsageError
from chaosprep.facts import Label
from chaosprep.phantom import Patient, write_chaos
from tests.formats.samples import dicom, png
from tests.labelled import labelled, renamed

Pixels = NDArray[Any]
CONVERSIONS: dict[str, dict[str, Any]] = {
    "8-bit PNG": {},
    "16-bit PNG": {"keep_16bit": True},
    "npy": {"format": "npy"},
}
STILL: dict[str, Any] = {"spec": {}}
FLIP: dict[str, Any] = {"spec": {"flip": {"probability": 1}}}


@pytest.fixture(scope="module", params=list(CONVERSIONS))
def converted(
    request: pytest.FixtureRequest, livers: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> Dataset:
    """The tiny dataset in each format that augment takes."""
    fields = CONVERSIONS[request.param]
    return chaosprep.convert(livers, tmp_path_factory.mktemp("converted"), **fields)


@pytest.fixture(scope="module")
def label_maps(pairs: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The tiny dataset with label maps of all organs."""
    maps = chaosprep.extract_liver(pairs, tmp_path_factory.mktemp("maps"), all_organs=True)
    return chaosprep.convert(maps, tmp_path_factory.mktemp("mapped"))


def read(dataset: Dataset, path: str | None) -> Pixels:
    """The pixels of a file, by OpenCV or numpy alone."""
    file = dataset.directory / str(path)
    if file.suffix == ".npy":
        array: Pixels = np.load(file, allow_pickle=False)
        return array
    image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


def by_id(dataset: Dataset) -> dict[str, Slice]:
    return {row.id: row for row in dataset.slices}


def copies(dataset: Dataset) -> list[Slice]:
    return [row for row in dataset.slices if row.copy]


def draws(dataset: Dataset) -> dict[str, Any]:
    return {row.id: row.augmentation for row in copies(dataset)}


def contents(dataset: Dataset) -> dict[str, bytes]:
    files = (path for path in dataset.directory.rglob("*") if path.is_file())
    return {path.relative_to(dataset.directory).as_posix(): path.read_bytes() for path in files}


def converted_slices(root: Path, dtype: type[np.integer[Any]], *masks: bytes) -> Dataset:
    """One training patient with these masks, as npy; nothing was extracted."""
    home = root / "chaos/MR/1/T1DUAL"
    (home / "DICOM_anon/InPhase").mkdir(parents=True)
    (home / "Ground").mkdir()
    pixels = np.arange(12, dtype=dtype).reshape(3, 4)
    for number, mask in enumerate(masks):
        data = dicom(pixels, ImagePositionPatient=[0, 0, 5.5 * number])
        (home / f"DICOM_anon/InPhase/x{number}.dcm").write_bytes(data)
        (home / f"Ground/x{number}.png").write_bytes(mask)
    pairs = chaosprep.split(root / "chaos", root / "pairs", val=0)
    return chaosprep.convert(pairs, root / "images", format="npy")


# What is copied


def test_only_training_slices_get_copies(images: Dataset, tmp_path: Path) -> None:
    made = chaosprep.augment(images, tmp_path / "out", copies=2)
    train = [row.id for row in images.slices if row.split == "train"]
    assert {row.split for row in copies(made)} == {"train"}
    assert Counter(row.parent for row in copies(made)) == dict.fromkeys(train, 2)
    assert len(made.slices) == len(images.slices) + 2 * len(train)


def test_originals_and_the_other_sides_are_carried_over(converted: Dataset, tmp_path: Path) -> None:
    made = by_id(chaosprep.augment(converted, tmp_path / "out"))
    for row in converted.slices:
        kept = made[row.id]
        assert (kept.copy, kept.parent, kept.augmentation) == (0, row.id, None)
        for path in (row.image, row.mask):
            assert path in (kept.image, kept.mask)
            assert (tmp_path / "out" / str(path)).samefile(converted.directory / str(path))


def test_a_copy_keeps_shape_and_type_and_names_its_parent(
    converted: Dataset, tmp_path: Path
) -> None:
    made = chaosprep.augment(converted, tmp_path / "out")
    parents = by_id(converted)
    for row in copies(made):
        parent = parents[str(row.parent)]
        image, mask = read(made, row.image), read(made, row.mask)
        original = read(converted, parent.image)
        assert (image.shape, image.dtype) == (original.shape, original.dtype)
        assert (mask.shape, mask.dtype.name) == (original.shape, "uint8")
        assert set(np.unique(mask)) <= {0, 255}
        assert original.min() <= image.min() <= image.max() <= original.max()
        assert row.id == f"{parent.id}_a01"
        assert (row.image, row.mask) == (
            f"train/images/{row.id}{Path(parent.image).suffix}",
            f"train/masks/{row.id}.png",
        )
        assert row.pixels == {"liver": np.count_nonzero(mask)}
        assert (row.labels, row.source, row.window) == (
            parent.labels,
            parent.source,
            parent.window,
        )


def test_the_recorded_parameters_make_the_same_file_again(
    converted: Dataset, tmp_path: Path
) -> None:
    made = chaosprep.augment(converted, tmp_path / "out", copies=2, seed=3)
    parents = by_id(converted)
    for row in copies(made):
        parent = parents[str(row.parent)]
        recorded = json.loads(json.dumps(row.augmentation))
        image, mask = apply(recorded, read(converted, parent.image), read(converted, parent.mask))
        assert np.array_equal(read(made, row.image), image)
        assert mask is not None
        assert np.array_equal(read(made, row.mask), mask)


def test_a_copy_that_would_lose_a_label_each_time_keeps_the_original_geometry(
    images: Dataset, tmp_path: Path
) -> None:
    spec = {"crop": {"side": [0.05, 0.05]}}
    made = chaosprep.augment(images, tmp_path / "out", spec=spec, keep_label=1.0)
    parents = by_id(images)
    kept = [row for row in copies(made) if (row.augmentation or {})["guard"] == "left"]
    assert kept
    for row in kept:
        parent = parents[str(row.parent)]
        assert np.array_equal(read(made, row.image), read(images, parent.image))
        assert np.array_equal(read(made, row.mask), read(images, parent.mask))
        assert row.spacing == parent.spacing
        assert "every draw would have lost a label" in row.warnings[-1]


def test_every_format_is_transformed_alike(livers: Dataset, tmp_path: Path) -> None:
    made = [
        chaosprep.augment(
            chaosprep.convert(livers, tmp_path / f"c{n}", **fields), tmp_path / f"{n}"
        )
        for n, fields in enumerate(CONVERSIONS.values())
    ]
    assert draws(made[0]) == draws(made[1]) == draws(made[2])
    for one, two, three in zip(*map(copies, made), strict=True):
        assert one.mask_sha256 == two.mask_sha256 == three.mask_sha256
        assert np.array_equal(read(made[1], two.image), read(made[2], three.image))


def test_a_flip_alone_is_the_mirrored_original(converted: Dataset, tmp_path: Path) -> None:
    made = chaosprep.augment(converted, tmp_path / "out", **FLIP)
    parents = by_id(converted)
    for row in copies(made):
        parent = parents[str(row.parent)]
        image, mask = read(converted, parent.image), read(converted, parent.mask)
        assert np.array_equal(read(made, row.image), image[:, ::-1])
        assert np.array_equal(read(made, row.mask), mask[:, ::-1])


def test_a_copy_leaves_patient_space_and_a_zoom_makes_its_pixels_smaller(
    images: Dataset, tmp_path: Path
) -> None:
    spec = {"crop": {"probability": 1, "side": [0.5, 0.5]}}
    parents = by_id(images)
    for row in copies(chaosprep.augment(images, tmp_path / "out", spec=spec, keep_label=0)):
        spacing = parents[str(row.parent)].spacing
        assert spacing is not None
        assert row.spacing == pytest.approx((spacing[0], spacing[1] / 2, spacing[2] / 2))
        assert (row.position, row.orientation) == (None, None)


# How many


@pytest.mark.parametrize("samples", [0, 1, 10, 11, 12, 25, 110])
def test_samples_are_exactly_n_and_spread_evenly(
    images: Dataset, tmp_path: Path, samples: int
) -> None:
    made = chaosprep.augment(images, tmp_path / "out", samples=samples)
    train = [row.id for row in images.slices if row.split == "train"]
    assert len(train) == 11
    used = Counter(row.parent for row in copies(made))
    assert used.total() == samples
    assert {used[id] for id in train} <= {samples // 11, -(-samples // 11)}


def test_two_seeds_sample_other_slices(images: Dataset, tmp_path: Path) -> None:
    chosen = [
        {
            row.parent
            for row in copies(chaosprep.augment(images, tmp_path / f"{n}", samples=5, seed=n))
        }
        for n in range(4)
    ]
    assert len({frozenset(parents) for parents in chosen}) > 1


@pytest.mark.parametrize(("count", "last"), [(1, "a01"), (12, "a12"), (100, "a100")])
def test_ids_are_padded_so_that_they_sort(
    images: Dataset, tmp_path: Path, count: int, last: str
) -> None:
    made = chaosprep.augment(images, tmp_path / "out", copies=count, patient=["MR001"])
    ids = [row.id for row in made.slices]
    assert ids == sorted(ids)
    assert [row.copy for row in made.slices[: count + 1]] == list(range(count + 1))
    assert ids[count].endswith(last)


def test_no_copies_carry_everything_over(images: Dataset, tmp_path: Path) -> None:
    made = chaosprep.augment(images, tmp_path / "out", copies=0)
    assert [row.id for row in made.slices] == [row.id for row in images.slices]


def test_samples_need_a_training_slice(tmp_path: Path) -> None:
    write_chaos(tmp_path / "root", [Patient(id=4, slices=2, matrix=16)], sets="Test_Sets")
    parent = chaosprep.convert(
        chaosprep.split(tmp_path / "root", tmp_path / "pairs"), tmp_path / "images"
    )
    with pytest.raises(UsageError, match="no training slice"):
        chaosprep.augment(parent, tmp_path / "out", samples=5)
    made = chaosprep.augment(parent, tmp_path / "out", copies=5)
    assert not copies(made)


# Randomness


def test_draws_depend_on_seed_id_and_copy_alone(images: Dataset, tmp_path: Path) -> None:
    whole = draws(chaosprep.augment(images, tmp_path / "whole", copies=2))
    more = draws(chaosprep.augment(images, tmp_path / "more", copies=3))
    part = draws(chaosprep.augment(images, tmp_path / "part", copies=2, patient=["MR001"]))
    drawn = draws(chaosprep.augment(images, tmp_path / "drawn", samples=13))
    assert whole.items() <= more.items()
    assert part.items() <= whole.items()
    assert drawn.items() <= whole.items()
    other = draws(chaosprep.augment(images, tmp_path / "other", copies=2, seed=1))
    assert other.keys() == whole.keys()
    assert all(other[id] != whole[id] for id in whole if whole[id]["operations"])
    assert len({json.dumps(drawn) for drawn in whole.values()}) > len(whole) / 2


def test_the_number_of_jobs_does_not_matter(images: Dataset, tmp_path: Path) -> None:
    one = contents(chaosprep.augment(images, tmp_path / "one", copies=2, jobs=1))
    for jobs in (2, 4):
        made = chaosprep.augment(images, tmp_path / f"{jobs}", copies=2, jobs=jobs)
        assert contents(made) == one


def test_float_pixels_are_augmented_and_replay_to_the_byte(tmp_path: Path) -> None:
    """Float pixel data keeps its type all the way: DICOM, npy, augmented npy."""
    home = tmp_path / "chaos/MR/1/T1DUAL"
    (home / "DICOM_anon/InPhase").mkdir(parents=True)
    (home / "Ground").mkdir()
    pixels = np.linspace(-1.5, 7.25, 24 * 32, dtype=np.float32).reshape(24, 32)
    for number in range(3):
        data = dicom(
            PixelData=None,
            FloatPixelData=(pixels + number).tobytes(),
            Rows=24,
            Columns=32,
            BitsAllocated=32,
            BitsStored=None,
            HighBit=None,
            PixelRepresentation=None,
            ImagePositionPatient=[0, 0, 5.5 * number],
        )
        (home / f"DICOM_anon/InPhase/x{number}.dcm").write_bytes(data)
        (home / f"Ground/x{number}.png").write_bytes(png([bytes([63] * 32)] * 24, cols=32))
    pairs = chaosprep.split(tmp_path / "chaos", tmp_path / "pairs", val=0)
    parent = chaosprep.convert(pairs, tmp_path / "images", format="npy")
    assert {row.dtype for row in parent.slices} == {"float32"}
    made = chaosprep.augment(parent, tmp_path / "out", copies=3)
    assert {row.dtype for row in made.slices} == {"float32"}
    assert chaosprep.verify(made.directory, replay="all").faults == ()


# Right and left


@pytest.mark.parametrize("organ", ["right-kidney", "left-kidney"])
def test_a_kidney_alone_may_not_be_mirrored(
    pairs: Dataset, tmp_path: Path, organ: Literal["right-kidney", "left-kidney"]
) -> None:
    masks = chaosprep.extract_liver(pairs, tmp_path / "masks", organ=organ)
    parent = chaosprep.convert(masks, tmp_path / "images")
    for swap_labels in (False, True):
        with pytest.raises(UsageError, match=f"{organ} would carry"):
            chaosprep.augment(parent, tmp_path / "out", preset="tutorial", swap_labels=swap_labels)
    made = chaosprep.augment(parent, tmp_path / "out")  # mri does not mirror
    assert not any(mirrored(row.augmentation) for row in copies(made) if row.augmentation)


def test_of_many_sides_that_are_alone_some_are_named(label_maps: Dataset, tmp_path: Path) -> None:
    ribs = {str(value): f"rib_left_{value}" for value in range(1, 25)}
    told = {int(value): Label(name) for value, name in ribs.items()}
    parent = labelled(label_maps, tmp_path / "d", told, lambda row: row.update(labels=ribs))
    with pytest.raises(UsageError, match=r"or 16 more would carry .* masks that show both sides"):
        chaosprep.augment(parent, tmp_path / "out", **FLIP, swap_labels=True)


def test_a_label_map_may_be_mirrored_only_with_its_labels(
    label_maps: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="swap_labels=True"):
        chaosprep.augment(label_maps, tmp_path / "out", **FLIP)
    made = chaosprep.augment(label_maps, tmp_path / "out", **FLIP, swap_labels=True)
    parents, swapped = by_id(label_maps), np.array([0, 1, 3, 2, 4], dtype=np.uint8)
    seen: set[int] = set()
    for row in copies(made):
        before = read(label_maps, parents[str(row.parent)].mask)
        assert np.array_equal(read(made, row.mask), swapped[before][:, ::-1])
        was = parents[str(row.parent)].pixels
        assert row.pixels["right-kidney"] == was["left-kidney"]
        assert row.pixels["left-kidney"] == was["right-kidney"]
        seen |= set(np.unique(before).tolist())
    assert {2, 3} <= seen


@pytest.mark.parametrize(
    ("right", "left"), [("kidney_right", "kidney_left"), ("Kidney R", "Kidney L")]
)
def test_any_pair_of_sides_by_name_is_exchanged(
    label_maps: Dataset, tmp_path: Path, right: str, left: str
) -> None:
    edit = renamed({"right-kidney": right, "left-kidney": left})
    named = labelled(label_maps, tmp_path / "named", {}, edit)
    with pytest.raises(UsageError, match=f"a mirrored {left} or {right} would carry"):
        chaosprep.augment(named, tmp_path / "out", **FLIP)
    made = chaosprep.augment(named, tmp_path / "out", **FLIP, swap_labels=True)
    swapped = np.array([0, 1, 3, 2, 4], dtype=np.uint8)
    parents = by_id(named)
    for row in copies(made):
        before = read(named, parents[str(row.parent)].mask)
        assert np.array_equal(read(made, row.mask), swapped[before][:, ::-1])
    assert chaosprep.verify(made.directory, replay="all").faults == ()


def test_without_a_flip_labels_stay(label_maps: Dataset, tmp_path: Path) -> None:
    made = chaosprep.augment(label_maps, tmp_path / "out", **STILL, swap_labels=True)
    parents = by_id(label_maps)
    for row in copies(made):
        assert np.array_equal(read(made, row.mask), read(label_maps, parents[str(row.parent)].mask))


def test_one_kidney_in_any_slice_is_enough_to_refuse(tmp_path: Path) -> None:
    """Masks that are still grey levels: the first slice shows nothing, the second one kidney."""
    lines = [[bytes(4)] * 3, [bytes([0, 126, 0, 0])] * 3]
    parent = converted_slices(tmp_path, np.uint16, *(png(mask, cols=4) for mask in lines))
    assert [row.labels for row in parent.slices] == [{}, {126: "right-kidney"}]
    for swap_labels in (False, True):
        with pytest.raises(UsageError, match="a mirrored right-kidney"):
            chaosprep.augment(parent, tmp_path / "out", **FLIP, swap_labels=swap_labels)


def test_several_levels_of_one_kidney_are_not_taken_for_the_two(tmp_path: Path) -> None:
    mask = png([bytes([0, 125, 126, 0])] * 3, cols=4)
    parent = converted_slices(tmp_path, np.uint16, mask)
    with pytest.raises(UsageError, match="a mirrored right-kidney"):
        chaosprep.augment(parent, tmp_path / "out", **FLIP, swap_labels=True)


# Requests that make no sense


@pytest.mark.parametrize(
    "fields",
    [
        {"copies": -1},
        {"samples": -1},
        {"keep_label": 1.5},
        {"preset": "extreme"},
        {"engine": "imgaug"},
        {"exact_probability": True},
    ],
)
def test_parameters_that_make_no_sense_are_usage_errors(
    images: Dataset, tmp_path: Path, fields: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match=next(iter(fields))):
        chaosprep.augment(images, tmp_path / "out", **fields)


def test_dicom_is_converted_first(livers: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Run chaosprep convert first"):
        chaosprep.augment(livers, tmp_path / "out")


def test_values_that_do_not_fit_in_the_interpolation_are_a_problem(tmp_path: Path) -> None:
    parent = converted_slices(tmp_path, np.int32, png([bytes(4)] * 3, cols=4))
    with pytest.raises(ProblemsError) as caught:
        chaosprep.augment(parent, tmp_path / "out")
    (problem,) = caught.value.problems
    assert (problem.code, problem.id) == ("pixel-type", "MR001_t1-in_s000_a01")
