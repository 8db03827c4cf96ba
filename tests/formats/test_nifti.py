"""NIfTI: what is written is read again, where it was, by us and by SimpleITK."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosprep.errors import FileError
from chaosprep.formats.nifti import read_nifti, write_checked, write_nifti
from chaosprep.imaging.space.lattice import Lattice, Volume, stack_lattice
from tests.imaging.turning import cosines_of, rotation

OBLIQUE = (0.8, 0.6, 0.0, 0.0, 0.0, -1.0)


def volume(kind: str = "u2") -> Volume:
    voxels = np.random.default_rng(0).integers(0, 200, (4, 5, 6)).astype(kind)
    return Volume(voxels, stack_lattice((4, 5, 6), (1.5, -200.25, 33.5), OBLIQUE, (5.5, 1.9, 1.2)))


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz"])
@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "f4"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str, kind: str) -> None:
    file = tmp_path / name
    written = volume(kind)
    write_nifti(file, written)
    found = read_nifti(file.read_bytes())
    assert found.voxels.dtype == written.voxels.dtype
    assert (found.voxels == written.voxels).all()
    assert found.lattice.differs_by(written.lattice) < 1e-3


@given(st.permutations((0, 1, 2)), st.floats(-3, 3), st.integers(0, 7))
def test_simpleitk_finds_each_voxel_where_it_lies(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], angle: float, flips: int
) -> None:
    cos, sin = np.cos(angle), np.sin(angle)
    axes = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])[:, order]
    axes = axes * [-1 if flips >> axis & 1 else 1 for axis in range(3)]
    lattice = Lattice((4, 5, 6), np.array([3.0, -20.0, 7.0]), axes * [5.5, 1.9, 1.2])
    file = tmp_path_factory.mktemp("n") / "v.nii"
    write_nifti(file, Volume(volume().voxels, lattice))
    image = SimpleITK.ReadImage(str(file))
    place = image.TransformIndexToPhysicalPoint((3, 2, 1))  # col, row, slice
    assert np.allclose(place, lattice.origin + lattice.steps @ (1, 2, 3), atol=1e-3)
    assert image[3, 2, 1] == volume().voxels[1, 2, 3]


def test_the_same_volume_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(tmp_path / name, volume())
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


@st.composite
def stacks(draw: st.DrawFn) -> Lattice:
    """Any rotation, its cosines rounded as headers have them; any spacing, size and place."""
    cosines = cosines_of(rotation(*draw(st.tuples(*[st.floats(-180, 180)] * 3))))
    rounded = np.round(cosines, draw(st.integers(3, 8))).tolist()
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 700), st.integers(1, 700)))
    spacing = draw(st.tuples(*[st.floats(0.3, 5)] * 3))
    return stack_lattice(shape, draw(st.tuples(*[st.floats(-9999, 9999)] * 3)), rounded, spacing)


@settings(max_examples=60)
@given(stacks())
def test_where_voxels_lie_never_blames_the_disk(
    tmp_path_factory: pytest.TempPathFactory, lattice: Lattice
) -> None:
    """A volume lies where it should, to a twentieth of a pixel, or is refused by name."""
    file = tmp_path_factory.mktemp("n") / "v.nii"
    volume = Volume(np.zeros(lattice.shape, np.uint8), lattice)
    if lattice.squared().differs_by(lattice) >= 0.05 * min(lattice.spacing[1:]):
        with pytest.raises(FileError, match="right angles"):
            write_checked(file, volume)
        return
    write_checked(file, volume)
    image = SimpleITK.ReadImage(str(file))
    for k, j, i in product(*((0, size - 1) for size in lattice.shape)):
        off = image.TransformIndexToPhysicalPoint((i, j, k)) - (
            lattice.origin + lattice.steps @ (k, j, i)
        )
        # float32 at 10 m is exact to 1e-3 mm.
        assert np.linalg.norm(off) < 0.05 * min(lattice.spacing[1:]) + 3e-3


@pytest.mark.parametrize(("by", "refused"), [(1e-5, False), (1e-4, False), (1e-3, True)])
def test_axes_are_squared_where_no_voxel_moves_by_a_twentieth_of_a_pixel(
    tmp_path: Path, by: float, refused: bool
) -> None:
    lattice = stack_lattice((2, 300, 300), (0, 0, 0), (1, 0, 0, by, 1, 0), (2.0, 0.7, 0.7))
    written = Volume(np.zeros(lattice.shape, np.uint8), lattice)
    file = tmp_path / "v.nii"
    if refused:
        with pytest.raises(FileError, match="right angles"):
            write_checked(file, written)
        return
    write_checked(file, written)
    assert read_nifti(file.read_bytes()).lattice.differs_by(lattice) < 0.05 * 0.7


def test_far_from_the_origin_the_steps_of_float32_are_allowed(tmp_path: Path) -> None:
    """At 100 m they are 0.008 mm, and no fault of the disk."""
    origin = (99999.1234, -99999.1236, 99999.1237)
    lattice = stack_lattice((2, 3, 4), origin, OBLIQUE, (5.0, 0.7, 0.7))
    written = Volume(np.zeros(lattice.shape, np.uint8), lattice)
    assert np.abs(np.array(origin, np.float32) - np.array(origin)).max() > 1e-3
    write_checked(tmp_path / "v.nii", written)
    image = SimpleITK.ReadImage(str(tmp_path / "v.nii"))
    assert np.allclose(image.GetOrigin(), origin, rtol=0, atol=4e-3)


def test_a_sheared_stack_is_refused_by_name(tmp_path: Path) -> None:
    steps = np.array([[0.0, 0, 1], [2, 1, 0], [5, 0, 0]])
    with pytest.raises(FileError) as error:
        write_nifti(
            tmp_path / "v.nii", Volume(volume().voxels, Lattice((4, 5, 6), steps[0], steps))
        )
    assert error.value.code == "sheared"
