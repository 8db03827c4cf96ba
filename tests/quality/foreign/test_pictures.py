"""`verify` on any other folder: each planted fault is found, named exactly, and nothing else is."""

import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import chaosprep
from benchmarks.phantom_slices import phantom_slices, to_8_bits
from chaosprep.errors import ManifestError, UsageError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.quality.foreign import pairs
from chaosprep.quality.verify import Verdict

Pixels = NDArray[np.uint8]
Found = tuple[str, str, str]  # code, id, file
A = "train/a1", "train/images/a1.png"
A_MASK = "train/a1", "train/masks/a1.png"


def pixels(path: Path) -> Pixels:
    return np.asarray(Image.open(path))


def save(path: Path, array: NDArray[np.generic], mode: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(path)


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three phantom patients of two slices: a and b train, c validates; label maps as masks."""
    root = tmp_path_factory.mktemp("foreign")
    for side, name, seed in (("train", "a", 1), ("train", "b", 2), ("val", "c", 3)):
        for number, (image, mask) in list(enumerate(phantom_slices(6, 96, seed=seed)))[2:4]:
            save(root / side / "images" / f"{name}{number - 1}.png", to_8_bits(image))
            save(root / side / "masks" / f"{name}{number - 1}.png", mask)
    return root


@pytest.fixture
def folder(clean: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "data"))


def faults(verdict: Verdict) -> list[Found]:
    return [(fault.code, fault.id, fault.file or "") for fault in verdict.faults]


def warnings(verdict: Verdict) -> list[Found]:
    return [(warning.code, warning.id, warning.file or "") for warning in verdict.warnings]


def image(root: Path) -> Path:
    return root / A[1]


def mask(root: Path) -> Path:
    return root / A_MASK[1]


def resized(root: Path, interpolation: int) -> None:
    """The mask of a1 resampled down and back."""
    label = pixels(mask(root))
    half = cv2.resize(label, (61, 61), interpolation=interpolation)
    save(mask(root), np.asarray(cv2.resize(half, label.shape, interpolation=interpolation)))


def colour(path: Path) -> None:
    array = np.repeat(pixels(path)[..., None], 3, axis=2)
    array[..., 0] //= 2
    save(path, array)


def rename(path: Path, name: str) -> None:
    path.rename(path.with_name(name))


def linked(path: Path) -> None:
    away = path.parents[2] / "away.png"
    path.rename(away)
    path.symlink_to(away)


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replaced(path: Path, ending: str, array: NDArray[np.generic]) -> None:
    """The array under another ending in a file's place."""
    path.unlink()
    new = path.with_suffix(ending)
    np.save(new, array) if ending == ".npy" else save(new, array)


def renamed_patients(root: Path) -> None:
    for side, old in (("train", "a1.png"), ("val", "c1.png")):
        for kind in ("images", "masks"):
            rename(root / side / kind / old, f"patient7_{old}")


def changed(root: Path, change: Callable[[Pixels], NDArray[np.generic]]) -> None:
    """Slice a1 with its mask on the other side, after a change of the image."""
    shutil.copy(mask(root), root / "val/masks/z.png")
    save(root / "val/images/z.png", change(pixels(image(root))))


def turned(array: Pixels) -> Pixels:
    rows, cols = array.shape
    matrix = cv2.getRotationMatrix2D(((cols - 1) / 2, (rows - 1) / 2), 8, 0.9)
    return np.asarray(cv2.warpAffine(array, matrix, (cols, rows)), np.uint8)


def dark(array: Pixels) -> Pixels:
    return np.asarray(255 * (array / 255.0) ** 1.6, np.uint8)


Plant = Callable[[Path], object]
FAULTS: dict[str, tuple[Plant, Found]] = {
    "no mask": (lambda r: mask(r).unlink(), ("mask-missing", *A)),
    "no image": (lambda r: image(r).unlink(), ("mask-surplus", *A_MASK)),
    "two masks": (
        lambda r: save(mask(r).with_suffix(".bmp"), pixels(mask(r))),
        ("name-twice", *A_MASK),
    ),
    "another size": (
        lambda r: save(mask(r), np.pad(pixels(mask(r)), 2)),
        ("size", *A_MASK),
    ),
    "linear interpolation": (lambda r: resized(r, cv2.INTER_LINEAR), ("grey-rim", *A_MASK)),
    "a photograph": (
        lambda r: save(mask(r), pixels(image(r))),
        ("mask-levels", *A_MASK),
    ),
    "a mask of fractions": (
        lambda r: replaced(mask(r), ".npy", pixels(mask(r)) / 255),
        ("mask-levels", "train/a1", "train/masks/a1.npy"),
    ),
    "a mask in colour": (lambda r: colour(mask(r)), ("mask-colour", *A_MASK)),
    "a mask as JPEG": (
        lambda r: replaced(mask(r), ".jpg", pixels(mask(r))),
        ("mask-lossy", "train/a1", "train/masks/a1.jpg"),
    ),
    "a mask of everything": (
        lambda r: save(mask(r), np.full_like(pixels(mask(r)), 63)),
        ("mask-full", *A_MASK),
    ),
    "a constant image": (
        lambda r: save(image(r), np.full_like(pixels(image(r)), 7)),
        ("image-constant", *A),
    ),
    "the same pixels": (
        lambda r: changed(r, lambda a: a),
        ("leakage", "val/z", "val/images/z.png"),
    ),
    "a cut file": (
        lambda r: image(r).write_bytes(image(r).read_bytes()[:99]),
        ("image-unreadable", *A),
    ),
    "text": (lambda r: image(r).write_text("hello"), ("image-unreadable", *A)),
    "a link": (
        lambda r: linked(image(r)),
        ("file-link", *A),
    ),
    "a pipe": (lambda r: piped(image(r)), ("file-kind", *A)),
}
WARNINGS: dict[str, tuple[Plant, Found]] = {
    "RGBA": (lambda r: save(image(r), pixels(image(r)), "RGBA"), ("colour", *A)),
    "RGB": (lambda r: save(image(r), pixels(image(r)), "RGB"), ("colour", *A)),
    "true colour": (lambda r: colour(image(r)), ("colour", *A)),
    "a palette": (lambda r: save(mask(r), pixels(mask(r)), "P"), ("colour", *A_MASK)),
    "a grey mask as RGB": (lambda r: save(mask(r), pixels(mask(r)), "RGB"), ("colour", *A_MASK)),
    "an empty mask": (
        lambda r: save(mask(r), np.zeros_like(pixels(mask(r)))),
        ("mask-empty", *A_MASK),
    ),
    "the same pixels, one side": (
        lambda r: (
            shutil.copy(image(r), r / "train/images/z.png"),
            shutil.copy(mask(r), r / "train/masks/z.png"),
        ),
        ("duplicate", "train/z", "train/images/z.png"),
    ),
    "a flip": (
        lambda r: changed(r, lambda a: np.ascontiguousarray(a[:, ::-1])),
        ("near-duplicate", "val/z", "val/images/z.png"),
    ),
    "a rotation": (
        lambda r: changed(r, turned),
        ("near-duplicate", "val/z", "val/images/z.png"),
    ),
    "gamma": (lambda r: changed(r, dark), ("near-duplicate", "val/z", "val/images/z.png")),
    "no masks at all": (lambda r: shutil.rmtree(r / "val/masks"), ("no-masks", "val", "")),
    "a patient's name": (
        renamed_patients,
        ("patient-name", "patient 7", ""),
    ),
    "a strange format": (
        lambda r: (r / "train/images/notes.txt").write_text("hello"),
        ("format", "train/images/notes.txt", "train/images/notes.txt"),
    ),
    "a linked folder": (
        lambda r: (r / "train/more").symlink_to(r / "val", target_is_directory=True),
        ("folder-link", "train/more", "train/more"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_nothing_else(folder: Path, name: str) -> None:
    plant, expected = FAULTS[name]
    plant(folder)
    verdict = chaosprep.verify(folder)
    assert (faults(verdict), warnings(verdict)) == ([expected], [])
    assert verdict.faults[0].remedy


@pytest.mark.parametrize("name", WARNINGS)
def test_a_planted_oddity_is_a_warning_and_nothing_else(folder: Path, name: str) -> None:
    plant, expected = WARNINGS[name]
    plant(folder)
    verdict = chaosprep.verify(folder)
    assert (faults(verdict), warnings(verdict)) == ([], [expected])
    assert verdict.warnings[0].remedy


def test_files_of_an_operating_system_are_no_finding(folder: Path) -> None:
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store"):
        (folder / "train/images" / name).write_bytes(b"x")
    verdict = chaosprep.verify(folder)
    assert (verdict.faults, verdict.warnings) == ((), ())


def test_clean_data_has_no_finding(clean: Path) -> None:
    verdict = chaosprep.verify(clean)
    assert (verdict.faults, verdict.warnings) == ((), ())
    assert (verdict.stage, verdict.cases, verdict.slices) == ("folder", 2, 6)
    assert "patients are unknown" in verdict.notes[0]


@pytest.mark.parametrize("sequence", ["t1-in", "t1-out", "t2-spir", "ct"])
def test_what_a_stage_made_is_clean_without_its_manifest_too(sequence: str, tmp_path: Path) -> None:
    people = [
        Patient(
            id=n,
            modality="CT" if sequence == "ct" else "MR",
            sequences=(sequence,),
            slices=4,
            matrix=96,
        )
        for n in (1, 2, 3)
    ]
    write_chaos(tmp_path / "chaos", people)
    pairs = chaosprep.split(tmp_path / "chaos", tmp_path / "split", val=0.4, sequence=sequence)
    masks = chaosprep.extract_liver(pairs, tmp_path / "liver", all_organs=True)
    chaosprep.convert(masks, tmp_path / "png")
    for name in ("datapackage.json", "slices.jsonl"):
        (tmp_path / "png" / name).unlink()
    verdict = chaosprep.verify(tmp_path / "png")
    assert faults(verdict) == []
    assert {code for code, _, _ in warnings(verdict)} <= {"mask-empty"}  # above and below


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("images/{}/x.png", "masks/{}/x.png"),
        ("{}/Data/x.png", "{}/Ground/x.png"),
        ("set/{}/imgs/deep/er/x.png", "set/{}/label/deep/er/x_seg.png"),
        ("{}/p1/image/x.tif", "{}/p1/mask/x_mask.bmp"),
        ("{}/img/x.npy", "{}/labels/x.npy"),
        ("{}/images/x.jpeg", "{}/masks/x.png"),
    ],
)
def test_layouts_that_people_use(clean: Path, tmp_path: Path, images: str, masks: str) -> None:
    for side, names in (("training", ("a1", "b1")), ("Validation", ("c1",))):
        home = "train" if side == "training" else "val"
        for name in names:
            for kind, pattern in (("images", images), ("masks", masks)):
                path = tmp_path / pattern.format(side).replace("x", name)
                path.parent.mkdir(parents=True, exist_ok=True)
                array = pixels(clean / home / kind / f"{name}.png")
                np.save(path, array) if path.suffix == ".npy" else save(path, array)
    verdict = chaosprep.verify(tmp_path)
    assert (verdict.faults, verdict.warnings, verdict.slices) == ((), (), 3)


def test_nearest_neighbour_leaves_no_rim(folder: Path) -> None:
    resized(folder, cv2.INTER_NEAREST)
    assert chaosprep.verify(folder).faults == ()


def test_a_small_organ_that_is_not_between_two_others_is_no_rim(folder: Path) -> None:
    label = np.zeros_like(pixels(mask(folder)))
    label[10:40, 10:40] = 63
    label[40:42, 10:12] = 200
    save(mask(folder), label)
    assert chaosprep.verify(folder).faults == ()


def test_an_organ_of_other_masks_is_no_rim_however_thin(folder: Path) -> None:
    label = np.zeros_like(pixels(mask(folder)))
    label[10:40, 10:20], label[10:40, 20], label[10:40, 21:30] = 63, 126, 252
    save(mask(folder), label)
    assert chaosprep.verify(folder).faults == ()


def test_files_above_the_limit_are_refused_unread(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "MAX_BYTES", image(folder).stat().st_size - 1)
    assert ("too-large", *A) in faults(chaosprep.verify(folder))


def test_images_above_the_limit_are_not_decoded(folder: Path) -> None:
    save(image(folder).with_suffix(".bmp"), np.zeros((4, 4), np.uint8))
    small = image(folder).with_suffix(".bmp").read_bytes()
    image(folder).with_suffix(".bmp").unlink()
    image(folder).write_bytes(small[:18] + struct.pack("<ii", 8200, 8200) + small[26:])
    assert faults(chaosprep.verify(folder)) == [("too-large", *A)]


def test_a_file_of_several_images_is_named(folder: Path) -> None:
    page = Image.fromarray(pixels(image(folder)))
    page.save(image(folder), "TIFF", save_all=True, append_images=[page])
    assert faults(chaosprep.verify(folder)) == [("frames", *A)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "train/more").mkdir(mode=0)
    assert faults(chaosprep.verify(folder)) == [("folder-unreadable", "train/more", "train/more")]


def test_names_may_hold_anything(folder: Path) -> None:
    odd = os.fsdecode(b"a\xff\n[b]")
    rename(image(folder), f"{odd}.png")
    found = {(code, id) for code, id, _ in faults(chaosprep.verify(folder))}
    assert found == {("mask-missing", f"train/{odd}"), ("mask-surplus", "train/a1")}


def test_nothing_is_unpickled(folder: Path) -> None:
    image(folder).unlink()
    np.save(image(folder).with_suffix(".npy"), np.array([{"a": 1}], object), allow_pickle=True)
    (fault,) = chaosprep.verify(folder).faults
    assert (fault.code, fault.file) == ("image-unreadable", "train/images/a1.npy")


def test_workers_find_the_same(folder: Path) -> None:
    changed(folder, turned)
    assert chaosprep.verify(folder, jobs=2) == chaosprep.verify(folder)


def test_a_folder_without_images_is_no_stage_directory(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="not a stage directory"):
        chaosprep.verify(tmp_path)


def test_patients_cannot_be_chosen_where_they_are_unknown(folder: Path) -> None:
    with pytest.raises(UsageError, match="patients and replay need the manifest"):
        chaosprep.verify(folder, patients=["MR001"])
