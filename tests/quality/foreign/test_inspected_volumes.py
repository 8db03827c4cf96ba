"""`inspect` of a root of volumes: what is wrong with grids and labels is among its problems."""

from pathlib import Path

import numpy as np
import pytest

import chaosprep
from chaosprep.errors import NothingFoundError
from tests.quality.foreign.test_volumes import (
    AFFINE,
    FILES,
    MASK,
    SETS,
    Plant,
    decathlon,
    plain,
    save,
    voxels,
)

SAID = {  # what reading a series calls it already, before anything else looks
    "mask-grid": ("size", "grid-spacing", "grid-origin", "grid-flipped", "grid-directions"),
    "mask-missing": ("grid-origin",),
    "mask-values": ("mask-fractions", "not-finite"),
    "mask-unreadable": ("image-unreadable",),
}
FAULTS: dict[str, tuple[str, Plant]] = {
    name: (code, plant)
    for name, (code, plant) in MASK.items()
    if code not in ("grid-order", "mask-float", "mask-scaled", "mask-empty", "affine-identity")
}


def problems(root: Path) -> set[tuple[str, str | None]]:
    found = chaosprep.inspect(root).problems
    return {(one.code, one.file) for one in found if one.code != "patient-unknown"}


@pytest.mark.parametrize("kind", SETS)
def test_a_clean_set_has_no_problem_and_all_cases(tmp_path: Path, kind: str) -> None:
    folder = SETS[kind](tmp_path)
    assert problems(folder) == set()
    channels = 2 if kind == "nnunet" else 1
    assert len(chaosprep.inspect(folder).cases) == 3 * channels


@pytest.mark.parametrize("kind", ["decathlon", "volumes nrrd"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_mask_is_one_problem(tmp_path: Path, kind: str, name: str) -> None:
    code, plant = FAULTS[name]
    folder = SETS[kind](tmp_path)
    mask = FILES[kind][1]
    plant(folder / FILES[kind][0], folder / mask)
    ((found, file),) = problems(folder)
    assert file == mask
    assert found == code or code in SAID[found]


def test_a_constant_image_is_a_problem(tmp_path: Path) -> None:
    folder = decathlon(tmp_path)
    image = folder / FILES["decathlon"][0]
    save(image, voxels(image) * 0)
    assert problems(folder) == {("image-constant", FILES["decathlon"][0])}


@pytest.mark.parametrize("name", ["other end of x", "float", "empty"])
def test_what_is_odd_about_a_mask_is_a_warning_of_its_case(tmp_path: Path, name: str) -> None:
    folder = decathlon(tmp_path)
    image, mask = FILES["decathlon"]
    plant: Plant = MASK[name][1]
    plant(folder / image, folder / mask)
    assert problems(folder) == set()
    first, *others = chaosprep.inspect(folder).cases
    (warning,) = first.warnings
    assert warning.startswith(f"{mask}: the ")
    assert all(case.warnings == () for case in others)


def test_workers_find_the_same(tmp_path: Path) -> None:
    folder = plain(tmp_path)
    mask = folder / FILES["volumes"][1]
    save(mask, np.maximum(voxels(mask), 1), AFFINE)
    found = chaosprep.inspect(folder, jobs=2)
    assert found == chaosprep.inspect(folder)
    assert [one.code for one in found.problems if one.file] == ["mask-full"]


def test_a_plain_folder_says_what_split_asks(tmp_path: Path) -> None:
    folder: Path = plain(tmp_path)
    assert any("split takes them where --images" in one for one in chaosprep.inspect(folder).notes)
    images, masks = "train/images/{patient}.nii.gz", "train/labels/{patient}.nii.gz"
    out = tmp_path / "out"
    made = chaosprep.split(folder, out, images=images, masks=masks, val=0.5, jobs=1)
    assert len(made.cases) == 2


def test_a_folder_without_volumes_is_still_refused(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.txt").write_text("hello")
    with pytest.raises(NothingFoundError):
        chaosprep.inspect(tmp_path)


def test_few_cases_are_one_note_with_their_number(tmp_path: Path) -> None:
    said = "outliers are not looked for among fewer than 8 cases of a sequence: 3 cases of MRI"
    folder: Path = decathlon(tmp_path)
    assert said in chaosprep.inspect(folder).notes
    assert said in chaosprep.verify(folder).notes
    chosen = chaosprep.verify(folder, patients=["a-1"])
    assert said.partition(":")[0] not in " ".join(chosen.notes)
