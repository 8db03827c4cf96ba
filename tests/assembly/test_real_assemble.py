"""Volumes of CHAOS data; skipped where these are not at hand. Nothing of them is kept here."""

from pathlib import Path

import numpy as np
import pytest

import chaosprep
from chaosprep.assembly.assemble import assemble
from tests.exports.volumes import Read, assert_same_place, dice, read_series, read_volume

REAL = Path(__file__).parents[2].parent / "shared" / "real"
MR = REAL / "derived" / "CHAOS_Train_Sets"
CT = REAL / "original"

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="no CHAOS data beside the repository")


def volumes(place: Path, case: str) -> tuple[Read, Read]:
    image, mask = (place / kind / f"{case}.nii.gz" for kind in ("images", "masks"))
    return read_volume(image), read_volume(mask)


@pytest.mark.parametrize(
    ("root", "case", "folder"),
    [
        (CT, "CT003_ct", "Test_Sets/CT/3/DICOM_anon"),  # its z falls with the file order
        (MR, "MR021_t2-spir", "Train_Sets/MR/21/T2SPIR/DICOM_anon"),
    ],
)
def test_voxels_and_places_are_those_of_the_series(
    tmp_path: Path, root: Path, case: str, folder: str
) -> None:
    patient, sequence = case.split("_")
    pairs = chaosprep.split(
        root, tmp_path / "a", sequence=[sequence], patient=[patient], val=0.0, link="sym"
    )
    livers = chaosprep.extract_liver(pairs, tmp_path / "b")
    kept = chaosprep.convert(livers, tmp_path / "c", keep_16bit=True)
    image, mask = volumes(assemble(kept, tmp_path / "d").path, case)
    expected = read_series(root / folder)
    assert np.array_equal(image.voxels, expected.voxels)
    assert_same_place(image, expected)
    assert_same_place(mask, expected)
    areas = [row.pixels["liver"] for row in livers.slices]
    assert [int(plane.sum()) for plane in mask.voxels] == areas


@pytest.mark.parametrize("spacing", [1.5, (3.0, 1.5, 1.5)])
def test_the_liver_of_mr_survives_another_grid(
    tmp_path: Path, spacing: float | tuple[float, float, float]
) -> None:
    pairs = chaosprep.split(MR, tmp_path / "a", patient=["MR005"], val=0.0, link="sym")
    livers = chaosprep.extract_liver(pairs, tmp_path / "b")
    new = chaosprep.convert(livers, tmp_path / "c", spacing=spacing, size="256")
    _, expected = volumes(assemble(livers, tmp_path / "d").path, "MR005_t1-in")
    _, found = volumes(assemble(new, tmp_path / "e").path, "MR005_t1-in")
    assert_same_place(found, expected)
    assert dice(found.voxels == 1, expected.voxels == 1) >= 0.98
