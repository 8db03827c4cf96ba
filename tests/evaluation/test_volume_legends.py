"""Volumes are compared by the names that a legend beside them gives, of whatever kind it is."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

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


def segments(names: dict[int, str], voxels: NDArray[np.uint8]) -> bytes:
    """A .seg.nrrd of one layer, its voxels at right angles to the patient."""
    lines = ["NRRD0004", "type: uint8", "dimension: 3", "encoding: raw"]
    lines += [f"sizes: {' '.join(map(str, voxels.shape))}", "space: left-posterior-superior"]
    lines += ["space directions: (1,0,0) (0,1,0) (0,0,1)", "space origin: (0,0,0)"]
    for at, (value, name) in enumerate(names.items()):
        lines += [f"Segment{at}_Name:={name}", f"Segment{at}_LabelValue:={value}"]
        lines += [f"Segment{at}_Layer:=0", f"Segment{at}_ID:=s{at}"]
    return "\n".join([*lines, "", ""]).encode() + voxels.tobytes(order="F")


def test_a_file_that_names_its_structures_is_measured_by_these_names(tmp_path: Path) -> None:
    voxels = np.where(VOXELS == 300, 0, VOXELS).astype(np.uint8)
    other = np.array([0, 2, 1], np.uint8)[voxels]  # the same structures, numbered otherwise
    for side, names, array in (
        ("ref", {1: "liver", 2: "spleen"}, voxels),
        ("pred", {2: "liver", 1: "spleen"}, other),
    ):
        (tmp_path / side).mkdir()
        (tmp_path / side / "case.seg.nrrd").write_bytes(segments(names, array))
    found = chaosprep.evaluate(tmp_path / "pred", tmp_path / "ref")
    assert {row.organ: row.ref_voxels for row in found.results} == {"liver": 30, "spleen": 12}
    assert {row.dice for row in found.results} == {1.0}


def test_a_volume_without_names_means_what_the_reference_does(tmp_path: Path) -> None:
    voxels = np.where(VOXELS == 300, 0, VOXELS).astype(np.uint8)
    for side, names in (("ref", {1: "liver", 2: "spleen"}), ("pred", {})):
        (tmp_path / side).mkdir()
        (tmp_path / side / "case.nrrd").write_bytes(segments(names, voxels))
    found = chaosprep.evaluate(tmp_path / "pred", tmp_path / "ref")
    assert {row.organ: row.dice for row in found.results} == {"liver": 1.0, "spleen": 1.0}
