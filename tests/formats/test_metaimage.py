"""MetaImage volumes of labels: each image gets the labels that lie at its pixels."""

import zlib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosprep.errors import FileError
from chaosprep.formats.masks import beside, read_volume
from tests.formats.itk_volumes import itk, little
from tests.formats.test_cut_mask import assert_labels, codes, cut, headers, ras
from tests.imaging.test_placing import turned

ANGLE = st.floats(-1.5, 1.5)
VOXELS, AFFINE = ras()


def made(data: bytes | None = None, /, **changes: str | None) -> bytes:
    """A header by hand; None leaves a field out."""
    steps = np.diag([-1.0, -1, 1]) @ AFFINE[:3]
    fields: dict[str, str | None] = {
        "ObjectType": "Image",
        "NDims": "3",
        "Offset": " ".join(map(repr, steps[:, 3].tolist())),
        "ElementSpacing": "1.5 1.25 5.5",
        "DimSize": "4 3 5",
        "ElementType": "MET_UCHAR",
        **changes,
        "ElementDataFile": changes.get("ElementDataFile", "LOCAL"),
    }
    fields["ElementDataFile"] = fields.pop("ElementDataFile")  # it is the last
    lines = [f"{name} = {value}\n" for name, value in fields.items() if value is not None]
    return "".join(lines).encode() + (little(VOXELS) if data is None else data)


def refusal(folder: Path, data: bytes) -> FileError:
    with pytest.raises(FileError) as caught:
        read_volume(folder / "m.mhd", data)
    return caught.value


@settings(max_examples=40, deadline=None)
@given(ANGLE, ANGLE, st.permutations(range(3)), st.tuples(*[st.booleans()] * 3), st.booleans())
def test_what_itk_writes_in_any_orientation_is_cut_by_geometry(
    alpha: float, beta: float, order: list[int], flips: Sequence[bool], compressed: bool
) -> None:
    axes = turned(alpha, beta, 0.3)
    with TemporaryDirectory() as folder:
        path = itk(Path(folder), "m.mha", *ras(axes, order, flips), compressed=compressed)
        assert_labels(cut(Path(folder), "m.mha", path.read_bytes(), headers(axes)))


@pytest.mark.parametrize(
    "kind",
    [
        *("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
        *("float32", "float64"),
    ],
)
@pytest.mark.parametrize("compressed", [True, False])
def test_any_number_type_will_do_and_voxels_beside(
    tmp_path: Path, kind: str, compressed: bool
) -> None:
    path = itk(tmp_path, "m.mhd", VOXELS.astype(kind), AFFINE, compressed=compressed)
    assert_labels(cut(tmp_path, "m.mhd", path.read_bytes()))
    assert beside("a/m.mhd", path.read_bytes()) == ("a/m.zraw" if compressed else "a/m.raw",)


def test_the_volume_by_itself_is_what_itk_reads(tmp_path: Path) -> None:
    path = itk(tmp_path, "m.mha", *ras(turned(0.3, 0.2, 0.1), (1, 0, 2), (True, False, True)))
    volume, image = read_volume(path, path.read_bytes()), SimpleITK.ReadImage(str(path))
    assert np.array_equal(volume.voxels, SimpleITK.GetArrayFromImage(image))
    for index in np.ndindex(volume.voxels.shape):
        there = volume.lattice.origin + volume.lattice.steps @ index
        assert np.allclose(there, image.TransformIndexToPhysicalPoint(index[::-1]), atol=1e-9)


@pytest.mark.parametrize("matrix", ["TransformMatrix", "Rotation", "Orientation"])
@pytest.mark.parametrize("offset", ["Offset", "Origin", "Position"])
def test_fields_have_several_names(tmp_path: Path, matrix: str, offset: str) -> None:
    place = "-10 -20 0"
    data = made(**{"Offset": None, offset: place, matrix: "1 0 0 0 1 0 0 0 1"})
    assert_labels(cut(tmp_path, "m.mha", data))
    image = SimpleITK.ReadImage(str(tmp_path / "m.mha"))
    assert image.GetOrigin() == (-10, -20, 0)


def test_a_matrix_has_the_direction_of_one_axis_in_a_row_as_itk_has(tmp_path: Path) -> None:
    data = made(TransformMatrix="0 1 0 0 0 1 1 0 0")
    (tmp_path / "m.mha").write_bytes(data)
    direction = SimpleITK.ReadImage(str(tmp_path / "m.mha")).GetDirection()
    steps = read_volume(tmp_path / "m.mha", data).lattice.steps[:, ::-1]
    assert np.allclose(steps / [1.5, 1.25, 5.5], np.reshape(direction, (3, 3)))
    assert direction[3] == 1  # the first axis runs along y


def test_element_size_stands_for_a_spacing_that_is_not_there(tmp_path: Path) -> None:
    size = {"ElementSize": "1.5 1.25 5.5"}
    assert_labels(cut(tmp_path, "m.mha", made(ElementSpacing=None, **size)))
    wrong = {"ElementSize": "9 9 9"}
    assert_labels(cut(tmp_path, "n.mha", made(**wrong)))


@pytest.mark.parametrize("name", ["BinaryDataByteOrderMSB", "ElementByteOrderMSB"])
def test_bytes_may_be_swapped(tmp_path: Path, name: str) -> None:
    swapped = VOXELS.astype(">u2").tobytes(order="F")
    data = made(swapped, ElementType="MET_USHORT", **{name: "True"})
    assert_labels(cut(tmp_path, "m.mha", data))


def test_a_long_has_four_bytes_as_in_itk(tmp_path: Path) -> None:
    data = made(VOXELS.astype("<i4").tobytes(order="F"), ElementType="MET_LONG")
    assert_labels(cut(tmp_path, "m.mha", data))
    found = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "m.mha")))
    assert np.array_equal(found, VOXELS.T)


def test_numbers_may_be_written_as_text(tmp_path: Path) -> None:
    text = " ".join(map(str, VOXELS.ravel(order="F").tolist())).encode()
    assert_labels(cut(tmp_path, "m.mha", made(text, BinaryData="False")))


def test_compressed_voxels_need_not_say_their_size(tmp_path: Path) -> None:
    packed = zlib.compress(little(VOXELS))
    assert_labels(cut(tmp_path, "m.mha", made(packed, CompressedData="True")))
    sized = made(packed + b"more", CompressedData="True", CompressedDataSize=str(len(packed)))
    assert_labels(cut(tmp_path, "n.mha", sized))


@pytest.mark.parametrize(("header", "before"), [("7", b"1234567"), ("-1", b"any header")])
def test_a_header_of_the_voxels_own_file_is_skipped(
    tmp_path: Path, header: str, before: bytes
) -> None:
    (tmp_path / "v.raw").write_bytes(before + little(VOXELS))
    data = made(b"", HeaderSize=header, ElementDataFile="v.raw")
    assert_labels(cut(tmp_path, "m.mhd", data))


def test_a_fourth_dimension_of_one_is_none(tmp_path: Path) -> None:
    changes = {
        "NDims": "4",
        "DimSize": "4 3 5 1",
        "Offset": "-10 -20 0 0",
        "ElementSpacing": "1.5 1.25 5.5 1",
    }
    data = made(**changes)
    assert_labels(cut(tmp_path, "m.mha", data))
    assert SimpleITK.ReadImage(str(tmp_path / "m.mha")).GetSize() == (4, 3, 5, 1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ElementNumberOfChannels": "3"}, "mask-kind"),
        ({"ElementType": "MET_UCHAR_ARRAY"}, "mask-kind"),
        ({"NDims": "2", "DimSize": "12 5", "Offset": "0 0", "ElementSpacing": "1 1"}, "mask-kind"),
        (
            {"NDims": "4", "DimSize": "2 3 5 2", "Offset": "0 0 0 0", "ElementSpacing": "1 1 1 1"},
            "mask-kind",
        ),
        ({"NDims": "4"}, "mask-unreadable"),
        ({"DimSize": "4 3 6"}, "mask-unreadable"),
        ({"DimSize": "4 3 3"}, "mask-unreadable"),
        ({"DimSize": "4 0 5"}, "mask-unreadable"),
        ({"Offset": "0 0"}, "mask-unreadable"),
        ({"ObjectType": "Tube"}, "mask-unreadable"),
        ({"CompressedData": "True"}, "mask-unreadable"),
        ({"HeaderSize": "3"}, "mask-unreadable"),
        ({"ElementSpacing": None}, "geometry-unknown"),
        ({"ElementSpacing": "1 -1 1"}, "geometry-unknown"),
        ({"ElementSpacing": "1 nan 1"}, "geometry-unknown"),
        (
            {"CenterOfRotation": "1 2 3", "TransformMatrix": "0 1 0 1 0 0 0 0 1"},
            "geometry-unknown",
        ),
        ({"ElementDataFile": "LIST"}, "mask-beside"),
        ({"ElementDataFile": "v%03d.raw 1 5 1"}, "mask-beside"),
        ({"ElementDataFile": "../v.raw"}, "mask-beside"),
        ({"ElementDataFile": "/etc/passwd"}, "mask-beside"),
        ({"ElementDataFile": "missing.raw"}, "mask-beside"),
        ({"DimSize": "60000 60000 2"}, "too-large"),
        ({"DimSize": "8000 8000 100"}, "too-large"),
    ],
)
def test_what_cannot_be_used_is_one_named_error(
    tmp_path: Path, changes: dict[str, str | None], code: str
) -> None:
    assert refusal(tmp_path, made(**changes)).code == code


def test_a_field_that_stands_twice_is_refused(tmp_path: Path) -> None:
    data = made().replace(b"NDims = 3\n", b"NDims = 3\nOffset = 1 1 1\n")
    assert refusal(tmp_path, data).code == "mask-unreadable"


def test_a_volume_without_an_offset_has_a_size_alone(tmp_path: Path) -> None:
    data = made(Offset=None)
    stack = cut(tmp_path, "m.mha", data)
    assert codes(stack) == {"m.mha": "mask-grid"}
    assert "it has no Offset" in stack.errors[0][1].reason
    assert np.allclose(read_volume(tmp_path / "m.mha", data).lattice.spacing, (5.5, 1.25, 1.5))
