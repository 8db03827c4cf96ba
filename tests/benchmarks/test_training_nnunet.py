"""What nnU-Net predicts comes to the scanner's pixels as our own predictions do."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

pytest.importorskip("torch")

import chaosprep
from benchmarks.training.nnunet_way import gathered
from chaosprep.phantom import Patient, write_chaos


@pytest.fixture
def cropped(tmp_path: Path) -> chaosprep.Dataset:
    """Two patients whose slices lose an edge on every side, masks of four organs."""
    phantoms = [Patient(id=id, slices=3, matrix=40, sequences=("t1-in",)) for id in (1, 2)]
    root = write_chaos(tmp_path / "root", phantoms)
    pairs = chaosprep.split(root, tmp_path / "pairs", val_patient=("MR002",))
    masks = chaosprep.extract_liver(pairs, tmp_path / "masks", all_organs=True)
    return chaosprep.convert(masks, tmp_path / "images", size="32", keep_16bit=True)


def test_a_perfect_prediction_becomes_what_assemble_makes_of_the_masks(
    cropped: chaosprep.Dataset, tmp_path: Path
) -> None:
    exported = chaosprep.export("nnunet", cropped, tmp_path / "raw", id=101).path
    model = tmp_path / "results/Dataset101/trainer"
    validation = model / "fold_0/validation"
    validation.mkdir(parents=True)
    shutil.copy(exported / "dataset.json", model)
    (label,) = (exported / "labelsTr").glob("MR002*")
    shutil.copy(label, validation)

    (found,) = gathered(tmp_path / "results", cropped, tmp_path).glob("*.nii.gz")
    chaosprep.assemble(cropped, tmp_path / "ours")
    expected = SimpleITK.ReadImage(tmp_path / "ours/masks" / found.name)
    image = SimpleITK.ReadImage(found)
    assert image.GetSize() == (40, 40, 3)
    assert image.GetOrigin() == expected.GetOrigin()
    voxels, truth = map(SimpleITK.GetArrayFromImage, (image, expected))
    assert len(np.unique(truth)) == 5
    np.testing.assert_array_equal(voxels, truth)
