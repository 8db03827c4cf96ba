"""Volumes of CHAOS data lie where SimpleITK reads them; skipped where the data are not there."""

from pathlib import Path

import pytest
import SimpleITK

import chaosprep
from chaosprep.exports import nifti, nnunet
from tests.exports.seen import same_volume, series, voxels
from tests.stages.test_real_data import DERIVED, ORIGINAL, REAL

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="no CHAOS data beside the repository")


@pytest.mark.parametrize("patient", ["1", "21"])
def test_real_mr_lies_where_simpleitk_reads_it(patient: str, tmp_path: Path) -> None:
    pairs = chaosprep.split(
        DERIVED,
        tmp_path / "s",
        sequence=["t1-in", "t1-out"],
        patient=[f"MR{int(patient):03d}"],
        val=0,
    )
    made = nnunet.export(chaosprep.extract_liver(pairs, tmp_path / "l"), tmp_path / "raw")
    for channel, phase in enumerate(("InPhase", "OutPhase")):
        folder = DERIVED / f"Train_Sets/MR/{patient}/T1DUAL/DICOM_anon/{phase}"
        file = made.path / f"imagesTr/MR{int(patient):03d}_t1_000{channel}.nii.gz"
        assert same_volume(file, series(folder))


def test_real_ct_lies_where_simpleitk_reads_it_and_its_liver_is_liver(tmp_path: Path) -> None:
    pairs = chaosprep.split(ORIGINAL, tmp_path / "s", sequence=["ct"])
    made = nifti.export(chaosprep.extract_liver(pairs, tmp_path / "l"), tmp_path / "out")
    stem = made.path / "sub-CT003/anat/sub-CT003_acq-ct"
    assert same_volume(Path(f"{stem}_ct.nii.gz"), series(ORIGINAL / "Test_Sets/CT/3/DICOM_anon"))
    image, label = voxels(Path(f"{stem}_ct.nii.gz")), voxels(Path(f"{stem}_dseg.nii.gz"))
    assert 138 <= image[label == 1].mean() <= 144
    assert SimpleITK.ReadImage(f"{stem}_ct.nii.gz").GetSpacing()[2] == pytest.approx(2.0)
