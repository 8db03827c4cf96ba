"""Split says what a later stage would meet: skewed axes, tilted gantries, missing slices."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray
from pydicom import Dataset as Header
from pydicom import dcmread

import chaosprep
from chaosprep.assembly.assemble import assemble
from chaosprep.errors import ProblemsError
from chaosprep.phantom import Patient, write_chaos
from tests.exports.volumes import read_series, read_volume
from tests.formats.samples import dicom
from tests.imaging.turning import cosines_of, rotation
from tests.layouts.trees import nifti, write

FOLDER = "Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase"
MATRIX, SLICES = 64, 5
Change = Callable[[Sequence[Header]], None]


def scanned(place: Path, change: Change) -> Path:
    """A patient whose headers, in the order of the files, were changed."""
    root = write_chaos(place, [Patient(id=1, slices=SLICES, matrix=MATRIX, sequences=("t1-in",))])
    paths = sorted((root / FOLDER).iterdir())
    headers = [dcmread(path) for path in paths]
    change(headers)
    for path, header in zip(paths, headers, strict=True):
        header.save_as(path)
    return root


def lie(headers: Sequence[Header], axes: NDArray[np.float64], step: NDArray[np.float64]) -> None:
    """Lay slices along a step, mm; cosines as given, to eight decimals."""
    for number, header in enumerate(headers):
        header.ImageOrientationPatient = [f"{value:.8f}" for value in cosines_of(axes)]
        header.ImagePositionPatient = [f"{value:.4f}" for value in number * step - 90.0]


def askew(by: float) -> Change:
    """Turned in space, and the columns lean against the rows by this cosine."""

    def change(headers: Sequence[Header]) -> None:
        axes = rotation(20, -35, 5)
        step = 5.5 * axes[:, 2]
        axes[:, 1] += by * axes[:, 0]
        lie(headers, axes, step)

    return change


def tilted(degrees: float) -> Change:
    def change(headers: Sequence[Header]) -> None:
        lie(headers, rotation(degrees, 0, 0), np.array([0, 0, 5.5]))

    return change


def shortened(headers: Sequence[Header]) -> None:
    """The last slice lies two steps behind the one before."""
    for number, header in enumerate(headers):
        header.ImagePositionPatient = [-90, -90, 5.5 * (number + (number == SLICES - 1))]


@pytest.mark.parametrize("by", [3e-5, -4e-4])
def test_what_is_orthogonal_enough_goes_all_the_way(tmp_path: Path, by: float) -> None:
    root = scanned(tmp_path / "root", askew(by))
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0)
    kept = chaosprep.convert(
        chaosprep.extract_liver(pairs, tmp_path / "livers"), tmp_path / "kept", keep_16bit=True
    )
    for made in (pairs, kept):
        for row in made.slices:
            assert row.orientation is not None
            rows, cols = np.reshape(row.orientation, (2, 3))
            assert np.allclose([rows @ rows, cols @ cols, rows @ cols], [1, 1, 0], atol=1e-11)
            assert row.warnings[0].startswith("ImageOrientationPatient was not quite at right")
        assert chaosprep.verify(made.directory).faults == ()
    exported = chaosprep.export("nifti", kept, tmp_path / "nifti")
    (volume,) = exported.path.rglob("*_T1w.nii.gz")
    assembled = assemble(kept, tmp_path / "volumes").path / "images/MR001_t1-in.nii.gz"
    expected = read_series(root / FOLDER)
    for file in (volume, assembled):
        assert np.array_equal(read_volume(file).voxels, expected.voxels)
        assert farthest_corner(file, root / FOLDER) < 0.05 * 400 / MATRIX


@pytest.mark.parametrize("drawn", ["as written", "orthogonal", "turned"])
def test_a_mask_may_lie_on_the_written_grid_or_on_the_orthogonal_one(
    tmp_path: Path, drawn: str
) -> None:
    size, cosines = 250, (1.0, 0.0, 0.0, 2e-5, 1.0, 0.0)
    half, turn = 1e-5, np.radians(1)
    axes = {
        "as written": cosines,
        "orthogonal": (1.0, -half, 0.0, half, 1.0, 0.0),
        "turned": (np.cos(turn), -np.sin(turn), 0.0, np.sin(turn), np.cos(turn), 0.0),
    }[drawn]
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = axes[:3], axes[3:]
    labels = np.zeros((size, size, 2), np.uint8)
    labels[40, 7, 1] = 3  # column, row, slice
    pixels = np.ones((size, size), np.uint16)
    files = {"masks/1.nii": nifti(labels, np.diag([-1, -1, 1, 1]) @ affine)}
    for z in (0, 1):
        place: dict[str, Any] = {"ImagePositionPatient": [0, 0, z], "PixelSpacing": [1, 1]}
        orientation = {"ImageOrientationPatient": list(cosines)}
        files[f"scans/1/{z}.dcm"] = dicom(pixels, **place, **orientation)
    root = write(tmp_path / "root", files)
    where: dict[str, Any] = {
        "images": "scans/{patient}/{slice}.dcm",
        "masks": "masks/{patient}.nii",
        "val": 0,
    }
    if drawn == "turned":
        with pytest.raises(ProblemsError) as caught:
            chaosprep.split(root, tmp_path / "pairs", **where)
        assert {problem.code for problem in caught.value.problems} == {"mask-grid"}
        return
    _, row = chaosprep.split(root, tmp_path / "pairs", **where).slices
    mask = cv2.imread(str(tmp_path / "pairs" / str(row.mask)), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    assert [(int(r), int(c)) for r, c in np.argwhere(mask == 3)] == [(7, 40)]


def farthest_corner(file: Path, folder: Path) -> float:
    """Between a volume's voxels and what the headers say themselves, mm."""
    image = SimpleITK.ReadImage(str(file))
    apart = []
    for number, path in enumerate(sorted(folder.iterdir())):
        header = dcmread(path)
        right, down = np.reshape(np.array(header.ImageOrientationPatient, float), (2, 3))
        for row, col in np.ndindex(2, 2):
            at = row * (MATRIX - 1), col * (MATRIX - 1)
            steps = down * at[0] * header.PixelSpacing[0] + right * at[1] * header.PixelSpacing[1]
            there = np.array(header.ImagePositionPatient, float) + steps
            here = image.TransformIndexToPhysicalPoint((at[1], at[0], number))
            apart.append(np.linalg.norm(np.array(here) - there))
    return float(max(apart))


def test_rows_and_columns_that_are_not_at_right_angles_are_refused_at_once(tmp_path: Path) -> None:
    root = scanned(tmp_path / "root", askew(0.02))
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(root, tmp_path / "pairs", val=0)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file) == ("orientation-skewed", FOLDER)
    assert problem.reason == "rows and columns are not at right angles: 88.85 degrees"
    assert chaosprep.inspect(root).problems == (problem,)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (tilted(7), "sheared", "the stack leans by 7 degrees (a tilted gantry), 0.429 pixels"),
        (tilted(-2), "sheared", "the stack leans by 2 degrees (a tilted gantry), 0.123 pixels"),
        (shortened, "gap", "1 uneven step of 4 between slices (11 mm after slice 3; 5.5 mm"),
    ],
)
def test_what_the_export_will_refuse_is_said_by_inspect_and_split(
    tmp_path: Path, change: Change, code: str, said: str
) -> None:
    root = scanned(tmp_path / "root", change)
    (view,) = chaosprep.inspect(root).cases
    (warning,) = view.warnings
    assert warning.startswith(said)
    assert warning.endswith(f": export and assemble refuse it as a volume ({code})")
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0)
    assert {row.warnings for row in pairs.slices} == {view.warnings}
    livers = chaosprep.extract_liver(pairs, tmp_path / "livers")
    with pytest.raises(ProblemsError) as caught:
        chaosprep.export("nifti", livers, tmp_path / "nifti")
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_tilt_below_a_twentieth_of_a_pixel_is_nothing(tmp_path: Path) -> None:
    """0.5 degrees over 22 mm are 0.19 mm, of pixels of 6.25."""
    root = scanned(tmp_path / "root", tilted(0.5))
    assert chaosprep.inspect(root).cases[0].warnings == ()
    livers = chaosprep.extract_liver(
        chaosprep.split(root, tmp_path / "pairs", val=0), tmp_path / "livers"
    )
    assert chaosprep.export("nifti", livers, tmp_path / "nifti").cases == 1


@pytest.mark.parametrize("by", [3e-4, 7e-4])
def test_a_pixel_spacing_that_split_takes_is_no_other_one_to_an_export(
    tmp_path: Path, by: float
) -> None:
    """Over 64 pixels the second of them is 0.045 pixels."""

    def change(headers: Sequence[Header]) -> None:
        headers[2].PixelSpacing = [float(mm) * (1 + by) for mm in headers[2].PixelSpacing]

    root = scanned(tmp_path / "root", change)
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0)
    assert {row.warnings for row in pairs.slices} == {()}
    livers = chaosprep.extract_liver(pairs, tmp_path / "livers")
    assert chaosprep.export("nifti", livers, tmp_path / "nifti").cases == 1


def test_a_report_among_the_slices_does_not_take_their_order(tmp_path: Path) -> None:
    """A file without a position that comes first by InstanceNumber."""

    def change(headers: Sequence[Header]) -> None:
        del headers[2].ImagePositionPatient
        for number, header in enumerate(headers):
            header.InstanceNumber = len(headers) - number

    root = scanned(tmp_path / "root", change)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(root, tmp_path / "stopped", val=0)
    (problem,) = caught.value.problems
    assert problem.code == "position-missing"
    made = chaosprep.split(root, tmp_path / "pairs", val=0, on_error="skip")
    heights = [row.position[2] for row in made.slices if row.position]
    assert len(heights) == SLICES - 1
    assert heights == sorted(heights)
