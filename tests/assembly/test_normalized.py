"""Volumes of normalized slices: as they are, or in the units from before."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.assembly.assemble import assemble
from chaosprep.errors import ProblemsError
from chaosprep.phantom import Patient, write_chaos
from tests.exports.volumes import read_volume
from tests.stages.normalized import METHODS, Method, Normal, stored, told
from tests.stages.scanners import change, files

CASE = "MR006_t1-in"


@pytest.mark.parametrize("method", METHODS)
def test_a_volume_has_the_normalized_values(
    normalized: Normal, tmp_path: Path, method: Method
) -> None:
    made = assemble(normalized[method], tmp_path / "out").path
    found = read_volume(made / f"images/{CASE}.nii.gz").voxels
    assert np.allclose(found, told(normalized[method], CASE), atol=1e-5)


@pytest.mark.parametrize("how", [{}, {"size": "80"}, {"format": "npy"}])
@pytest.mark.parametrize("method", METHODS)
def test_undone_it_has_the_units_from_before(
    scanners: Dataset, tmp_path: Path, method: Method, how: dict[str, Any]
) -> None:
    made = chaosprep.convert(scanners, tmp_path / "n", normalize=method, **how)
    back = assemble(made, tmp_path / "out", undo_normalization=True).path
    found = read_volume(back / f"images/{CASE}.nii.gz").voxels
    row = made.case(CASE).slices[0]
    assert row.normalization
    steepest = (np.diff(row.normalization.start) / np.diff(row.normalization.end)).max()
    error = (row.slope / 2 if row.dtype == "uint16" else 2e-5) * steepest + 1e-3
    assert np.abs(found - stored(scanners, CASE)).max() <= error


def test_exports_of_volumes_have_the_normalized_values(normalized: Normal, tmp_path: Path) -> None:
    made = chaosprep.export("nifti", normalized["nyul"], tmp_path / "out").path
    (file,) = made.glob("sub-MR006/anat/*_T1w.nii.gz")
    found = read_volume(file).voxels
    assert np.allclose(found, told(normalized["nyul"], CASE), atol=1e-5)


def test_of_monochrome1_the_units_from_before_make_no_volume(tmp_path: Path) -> None:
    root = write_chaos(
        tmp_path / "root", [Patient(id=1, slices=3, matrix=32, sequences=("t1-in",))]
    )
    for path in files(root, 1):
        header: dict[str, Any] = {
            "PhotometricInterpretation": "MONOCHROME1",
            "BitsStored": 12,
            "HighBit": 11,
        }
        change(path, lambda values: 4095 - values, **header)
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0.0)
    made = chaosprep.convert(pairs, tmp_path / "n", normalize="zscore")
    assemble(made, tmp_path / "kept")
    with pytest.raises(ProblemsError, match="negative of its slices"):
        assemble(made, tmp_path / "out", undo_normalization=True)
