"""A volume that lies in one picture goes through the whole chain as any other does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Image
from numpy.typing import NDArray
from pydicom import Dataset

import chaosprep
from chaosprep.assembly.assemble import assemble
from chaosprep.errors import ProblemsError
from chaosprep.exports import nnunet
from tests.formats.mosaics import COLS, ROWS, SPACING, Stack, siemens, united_imaging
from tests.formats.samples import encoded

IMAGES, MASKS = "scans/{patient}/{slice}.dcm", "labels/{patient}.nii.gz"
MAKERS: dict[str, Callable[[Stack], Dataset]] = {
    "Siemens": siemens,
    "United Imaging": united_imaging,
}
PEOPLE = {"a": 7, "b": 9}
"""Patient -> how many slices."""


def affine(stack: Stack) -> NDArray[np.float64]:
    """Of (col, row, slice) to NIfTI's space, whose first two axes point the other way."""
    made = np.eye(4)
    made[:3, 0] = np.array(stack.orientation[:3]) * SPACING[1]
    made[:3, 1] = np.array(stack.orientation[3:]) * SPACING[0]
    made[:3, 2] = stack.normal * stack.step
    made[:3, 3] = stack.first
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ made


def volume(voxels: NDArray[np.generic], stack: Stack) -> Any:  # noqa: ANN401
    """(slices, rows, cols) as NIfTI."""
    return Nifti1Image(np.transpose(voxels, (2, 1, 0)), affine(stack))  # type: ignore[no-untyped-call]


def labels(stack: Stack) -> NDArray[np.uint8]:
    """(slices, rows, cols), unlike in every slice."""
    return (stack.voxels % 2).astype(np.uint8)


def stacks(side: float) -> dict[str, Stack]:
    return {
        name: Stack(count, side=side, changes={"PatientID": name, "PatientName": f"Test^{name}"})
        for name, count in PEOPLE.items()
    }


@pytest.fixture(params=[(maker, side) for maker in MAKERS for side in (1.0, -1.0)], ids=str)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    maker, side = request.param
    for name, stack in stacks(side).items():
        (tmp_path / "root/scans" / name).mkdir(parents=True)
        (tmp_path / "root/labels").mkdir(exist_ok=True)
        (tmp_path / "root/scans" / name / "all.dcm").write_bytes(encoded(MAKERS[maker](stack)))
        volume(labels(stack), stack).to_filename(tmp_path / f"root/labels/{name}.nii.gz")
    (tmp_path / "root/side").write_text(str(side))
    return tmp_path / "root"


def split(root: Path, output: Path) -> chaosprep.Dataset:
    return chaosprep.split(
        root, output, images=IMAGES, masks=MASKS, labels="1=liver", val_patient=["b"]
    )


def same(file: Path, voxels: NDArray[np.generic], stack: Stack) -> None:
    images: Any = nibabel.load(file), volume(voxels, stack)
    found, expected = map(nibabel.as_closest_canonical, images)
    np.testing.assert_array_equal(np.asarray(found.dataobj), np.asarray(expected.dataobj))
    np.testing.assert_allclose(found.affine, expected.affine, atol=1e-3)


def test_its_slices_are_rows_with_their_frames(root: Path, tmp_path: Path) -> None:
    made = split(root, tmp_path / "out")
    for name, stack in stacks(float((root / "side").read_text())).items():
        rows = [row for row in made.slices if row.patient == name]
        frames = range(stack.count) if stack.side > 0 else range(stack.count)[::-1]
        assert [row.frame for row in rows] == list(frames)
        places = np.array([row.position for row in rows])
        np.testing.assert_allclose(places, np.array(stack.positions)[list(frames)], atol=1e-6)
        assert {(row.rows, row.cols) for row in rows} == {(ROWS, COLS)}
        assert {row.spacing for row in rows} == {(5.5, *SPACING)}
        assert {row.warnings for row in rows} == {()}
        (file,) = {row.image for row in rows}
        assert (tmp_path / "out" / file).read_bytes() == (
            root / "scans" / name / "all.dcm"
        ).read_bytes()


def test_exports_and_masks_lie_where_the_slices_do(root: Path, tmp_path: Path) -> None:
    made = chaosprep.extract_labels(split(root, tmp_path / "out"), tmp_path / "labelled")
    raw = nnunet.export(made, tmp_path / "raw").path
    back = assemble(made, tmp_path / "back").path
    for name, stack in stacks(float((root / "side").read_text())).items():
        (image,) = raw.rglob(f"imagesT?/{name}_*.nii.gz")
        same(image, stack.voxels, stack)
        (mask,) = raw.rglob(f"labelsT?/{name}_*.nii.gz")
        same(mask, labels(stack), stack)
        for kind, voxels in (("images", stack.voxels), ("masks", labels(stack))):
            (again,) = (back / kind).glob(f"{name}_*.nii.gz")
            same(again, voxels, stack)


def test_pictures_are_those_of_its_slices(root: Path, tmp_path: Path) -> None:
    made = chaosprep.convert(split(root, tmp_path / "out"), tmp_path / "png", keep_16bit=True)
    for name, stack in stacks(float((root / "side").read_text())).items():
        rows = [row for row in made.slices if row.patient == name]
        frames = range(stack.count) if stack.side > 0 else range(stack.count)[::-1]
        found = np.stack([made.image(row) for row in rows])
        np.testing.assert_array_equal(found, stack.voxels[list(frames)])


def test_mosaics_of_several_times_are_not_one_volume(tmp_path: Path) -> None:
    for number in (1, 2):
        changes = {
            "AcquisitionNumber": number,
            "SOPInstanceUID": f"2.25.{number}",
            "PatientID": "a",
        }
        (tmp_path / "root/scans/a").mkdir(parents=True, exist_ok=True)
        data = encoded(siemens(Stack(7, changes=changes)))
        (tmp_path / f"root/scans/a/{number}.dcm").write_bytes(data)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(tmp_path / "root", tmp_path / "out", images=IMAGES, val=0)
    assert [problem.code for problem in caught.value.problems] == ["volumes"]
    assert "14 frames are 7 positions x 2 volumes; they differ in AcquisitionNumber" in str(
        caught.value
    )
