"""What the sides of a set of volumes share, and what is missing, in each of the layouts."""

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import chaosprep
from benchmarks.duplicates import phantom
from tests.quality.foreign.test_volumes import FILES, SETS, found, save, voxels

Volume = NDArray[Any]
TESTED = {
    "nnunet": "imagesTs/{}_0000.nii.gz",
    "decathlon": "imagesTs/{}.nii.gz",
    "volumes": "test/images/{}.nii.gz",
    "volumes nrrd": "test/images/{}.nrrd",
}


@cache
def patients() -> list[Volume]:
    """Three phantom patients, (cols, rows, slices) uint16."""
    return [np.stack(images).T for images in phantom("t1-in", 3, 6, 96).values()]


def write(root: Path, kind: str, name: str, volume: Volume) -> Path:
    """A set of two patients that train, and one of this name and these voxels that tests."""
    folder = SETS[kind](root)
    trained = FILES[kind][0]
    for one, data in zip(("a_1", "b_1"), patients(), strict=False):
        image, mask = (file.replace("a_1", one) for file in FILES[kind])
        save(folder / image, data)
        save(folder / mask, (data > 200).astype(np.uint8))
        if kind == "nnunet":
            other = image.replace("_0000", "_0001")
            save(folder / other, data[::-1] // 2)
    for file in folder.rglob("c_1*"):
        file.unlink()
    tested = TESTED[kind].format(name)
    save(folder / tested, volume)
    if kind == "nnunet":
        save(folder / tested.replace("_0000", "_0001"), patients()[2][::-1] // 3)
    if kind == "decathlon":
        table = json.loads((folder / "dataset.json").read_text())
        table["training"] = table["training"][:2]
        counts = {"test": [f"./{tested}"], "numTraining": 2, "numTest": 1}
        (folder / "dataset.json").write_text(json.dumps({**table, **counts}))
    if kind == "nnunet":
        table = json.loads((folder / "dataset.json").read_text())
        named = {"background": 0, "organ": 1}
        (folder / "dataset.json").write_text(
            json.dumps({**table, "numTraining": 2, "labels": named})
        )
    assert (folder / trained).is_file()
    return folder


def codes(folder: Path, **more: Any) -> list[tuple[str, str]]:
    verdict = chaosprep.verify(folder, **more)
    some = (*verdict.faults, *verdict.warnings)
    return [(one.code, one.id) for one in some if one.code not in ("label-unseen", "mask-float")]


@pytest.mark.parametrize("kind", SETS)
def test_different_patients_share_nothing(tmp_path: Path, kind: str) -> None:
    assert codes(write(tmp_path, kind, "d_1", patients()[2])) == []


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda v: v, "leakage"),
        (lambda v: v.astype(np.float32), "leakage"),
        (lambda v: v[::-1], "near-duplicate"),
        (lambda v: v[:, :, ::-1], "leakage"),
        (lambda v: v * np.float32(0.5) + 3, "near-duplicate"),
    ],
    ids=["the same", "as float", "mirrored", "slices reversed", "rescaled"],
)
def test_a_volume_of_another_side_is_found(
    tmp_path: Path, kind: str, change: Callable[[Volume], Volume], code: str
) -> None:
    folder = write(tmp_path, kind, "d_1", change(patients()[0]))
    ((one, id),) = codes(folder)
    assert one == code
    assert id.lower().startswith("d")


@pytest.mark.parametrize("kind", SETS)
def test_a_patient_on_two_sides_is_found_by_a_rule_and_by_a_table(
    tmp_path: Path, kind: str
) -> None:
    folder = write(tmp_path, kind, "a_2", patients()[2])
    assert codes(folder) == []
    assert codes(folder, patient_from_name="{patient}_{}") == [("leakage", "a")]
    table = tmp_path / "patients.csv"
    table.write_text("case,patient\na_1,p1\nb_1,p2\na_2,p2\n")
    assert codes(folder, patients=table) == [("leakage", "p2")]


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("which", [0, 1], ids=["image", "mask"])
def test_a_file_that_is_gone_is_one_fault(tmp_path: Path, kind: str, which: int) -> None:
    folder = SETS[kind](tmp_path)
    (folder / FILES[kind][which]).unlink()
    (fault,) = chaosprep.verify(folder).faults
    assert "a_1" in f"{fault.id} {fault.file} {fault.reason}"


def test_a_channel_that_is_gone_is_one_fault(tmp_path: Path) -> None:
    folder = SETS["nnunet"](tmp_path)
    (folder / FILES["nnunet"][0].replace("_0000", "_0001")).unlink()
    (fault,) = chaosprep.verify(folder).faults
    assert "channel" in fault.reason


def test_channels_along_a_fourth_axis_are_checked_each(tmp_path: Path) -> None:
    folder = SETS["decathlon"](tmp_path)
    table = json.loads((folder / "dataset.json").read_text())
    modality = {"modality": {"0": "T1", "1": "T2"}}
    (folder / "dataset.json").write_text(json.dumps({**table, **modality}))
    for file in (folder / "imagesTr").iterdir():
        one = voxels(file)
        save(file, np.stack([one, one[::-1]], axis=3))
    assert found(chaosprep.verify(folder)) == set()
    file = folder / FILES["decathlon"][0]
    data = voxels(file).copy()
    data[..., 1] = 7
    save(file, data)
    assert found(chaosprep.verify(folder)) == {("image-constant", FILES["decathlon"][0])}


@pytest.mark.parametrize("kind", SETS)
def test_a_volume_twice_on_one_side_is_a_warning(tmp_path: Path, kind: str) -> None:
    folder = write(tmp_path, kind, "d_1", patients()[2])
    for file in FILES[kind]:
        shutil.copy(folder / file, folder / file.replace("a_1", "b_1"))
    assert [one for one, _ in codes(folder)] == ["duplicate"]
