"""NRRD volumes of labels: each image gets the labels that lie at its pixels."""

import bz2
import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosprep.errors import FileError
from chaosprep.formats.masks import beside, cut_mask, read_volume
from tests.formats.itk_volumes import itk, little, nrrd, placed
from tests.formats.test_cut_mask import COUNT, assert_labels, codes, cut, headers, ras
from tests.imaging.test_placing import turned

ANGLE = st.floats(-1.5, 1.5)
VOXELS, AFFINE = ras()


def refusal(folder: Path, data: bytes, name: str = "m.nrrd") -> FileError:
    with pytest.raises(FileError) as caught:
        read_volume(folder / name, data)
    return caught.value


@settings(max_examples=40, deadline=None)
@given(ANGLE, ANGLE, st.permutations(range(3)), st.tuples(*[st.booleans()] * 3), st.booleans())
def test_what_itk_writes_in_any_orientation_is_cut_by_geometry(
    alpha: float, beta: float, order: list[int], flips: Sequence[bool], compressed: bool
) -> None:
    axes = turned(alpha, beta, 0.3)
    with TemporaryDirectory() as folder:
        path = itk(Path(folder), "m.nrrd", *ras(axes, order, flips), compressed=compressed)
        assert_labels(cut(Path(folder), "m.nrrd", path.read_bytes(), headers(axes)))


@pytest.mark.parametrize(
    "kind",
    [
        *("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
        *("float32", "float64"),
    ],
)
@pytest.mark.parametrize("name", ["m.nrrd", "m.nhdr"])
def test_any_number_type_will_do(tmp_path: Path, kind: str, name: str) -> None:
    path = itk(tmp_path, name, VOXELS.astype(kind), AFFINE)
    assert_labels(cut(tmp_path, name, path.read_bytes()))


def test_the_volume_by_itself_is_what_itk_reads(tmp_path: Path) -> None:
    path = itk(tmp_path, "m.nrrd", *ras(turned(0.3, 0.2, 0.1), (1, 0, 2), (True, False, True)))
    volume, image = read_volume(path, path.read_bytes()), SimpleITK.ReadImage(str(path))
    assert np.array_equal(volume.voxels, SimpleITK.GetArrayFromImage(image))
    for index in np.ndindex(volume.voxels.shape):
        there = volume.lattice.origin + volume.lattice.steps @ index
        assert np.allclose(there, image.TransformIndexToPhysicalPoint(index[::-1]), atol=1e-9)


@pytest.mark.parametrize("space", ["ras", "lps", "las"])
@pytest.mark.parametrize("short", [True, False])
def test_each_space_of_the_patient_is_known_by_both_names(
    tmp_path: Path, space: str, short: bool
) -> None:
    lines = placed(VOXELS, AFFINE, space)
    if short:
        lines[2] = f"space: {space.upper()}"
    assert_labels(cut(tmp_path, "m.nrrd", nrrd([*lines, "encoding: raw"], little(VOXELS))))


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "gzip": gzip.compress,
    "gz": gzip.compress,
    "bzip2": bz2.compress,
    "bz2": bz2.compress,
}


@pytest.mark.parametrize("encoding", [*PACKED, "ascii", "text", "txt"])
@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_any_encoding_version_and_end_of_line(
    tmp_path: Path, encoding: str, version: int, newline: str
) -> None:
    text = " ".join(map(str, VOXELS.ravel(order="F").tolist())).encode()
    data = PACKED[encoding](little(VOXELS)) if encoding in PACKED else text
    lines = ["# a note", *placed(VOXELS, AFFINE), f"encoding: {encoding}", "key:=a: b:=c"]
    made = nrrd(lines, data, version=version, newline=newline)
    assert_labels(cut(tmp_path, "m.nrrd", made))


def test_bytes_may_be_swapped(tmp_path: Path) -> None:
    wide = VOXELS.astype(np.uint16)
    lines = [*placed(wide, AFFINE)[:-1], "endian: big", "encoding: raw"]
    assert_labels(cut(tmp_path, "m.nrrd", nrrd(lines, wide.astype(">u2").tobytes(order="F"))))


def test_what_has_several_bytes_a_voxel_must_say_their_order(tmp_path: Path) -> None:
    wide = VOXELS.astype(np.uint16)
    data = nrrd([*placed(wide, AFFINE)[:-1], "encoding: raw"], little(wide))
    assert refusal(tmp_path, data).code == "mask-unreadable"


@pytest.mark.parametrize(
    ("skips", "before"),
    [
        (["line skip: 2"], b"one\ntwo\n"),
        (["byte skip: 3"], b"abc"),
        (["lineskip: 1", "byteskip: 3"], b"one\nabc"),
        (["byte skip: -1"], b"anything at all"),
    ],
)
def test_lines_and_bytes_in_front_are_skipped(
    tmp_path: Path, skips: list[str], before: bytes
) -> None:
    lines = [*placed(VOXELS, AFFINE), "encoding: raw", *skips]
    assert_labels(cut(tmp_path, "m.nrrd", nrrd(lines, before + little(VOXELS))))


def test_bytes_are_skipped_behind_the_compression_and_lines_before_it(tmp_path: Path) -> None:
    lines = [*placed(VOXELS, AFFINE), "encoding: gzip", "line skip: 1", "byte skip: 3"]
    data = b"one\n" + gzip.compress(b"abc" + little(VOXELS))
    assert_labels(cut(tmp_path, "m.nrrd", nrrd(lines, data)))


def test_an_axis_of_one_that_is_not_of_space_is_none(tmp_path: Path) -> None:
    lines = placed(VOXELS, AFFINE)
    lines[1], lines[3] = "dimension: 4", "sizes: 4 3 5 1"
    lines[4] += " none"
    assert_labels(cut(tmp_path, "m.nrrd", nrrd([*lines, "encoding: raw"], little(VOXELS))))


def test_several_numbers_a_voxel_are_no_mask(tmp_path: Path) -> None:
    image = SimpleITK.GetImageFromArray(np.zeros((5, 3, 4, 2), np.uint8), isVector=True)
    SimpleITK.WriteImage(image, str(tmp_path / "m.nrrd"))
    stack = cut(tmp_path, "m.nrrd", (tmp_path / "m.nrrd").read_bytes())
    assert codes(stack) == {"m.nrrd": "mask-kind"}
    assert "2 x 4 x 3 x 5" in stack.errors[0][1].reason


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({2: "space: scanner-xyz"}, "its space is not one of the patient"),
        ({2: "space dimension: 3"}, "its space is not one of the patient"),
        ({5: "content: no origin"}, "it has no space origin"),
        ({2: "content: no space", 4: "spacings: 1.5 1.25 5.5", 5: "kinds: domain domain domain"},
         "it has no space directions"),
    ],
)  # fmt: skip
def test_what_does_not_say_where_it_lies_has_a_size_alone(
    tmp_path: Path, changes: dict[int, str], why: str
) -> None:
    lines = placed(VOXELS, AFFINE)
    for at, line in changes.items():
        lines[at] = line
    data = nrrd([*lines, "encoding: raw"], little(VOXELS))
    stack = cut(tmp_path, "m.nrrd", data)
    assert codes(stack) == {"m.nrrd": "mask-grid"}
    assert why in stack.errors[0][1].reason
    volume = read_volume(tmp_path / "m.nrrd", data)
    assert np.allclose(volume.lattice.spacing[::-1], np.linalg.norm(AFFINE[:3, :3], axis=0))
    assert np.array_equal(volume.voxels, VOXELS.T)


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("cm", 10), ("m", 1000), ("um", 1e-3)])
def test_lengths_have_their_units(tmp_path: Path, unit: str, factor: float) -> None:
    small = AFFINE.copy()
    small[:3] /= factor
    lines = [*placed(VOXELS, small), "encoding: raw", f'space units: "{unit}" "{unit}" "{unit}"']
    assert_labels(cut(tmp_path, "m.nrrd", nrrd(lines, little(VOXELS))))


def test_units_that_are_unknown_are_refused(tmp_path: Path) -> None:
    lines = [*placed(VOXELS, AFFINE), "encoding: raw", 'space units: "inch" "inch" "inch"']
    error = refusal(tmp_path, nrrd(lines, little(VOXELS)))
    assert error.code == "geometry-unknown"
    assert "units" in error.reason


def test_spacings_beside_space_directions_must_be_their_lengths(tmp_path: Path) -> None:
    lines = [*placed(VOXELS, AFFINE), "encoding: raw"]
    right, wrong = ("spacings: 1.5 1.25 5.5", "spacings: 1.5 1.25 5")
    assert_labels(cut(tmp_path, "m.nrrd", nrrd([*lines, right], little(VOXELS))))
    error = refusal(tmp_path, nrrd([*lines, wrong], little(VOXELS)))
    assert error.code == "geometry-unknown"
    assert "spacings" in error.reason


def test_what_bzip2_makes_of_nothing_is_bounded(tmp_path: Path) -> None:
    lines = [*placed(VOXELS, AFFINE), "encoding: bzip2"]
    lines[3] = "sizes: 512 512 1025"
    error = refusal(tmp_path, nrrd(lines, bz2.compress(b"")))
    assert error.code == "too-large"
    assert "gzip" in error.remedy


@pytest.mark.parametrize("cells", ["cell", "node", "???"])
def test_a_space_origin_is_the_middle_of_the_first_voxel_whatever_its_centering(
    tmp_path: Path, cells: str
) -> None:
    lines = [*placed(VOXELS, AFFINE), "encoding: raw", f"centerings: {' '.join([cells] * 3)}"]
    assert_labels(cut(tmp_path, "m.nrrd", nrrd(lines, little(VOXELS))))


TILT = np.eye(3)
TILT[:, 1] = 0, 0.970295726276, -0.2419218955997  # the columns of a gantry tilted by 14 degrees


def test_a_tilted_volume_fits_its_tilted_series_alone(tmp_path: Path) -> None:
    voxels, affine = ras(TILT)
    data = nrrd([*placed(voxels, affine), "encoding: raw"], little(voxels))
    assert_labels(cut(tmp_path, "m.nrrd", data, headers(TILT)))
    stack = cut(tmp_path, "m.nrrd", data)
    assert codes(stack) == {"m.nrrd": "mask-grid"}
    assert "tilted" in stack.errors[0][1].reason


def test_fractions_are_no_labels_and_rounding_is_none(tmp_path: Path) -> None:
    half, near = VOXELS / np.float32(2), VOXELS * np.float32(1.0000001)
    for voxels, expected in ((half, {"m.nrrd": "mask-values"}), (near, {})):
        data = nrrd([*placed(voxels, AFFINE), "encoding: raw"], little(voxels))
        assert codes(cut(tmp_path, "m.nrrd", data)) == expected


def test_more_slices_than_images_are_named(tmp_path: Path) -> None:
    images = dict([*headers().items()][:-1])
    data = nrrd([*placed(VOXELS, AFFINE), "encoding: raw"], little(VOXELS))
    (tmp_path / "m.nrrd").write_bytes(data)
    stack = cut_mask(tmp_path, "m.nrrd", data, images, COUNT - 1)
    assert codes(stack) == {"m.nrrd": "mask-surplus"}


@pytest.mark.parametrize("change", [-1, 16, 500])
def test_fewer_or_more_bytes_than_the_header_says_are_refused(tmp_path: Path, change: int) -> None:
    data = little(VOXELS) + b"\1" * change if change > 0 else little(VOXELS)[:change]
    for encoding in ("raw", "gzip", "bzip2"):
        made = nrrd([*placed(VOXELS, AFFINE), f"encoding: {encoding}"], PACKED[encoding](data))
        assert refusal(tmp_path, made).code == "mask-unreadable"


@pytest.mark.parametrize(
    "line",
    ["type: uchar", "sizes: 4 3 5", "no colon", "mystery: 7", "byte skip: -2", "dimension: 3"],
)
def test_a_field_that_stands_twice_or_is_none_is_refused(tmp_path: Path, line: str) -> None:
    made = nrrd([*placed(VOXELS, AFFINE), "encoding: raw", line], little(VOXELS))
    assert refusal(tmp_path, made).code == "mask-unreadable"


@pytest.mark.parametrize(("field", "text"), [("type", "block"), ("encoding", "zrl")])
def test_what_is_not_read_is_refused_by_its_kind(tmp_path: Path, field: str, text: str) -> None:
    lines = [*placed(VOXELS, AFFINE), "encoding: raw"]
    lines = [f"{field}: {text}" if one.startswith(field) else one for one in lines]
    assert refusal(tmp_path, nrrd(lines, little(VOXELS))).code == "mask-kind"


def detached(name: str) -> bytes:
    return nrrd([*placed(VOXELS, AFFINE), "encoding: raw", f"data file: {name}"])


@pytest.mark.parametrize("name", ["voxels.raw", "./voxels.raw", "list.raw"])
def test_voxels_may_be_in_a_file_beside(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(little(VOXELS))
    data = detached(name).replace(b"encoding: raw\n", b"")[:-1] + b"encoding: raw\n\n"
    assert_labels(cut(tmp_path, "m.nhdr", data))
    assert beside("labels/m.nhdr", data) == (f"labels/{Path(name)}",)


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/passwd", "../voxels.raw", "a/voxels.raw", "..", ".", "a\\voxels.raw"),
        *("c:voxels.raw", "LIST", "LIST 2", "voxels%03d.raw 1 5 1"),
    ],
)
def test_voxels_elsewhere_or_in_several_files_are_refused(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path, detached(name), "m.nhdr")
    assert error.code == "mask-beside"
    assert "passwd" not in error.text
    assert beside("labels/m.nhdr", detached(name)) == ()


def test_a_list_of_files_goes_on_to_the_end_of_the_header(tmp_path: Path) -> None:
    data = detached("LIST")[:-1] + b"1.raw\n2.raw\n"
    assert "in several files" in refusal(tmp_path, data, "m.nhdr").reason


def test_a_file_beside_that_is_a_link_or_missing_is_named_without_its_name(tmp_path: Path) -> None:
    assert "missing" in refusal(tmp_path, detached("doe.raw"), "m.nhdr").reason
    (tmp_path / "doe.raw").symlink_to("/etc/hostname")
    error = refusal(tmp_path, detached("doe.raw"), "m.nhdr")
    assert error.code == "mask-beside"
    assert "symbolic link" in error.reason
    assert "doe" not in error.text
