"""NIfTI, NRRD and MetaImage as images: voxels as they are stored, where they lie, or why not."""

import gzip
import struct
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import SimpleITK

from chaosprep.errors import FileError
from chaosprep.formats import nifti as nifti_module
from chaosprep.formats import nifti_header
from chaosprep.formats.image_file import ImageFile
from chaosprep.formats.images import image_format, open_image, part_of, volumes_in
from chaosprep.imaging.header import Header
from tests.formats.itk_volumes import itk, nrrd
from tests.formats.volume_files import AFFINE, loaded, nibabel, nifti, noise
from tests.imaging.turning import rotation

KINDS = ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"]
RAS = np.array([-1.0, -1.0, 1.0])  # of LPS


def opened(data: bytes, name: str = "v.nii.gz") -> ImageFile:
    return open_image(name, data)


def pixel(header: Header, row: int, col: int) -> np.ndarray:
    """Where a pixel lies, LPS mm, by PS3.3 C.7.6.2.1.1."""
    position = np.array(header.image_position_patient)
    cosines = np.array(header.image_orientation_patient)
    assert header.pixel_spacing is not None
    down, along = header.pixel_spacing
    return np.asarray(position + cosines[:3] * along * col + cosines[3:] * down * row)


def refused(data: bytes, name: str = "v.nii.gz") -> FileError:
    with pytest.raises(FileError) as caught:
        opened(data, name).headers()
    return caught.value


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packed", [True, False])
def test_a_frame_is_a_slice_along_the_third_axis_as_it_is_stored(
    kind: str, order: Literal["<", ">"], packed: bool
) -> None:
    voxels = noise(kind)
    file = opened(nifti(voxels, order=order, packed=packed))
    assert len(file.headers()) == 3
    for k in range(3):
        header, plane = file.read(k)
        assert plane.dtype == voxels.dtype
        assert np.array_equal(plane, voxels[:, :, k].T)
        assert (header.rows, header.cols, header.dtype) == (4, 5, voxels.dtype.name)
        assert (header.frames, header.frame_number) == (3, k + 1)


@pytest.mark.parametrize("forms", [(1, 0), (0, 1), (1, 1)])
@pytest.mark.parametrize("flips", range(8))
def test_each_pixel_lies_where_nibabel_finds_its_voxel(forms: tuple[int, int], flips: int) -> None:
    signs = [-1 if flips >> axis & 1 else 1 for axis in range(3)]
    affine = AFFINE.copy()
    affine[:3, :3] = rotation(17 * flips, 5, -9) @ np.diag(np.array([1.5, 1.25, 5.5]) * signs)
    data = nifti(noise(), affine, forms=forms)
    for k, header in enumerate(opened(data).headers()):
        for row, col in ((0, 0), (3, 0), (0, 4), (3, 4)):
            there = RAS * (loaded(data).affine @ [col, row, k, 1])[:3]
            assert np.allclose(pixel(header, row, col), there, atol=1e-4)


@pytest.mark.parametrize(
    ("scale", "meant"),
    [((2.0, -10.5), (2.0, -10.5)), ((0.0, 7.0), (1.0, 0.0)), ((np.nan, np.nan), (1.0, 0.0))],
)
def test_scl_slope_and_scl_inter_are_the_rescale(
    scale: tuple[float, float], meant: tuple[float, float]
) -> None:
    voxels = noise("i2")
    data = nifti(voxels, scl_slope=scale[0], scl_inter=scale[1])
    header, plane = opened(data).read(1)
    assert (header.rescale_slope, header.rescale_intercept) == meant
    values = plane * header.rescale_slope + header.rescale_intercept
    assert np.allclose(values, loaded(data).get_fdata()[:, :, 1].T)


def test_a_slope_without_an_intercept_is_refused() -> None:
    assert refused(nifti(noise(), scl_slope=2.0, scl_inter=np.nan)).code == "image-unreadable"


def test_a_sheared_grid_is_refused_and_a_rounded_one_is_not() -> None:
    affine = AFFINE.copy()
    affine[0, 2] = 0.02
    assert opened(nifti(noise(), affine, forms=(0, 1))).headers()
    affine[0, 2] = 0.8
    error = refused(nifti(noise(), affine, forms=(0, 1)))
    assert error.code == "sheared"
    assert "right angles" in error.reason


def test_one_slice_cannot_be_sheared_across() -> None:
    raw = bytearray(nifti(noise(shape=(5, 4, 1)), forms=(0, 1), packed=False))
    for row in range(3):
        struct.pack_into("<f", raw, 280 + 16 * row + 8, 0.0)  # of srow_x, srow_y, srow_z
    (header,) = opened(bytes(raw)).headers()
    assert np.allclose(header.image_orientation_patient or (), [1, 0, 0, 0, 1, 0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_float_that_is_no_number_is_refused(bad: float) -> None:
    voxels = noise("f4")
    voxels[4, 3, 2] = bad
    assert refused(nifti(voxels)).code == "not-finite"


@pytest.mark.parametrize(
    ("datatype", "named"),
    [(128, "RGB"), (2304, "RGBA"), (32, "complex"), (1792, "complex"), (1, "bits"), (9, "type 9")],
)
def test_other_than_one_number_a_voxel_is_refused_by_name(datatype: int, named: str) -> None:
    raw = bytearray(nifti(noise(), packed=False))
    struct.pack_into("<h", raw, 70, datatype)
    error = refused(bytes(raw))
    assert error.code == "image-kind"
    assert named in error.reason


@pytest.mark.parametrize("kind", ["i8", "u8"])
def test_integers_of_64_bits_are_refused(kind: str) -> None:
    raw = bytearray(nifti(noise("f8"), packed=False))
    struct.pack_into("<h", raw, 70, {"i8": 1024, "u8": 1280}[kind])
    error = refused(bytes(raw))
    assert error.code == "image-kind"
    assert "int64" in error.reason


def test_two_files_and_nifti_2_are_refused_by_name() -> None:
    raw = nifti(noise(), packed=False)
    assert refused(raw[:344] + b"ni1\0", "v.hdr").code == "image-beside"
    second = nibabel.Nifti2Image(noise(), AFFINE).to_bytes()
    error = refused(second, "v.nii")
    assert error.code == "image-kind"
    assert "NIfTI-2" in error.reason


def test_a_picture_of_two_dimensions_is_one_slice() -> None:
    voxels = noise(shape=(5, 4))
    header, plane = opened(nifti(voxels)).read()
    assert np.array_equal(plane, voxels.T)
    assert header.frames == 1
    assert np.allclose(pixel(header, 0, 0), (-10, -20, -30))


def test_far_from_the_origin_the_slices_keep_their_order() -> None:
    affine = AFFINE.copy()
    affine[:3, 3] = -3e5, 7e6, 1e8  # float32 has steps of 8 mm there
    affine[2, 2] = 0.5
    headers = opened(nifti(noise(), affine, forms=(0, 1))).headers()
    places = [header.image_position_patient or (0, 0, 0) for header in headers]
    assert np.allclose(np.diff([place[2] for place in places]), 0.5)


def test_beyond_what_can_be_written_there_is_no_place() -> None:
    affine = AFFINE.copy()
    affine[0, 3] = 1e12
    assert refused(nifti(noise(), affine, forms=(0, 1))).code == "geometry-unknown"
    assert refused(nifti(noise(), np.diag([1e8, 1, 1, 1]), forms=(0, 1))).code == "geometry-unknown"


def test_two_forms_that_differ_are_refused() -> None:
    image = loaded(nifti(noise()))
    image.set_qform(np.diag([1.5, 1.25, 5.5, 1]), 1)
    assert refused(image.to_bytes()).code == "nifti-forms"


def test_without_a_place_only_the_size_of_voxels_is_told() -> None:
    headers = opened(nifti(noise(), forms=(0, 0))).headers()
    for k, header in enumerate(headers):
        assert header.image_position_patient is None
        assert header.image_orientation_patient is None
        assert header.pixel_spacing == (1.25, 1.5)
        assert (header.spacing_between_slices, header.instance_number) == (5.5, k + 1)
        assert any("does not say where its voxels lie" in note for note in header.notes)


@pytest.mark.parametrize("cut", [0, 3, 340, 351, 360, -1])
def test_a_file_that_is_cut_short_is_refused(cut: int) -> None:
    raw = nifti(noise(), packed=False)
    packed = gzip.compress(raw)
    for data in (raw[:cut], gzip.compress(raw[:cut]), packed[: min(cut, len(packed) - 1)]):
        with pytest.raises(FileError) as caught:
            opened(data, "v.nii").headers()
        assert caught.value.code in ("image-unreadable", "image-kind")


def test_more_slices_than_the_header_says_are_refused() -> None:
    raw = bytearray(nifti(noise(shape=(50, 40, 3)), packed=False))
    struct.pack_into("<h", raw, 46, 2)
    assert refused(bytes(raw)).code == "image-unreadable"


@pytest.mark.parametrize(
    "dim",
    [(3, 32767, 32767, 32767), (4, 512, 512, 512, 512), (3, 9999, 9999, 1), (4, 1, 1, 9999, 9)],
)
def test_what_is_too_large_is_refused_before_it_is_unpacked(dim: tuple[int, ...]) -> None:
    raw = bytearray(nifti(noise(), packed=False))
    struct.pack_into(f"<{len(dim)}h", raw, 40, *dim)
    assert refused(bytes(raw)).code == "too-large"


def test_max_pixels_counts_all_frames() -> None:
    data = nifti(noise())
    assert open_image("v.nii", data, max_pixels=60).headers()
    with pytest.raises(FileError) as caught:
        open_image("v.nii", data, max_pixels=59)
    assert caught.value.code == "too-large"


def test_reading_all_frames_unpacks_the_file_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bool] = []
    real = nifti_header.unpacked

    def counted(data: bytes, size: int, *, whole: bool = False) -> bytes | memoryview:
        calls.append(whole)
        return real(data, size, whole=whole)

    monkeypatch.setattr(nifti_module, "unpacked", counted)
    file = opened(nifti(noise()))
    file.headers()
    for k in range(3):
        file.read(k)
    assert calls == [True]


@pytest.mark.parametrize("text", [b"Muller, Anna", b"for Dr Who", b"Anna"])
def test_text_that_may_name_somebody_is_noted(text: bytes) -> None:
    (note,) = opened(nifti(noise(), descrip=text)).headers()[0].notes
    assert "free text (descrip)" in note
    assert text.decode() not in note


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"FSL5.0",
        b"6.0.5:9e026117",
        b"5.0.10",
        b"TE=2.4;Time=100000.000",
        b"SPM12",
        b"MRtrix version: 3.0.3",
    ],
)
def test_the_mark_of_a_tool_is_not(text: bytes) -> None:
    assert opened(nifti(noise(), descrip=text)).headers()[0].notes == ()


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compressed", [True, False])
def test_nrrd_and_metaimage_are_what_simpleitk_wrote(
    tmp_path: Path, ending: str, kind: str, compressed: bool
) -> None:
    voxels = noise(kind)
    affine = AFFINE.copy()
    affine[:3, :3] = rotation(20, 5, -9) @ np.diag([1.5, 1.25, 5.5])
    file = itk(tmp_path, f"v{ending}", voxels, affine, compressed=compressed)
    found = opened(file.read_bytes(), file.name)
    for k in range(3):
        header, plane = found.read(k)
        assert plane.dtype == voxels.dtype
        assert np.array_equal(plane, voxels[:, :, k].T)
        there = SimpleITK.ReadImage(str(file)).TransformIndexToPhysicalPoint((4, 3, k))
        assert np.allclose(pixel(header, 3, 4), there, atol=1e-4)
        assert header.notes == ()


@pytest.mark.parametrize("ending", [".nhdr", ".mhd"])
def test_voxels_in_another_file_are_refused_with_a_way_out(tmp_path: Path, ending: str) -> None:
    file = itk(tmp_path, f"v{ending}", noise(), AFFINE)
    error = refused(file.read_bytes(), file.name)
    assert error.code == "image-beside"
    assert ".nii.gz" in error.remedy


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_colours_are_refused_by_name(tmp_path: Path, ending: str) -> None:
    image = SimpleITK.GetImageFromArray(np.zeros((3, 4, 5, 3), np.uint8), isVector=True)
    SimpleITK.WriteImage(image, str(tmp_path / f"v{ending}"))
    error = refused((tmp_path / f"v{ending}").read_bytes(), f"v{ending}")
    assert error.code == "image-kind"
    assert "one real number a voxel" in error.reason


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_pictures_of_itk_are_one_slice_without_a_place(tmp_path: Path, ending: str) -> None:
    image = SimpleITK.GetImageFromArray(noise(shape=(4, 5)))
    image.SetSpacing((1.5, 1.25))
    SimpleITK.WriteImage(image, str(tmp_path / f"v{ending}"))
    header, plane = opened((tmp_path / f"v{ending}").read_bytes(), f"v{ending}").read()
    assert np.array_equal(plane, noise(shape=(4, 5)))
    assert header.pixel_spacing == (1.25, 1.5)
    assert header.image_position_patient is None


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_what_a_program_wrote_down_is_noted(tmp_path: Path, ending: str) -> None:
    said = {"0010|0010": "Muller^Anna"}
    file = itk(tmp_path, f"v{ending}", noise(), AFFINE, said=said)
    (note,) = opened(file.read_bytes(), file.name).headers()[0].notes
    assert "free text" in note
    assert "Muller" not in note


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
@pytest.mark.parametrize(("descrip", "noted"), [(b"FSL5.0", False), (b"Muller, Anna", True)])
def test_what_itk_takes_over_from_a_nifti_is_noted_only_where_it_may_name_somebody(
    tmp_path: Path, ending: str, descrip: bytes, noted: bool
) -> None:
    (tmp_path / "v.nii.gz").write_bytes(nifti(noise(), descrip=descrip))
    file = tmp_path / f"v{ending}"
    SimpleITK.WriteImage(SimpleITK.ReadImage(str(tmp_path / "v.nii.gz")), str(file))
    notes = opened(file.read_bytes(), file.name).headers()[0].notes
    assert any("free text" in note for note in notes) is noted


def four(name: str, folder: Path) -> tuple[bytes, np.ndarray]:
    """A file of four volumes, and its voxels (i, j, k, volume)."""
    voxels = noise("i2", (5, 4, 3, 4))
    if name == "v.nii.gz":
        return nifti(voxels, order=">"), voxels
    images = []
    for volume in range(4):
        file = itk(folder, "one.mha", voxels[..., volume], AFFINE)
        images.append(SimpleITK.ReadImage(str(file)))
    SimpleITK.WriteImage(SimpleITK.JoinSeries(images, 0.0, 1.0), str(folder / name))
    return (folder / name).read_bytes(), voxels


@pytest.mark.parametrize("name", ["v.nii.gz", "v.mha"])
def test_a_fourth_axis_is_of_volumes(tmp_path: Path, name: str) -> None:
    data, voxels = four(name, tmp_path)
    assert volumes_in(name, data) == tuple(tuple(range(at, at + 3)) for at in (0, 3, 6, 9))
    file = opened(data, name)
    headers = file.headers()
    assert len(headers) == 12
    for frame in range(12):
        assert np.array_equal(file.read(frame)[1], voxels[:, :, frame % 3, frame // 3].T)
        place = headers[frame].image_position_patient
        assert np.allclose(place or (), (-10, -20, -30 + 5.5 * (frame % 3)))


@pytest.mark.parametrize("name", ["v.nii.gz", "v.mha"])
def test_one_volume_is_cut_out_as_a_file_of_its_own(tmp_path: Path, name: str) -> None:
    data, voxels = four(name, tmp_path)
    made = part_of(name, data, range(3, 6))
    assert made is not None
    assert made == part_of(name, data, range(3, 6))
    found = image_format(name, made)
    assert found is not None
    (tmp_path / f"part{found.ending}").write_bytes(made)
    image = SimpleITK.ReadImage(str(tmp_path / f"part{found.ending}"))
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), voxels[..., 1].T)
    assert np.allclose(image.GetOrigin(), (-10, -20, -30))
    assert np.allclose(image.GetSpacing(), (1.5, 1.25, 5.5))


def test_the_header_of_a_cut_nifti_is_the_same_but_for_its_fourth_axis() -> None:
    data = nifti(noise("i2", (5, 4, 3, 4)), scl_slope=2.0, scl_inter=1.0, descrip=b"SPM12")
    made = part_of("v.nii.gz", data, range(6, 9))
    assert made is not None
    before, after = gzip.decompress(data), made
    differing = {at for at in range(352) if before[at] != after[at]}
    assert differing <= set(range(40, 56))
    assert np.array_equal(loaded(made).affine, loaded(data).affine)
    assert np.array_equal(loaded(made).get_fdata(), loaded(data).get_fdata()[..., 2])


@pytest.mark.parametrize("frames", [(0, 1), (1, 2, 3), (0, 1, 2, 3, 4, 5), (2, 1, 0), (12, 13, 14)])
def test_other_frames_than_those_of_one_volume_are_not_cut_out(frames: tuple[int, ...]) -> None:
    assert part_of("v.nii.gz", nifti(noise("i2", (5, 4, 3, 4))), frames) is None


@pytest.mark.parametrize("first", [True, False])
def test_nrrd_volumes_may_lie_along_any_axis(first: bool) -> None:
    voxels = noise("i2", (2, 5, 4, 3) if first else (5, 4, 3, 2))
    steps = ["none", "(1.5,0,0)", "(0,1.25,0)", "(0,0,5.5)"]
    kinds = ["list", "domain", "domain", "domain"]
    if not first:
        steps, kinds = [*steps[1:], steps[0]], [*kinds[1:], kinds[0]]
    lines = [
        "type: short",
        "dimension: 4",
        "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, voxels.shape))}",
        f"space directions: {' '.join(steps)}",
        f"kinds: {' '.join(kinds)}",
        "endian: little",
        "encoding: raw",
        "space origin: (1,2,3)",
    ]
    data = nrrd(lines, voxels.tobytes("F"))
    own = np.moveaxis(voxels, 0, 3) if first else voxels
    assert np.array_equal(opened(data, "v.nrrd").read(4)[1], own[:, :, 1, 1].T)
    made = part_of("v.nrrd", data, range(3, 6))
    assert made is not None
    header, plane = opened(made, "v.nrrd").read(2)
    assert np.array_equal(plane, own[:, :, 2, 1].T)
    assert header.image_position_patient == (1, 2, 14)


def test_five_dimensions_are_refused() -> None:
    error = refused(nifti(noise("i2", (5, 4, 3, 1, 3))))
    assert error.code == "image-kind"
    assert "5x4x3x1x3" in error.reason


def test_a_small_file_of_very_much_is_refused_before_it_is_unpacked() -> None:
    raw = bytearray(nifti(noise(), packed=False))
    struct.pack_into("<4h", raw, 40, 3, 1024, 1024, 512)
    error = refused(gzip.compress(raw + bytes(2**22)))
    assert error.code == "too-large"
    assert "1024 MiB" in error.reason
