"""Volumes are compared by the names that a legend beside them gives, of whatever kind it is."""

from pathlib import Path

import numpy as np
import pytest

import chaosprep
from chaosprep.errors import ChaosprepError
from tests.formats.test_legends import BIDS, ITK_SNAP, NNUNET, SLICER

nibabel = pytest.importorskip("nibabel")

VOXELS = np.zeros((4, 5, 6), np.uint16)
VOXELS[0], VOXELS[1, :2], VOXELS[2, 0] = 1, 2, 300


def volumes(folder: Path) -> Path:
    for side in ("pred", "ref"):
        (folder / side).mkdir()
        nibabel.save(nibabel.Nifti1Image(VOXELS, np.eye(4)), folder / side / "case.nii.gz")
    return folder


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dataset.json", NNUNET),
        ("a.ctbl", SLICER),
        ("labels.txt", ITK_SNAP),
        ("a.label", ITK_SNAP),
        ("dseg.tsv", BIDS),
    ],
)
@pytest.mark.parametrize("place", [".", "ref"])
def test_a_legend_names_the_structures(tmp_path: Path, place: str, name: str, text: str) -> None:
    volumes(tmp_path)
    (tmp_path / place / name).write_text(text)
    found = chaosprep.evaluate(tmp_path / "pred", tmp_path / "ref")
    sizes = {row.organ: row.ref_voxels for row in found.results}
    assert sizes == {"liver": 30, "right_kidney": 12, "spleen": 6}


def test_two_legends_that_disagree_are_refused(tmp_path: Path) -> None:
    volumes(tmp_path)
    (tmp_path / "dataset.json").write_text('{"labels": {"spleen": 1}}')
    (tmp_path / "a.ctbl").write_text(SLICER)
    with pytest.raises(ChaosprepError, match=r"a\.ctbl: it and dataset\.json disagree about 1"):
        chaosprep.evaluate(tmp_path / "pred", tmp_path / "ref")


def test_a_list_of_names_is_no_legend(tmp_path: Path) -> None:
    volumes(tmp_path)
    (tmp_path / "labels.txt").write_text("liver\nright_kidney\n")
    found = chaosprep.evaluate(tmp_path / "pred", tmp_path / "ref")
    assert [row.organ for row in found.results] == ["label-1", "label-2", "label-300"]
