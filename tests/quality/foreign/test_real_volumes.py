"""A patient of CHAOS under another's name in nnU-Net's layout; skipped where the data are not."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

import chaosprep
from tests.stages.test_real_data import DERIVED, REAL

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="no CHAOS data beside the repository")
ONE, OTHER = "MR001_t1-in", "MR010_t1-in"
Voxels = NDArray[Any]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six patients in three folds, of which the two are in different ones. Read only."""
    place = tmp_path_factory.mktemp("real")
    pairs = chaosprep.split(DERIVED, place / "s", folds=3)
    made = chaosprep.export("nnunet", chaosprep.extract_liver(pairs, place / "l"), place / "raw")
    return made.path


def planted(exported: Path, place: Path, change: Callable[[Voxels], Voxels]) -> Path:
    """The same with one patient's volume, changed, in the place of another's."""
    shutil.copytree(exported, place)
    for folder, name in (("imagesTr", "{}_0000.nii.gz"), ("labelsTr", "{}.nii.gz")):
        volume: Any = nibabel.load(place / folder / name.format(ONE))
        voxels = np.ascontiguousarray(change(np.asarray(volume.dataobj)))
        if folder == "labelsTr":
            voxels = voxels.round().astype(np.uint8)
        image = nibabel.Nifti1Image(voxels, volume.affine)  # type: ignore[no-untyped-call]
        nibabel.save(image, place / folder / name.format(OTHER))
    return place


def noisy(voxels: Voxels) -> Voxels:
    if voxels.max() < 5:
        return voxels
    added = np.random.default_rng(0).normal(0, 0.02 * voxels.std(), voxels.shape)
    return np.asarray((voxels + added).astype(voxels.dtype))


def test_six_patients_are_no_doubles_of_each_other(exported: Path) -> None:
    verdict = chaosprep.verify(exported)
    assert (verdict.faults, verdict.warnings) == ((), ())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda voxels: voxels, "leakage"),
        (lambda voxels: voxels.astype(np.float32), "leakage"),
        (lambda voxels: voxels[::-1], "near-duplicate"),
        (lambda voxels: voxels[:, :, ::-1], "leakage"),
        (lambda voxels: voxels[10:-10, 8:-8], "near-duplicate"),
        (noisy, "near-duplicate"),
    ],
    ids=["the same", "as float", "mirrored", "slices reversed", "cropped", "noisy"],
)
def test_a_patient_under_two_names_is_found_and_nothing_else(
    exported: Path, tmp_path: Path, change: Callable[[Voxels], Voxels], code: str
) -> None:
    verdict = chaosprep.verify(planted(exported, tmp_path / "planted", change))
    (found,) = [one for one in (*verdict.faults, *verdict.warnings) if one.code != "mask-float"]
    assert (found.code, found.id) == (code, ONE)
    assert OTHER in found.reason
