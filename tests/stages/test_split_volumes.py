"""split with masks as NRRD and MetaImage, voxels beside their header, too."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import SimpleITK

import chaosprep
from chaosprep.errors import ProblemsError
from chaosprep.layouts import folder
from chaosprep.layouts.layout import Where
from tests.formats.itk_volumes import itk
from tests.layouts.trees import labels_at, two_trees, write

IMAGES = "scans/{patient}/{slice}.dcm"
NUMBERS = {"7": 1, "12": 2}
LPS_AFFINE = np.diag([-1.5, -1.25, 5.5, 1])  # to RAS, of the sample's grid
LPS_AFFINE[:3, 3] = 10, 20, 0


def tree(tmp_path: Path, ending: str, compressed: bool = True) -> Path:
    """Two patients of three slices, their masks as SimpleITK writes them."""
    root = write(tmp_path / "root", two_trees(masks=None))
    (root / "labels").mkdir()
    for name, number in NUMBERS.items():
        voxels = np.stack([labels_at(place, number) for place in range(3)]).T
        said = {"Segment0_Name": "note"} if ending == ".mha" else {}
        itk(
            root / "labels",
            f"{name}{ending}",
            voxels,
            LPS_AFFINE,
            compressed=compressed,
            said=said,
        )
    return root


@pytest.mark.parametrize("ending", [".nrrd", ".seg.nrrd", ".nhdr", ".mha", ".mhd"])
@pytest.mark.parametrize("compressed", [True, False])
def test_masks_are_label_pngs_of_their_slices(
    tmp_path: Path, ending: str, compressed: bool
) -> None:
    root = tree(tmp_path, ending, compressed)
    masks = f"labels/{{patient}}{ending}"
    made = chaosprep.split(root, tmp_path / "out", val=0.5, images=IMAGES, masks=masks)
    assert len(made.slices) == 6
    for row in made.slices:
        assert row.mask is not None
        labels = cv2.imread(str(made.directory / row.mask), cv2.IMREAD_UNCHANGED)
        assert labels is not None
        number = {"P007": 1, "P012": 2}[row.patient]
        assert np.array_equal(labels, labels_at(row.slice, number))


@pytest.mark.parametrize("ending", [".nrrd", ".seg.nrrd", ".nhdr", ".mhd"])
def test_a_folder_of_them_needs_no_ending_in_the_pattern(tmp_path: Path, ending: str) -> None:
    root = tree(tmp_path, ending)
    made = chaosprep.split(root, tmp_path / "out", val=0.5, images=IMAGES, masks="labels/{patient}")
    assert len(made.slices) == 6


def test_voxels_that_are_nobodys_are_a_mask_too_many(tmp_path: Path) -> None:
    root = tree(tmp_path, ".mhd")
    (root / "labels/7.raw").write_bytes(b"")
    found = folder.find(root, Where(IMAGES, "labels/{patient}"))
    assert [problem.code for problem in found.problems] == ["mask-several"]


def inputs(root: Path) -> list[str]:
    return [
        case.inputs() for case in folder.find(root, Where(IMAGES, "labels/{patient}.mhd")).cases
    ]


def test_voxels_beside_their_header_are_input_of_the_case(tmp_path: Path) -> None:
    root = tree(tmp_path, ".mhd", compressed=False)
    before, raw = inputs(root), root / "labels/7.raw"
    raw.write_bytes(raw.read_bytes()[::-1])
    assert [one == other for one, other in zip(before, inputs(root), strict=True)] == [False, True]


def test_missing_voxels_are_one_problem_of_the_mask(tmp_path: Path) -> None:
    root = tree(tmp_path, ".mhd")
    (root / "labels/7.zraw").unlink()
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(
            root, tmp_path / "out", val=0.5, images=IMAGES, masks="labels/{patient}.mhd"
        )
    (problem,) = caught.value.problems
    assert (problem.code, problem.file) == ("mask-beside", "labels/7.mhd")


@pytest.mark.parametrize("ending", [".nrrd", ".seg.nrrd", ".nhdr", ".mha", ".mhd"])
def test_they_are_evaluated_by_their_stems(tmp_path: Path, ending: str) -> None:
    """Beside NIfTI of the same names, written by SimpleITK too."""
    pred, ref = tree(tmp_path, ending) / "labels", tmp_path / "ref"
    ref.mkdir()
    for name in NUMBERS:
        image = SimpleITK.ReadImage(str(pred / f"{name}{ending}"))
        SimpleITK.WriteImage(image, str(ref / f"{name}.nii.gz"))
    found = chaosprep.evaluate(pred, ref)
    assert {row.case for row in found.results} == {"7", "12"}
    assert {row.dice for row in found.results} == {1.0}
