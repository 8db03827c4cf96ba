"""What is written is read back; what differs is an error, never a dataset."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from chaosprep import Dataset
from chaosprep.errors import FileError, OutputError, ProblemsError
from chaosprep.exports import monai, nifti, nnunet, volumes
from chaosprep.exports.volumes import Task
from chaosprep.formats import nifti as nifti_format
from chaosprep.formats.nifti import write_checked, write_nifti
from chaosprep.imaging.space.lattice import Lattice, Volume


def changed(volume: Volume) -> Volume:
    voxels = volume.voxels.copy()
    voxels[0, 0, 0] ^= 1
    return Volume(voxels, volume.lattice)


def moved(volume: Volume) -> Volume:
    at = volume.lattice
    return Volume(volume.voxels, Lattice(at.shape, at.origin + np.array([0.002, 0, 0]), at.steps))


def wider(volume: Volume) -> Volume:
    return Volume(volume.voxels.astype(np.int32), volume.lattice)


@pytest.mark.parametrize("fault", [changed, moved, wider])
def test_a_volume_that_is_not_as_written_is_a_problem_of_its_case(
    livers: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Volume], Volume],
) -> None:
    def faulty(file: Path, volume: Volume) -> None:
        write_nifti(file, fault(volume) if file.name.startswith("MR002") else volume)

    monkeypatch.setattr(nifti_format, "write_nifti", faulty)
    with pytest.raises(ProblemsError) as error:
        nnunet.export(livers, tmp_path)
    assert [(one.id, one.code) for one in error.value.problems] == [
        ("MR002_t1-in", "not-as-written")
    ]
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("module", [nnunet, nifti, monai])
def test_a_description_that_is_not_as_written_leaves_nothing(
    livers: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType
) -> None:
    monkeypatch.setattr(volumes, "write_json", lambda file, value: file.write_text("{}"))
    with pytest.raises(FileError) as error:
        module.export(livers, tmp_path / "out")
    assert error.value.code == "not-as-written"
    assert not list(tmp_path.glob("out/*"))
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("module", [nnunet, nifti, monai])
def test_a_volume_that_is_lost_or_surplus_leaves_nothing(
    livers: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType
) -> None:
    whole = module.write_studies

    def losing(tasks: list[Task], *rest: Any) -> object:
        made = whole(tasks, *rest)
        (tasks[0].folder / tasks[0].label).unlink()
        return made

    def adding(tasks: list[Task], *rest: Any) -> object:
        (tasks[0].folder / "more.nii.gz").write_bytes(b"")
        return whole(tasks, *rest)

    for fault in (losing, adding):
        monkeypatch.setattr(module, "write_studies", fault)
        with pytest.raises(FileError) as error:
            module.export(livers, tmp_path / "out")
        assert error.value.code == "not-as-written"
        assert not list(tmp_path.glob("out/*"))


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "v.nii.gz").mkdir()
    volume = Volume(np.zeros((2, 3, 4), np.uint8), Lattice((2, 3, 4), np.zeros(3), np.eye(3)))
    with pytest.raises(OutputError, match=r"v\.nii\.gz: cannot be written \(Is a directory\)"):
        write_checked(tmp_path / "v.nii.gz", volume)
