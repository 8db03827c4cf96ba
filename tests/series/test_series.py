"""A folder becomes a series: read, paired, ordered; every broken rule is a named problem."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosprep.series.pairing import Rule
from chaosprep.series.reading import Series, read_series
from chaosprep.series.source import SourceCase, list_files
from tests.formats.samples import dicom, png

MASK = png([b"\0\0\0\0"] * 3, cols=4)  # 3 x 4, as the sample slice
Files = Mapping[str, bytes]


def at(z: float, **changes: object) -> bytes:
    """A slice at a height; its pixels say which one it is."""
    pixels = np.full((3, 4), round(z * 10) + 1000, dtype=np.uint16)
    return dicom(pixels, **({"ImagePositionPatient": [-10, -20, z]} | changes))


def case(root: Path, images: Files, masks: Files | None, rule: Rule = "stem") -> SourceCase:
    """Write files below `root` and describe them as a layout would."""
    for folder, files in (("i", images), ("m", masks or {})):
        (root / folder).mkdir(exist_ok=True)
        for name, data in files.items():
            (root / folder / name).write_bytes(data)
    return SourceCase(
        root=str(root),
        id="MR001_t1-in",
        patient="MR001",
        sequence="t1-in",
        pool="train",
        images=list_files(root / "i", root),
        masks=None if masks is None else list_files(root / "m", root),
        rule=rule,
    )


def four(start: float = 0.0) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Four slices 5.5 mm apart, with their masks."""
    images = {f"x{n}.dcm": at(start + 5.5 * n) for n in range(4)}
    return images, {f"x{n}.png": MASK for n in range(4)}


def problems(series: Series) -> dict[str | None, str]:
    assert all(problem.id == "MR001_t1-in" for problem in series.problems)
    found = {problem.file: problem.code for problem in series.problems}
    assert len(found) == len(series.problems)  # one fault, one problem
    return found


def sources(series: Series) -> list[str]:
    return [found.image for found in series.slices]


def test_a_clean_series_has_slices_pairs_and_spacing(tmp_path: Path) -> None:
    series = read_series(case(tmp_path, *four()))
    assert [found.id for found in series.slices] == [f"MR001_t1-in_s00{n}" for n in range(4)]
    assert [found.index for found in series.slices] == [0, 1, 2, 3]
    assert [(found.image, found.mask) for found in series.slices] == [
        (f"i/x{n}.dcm", f"m/x{n}.png") for n in range(4)
    ]
    assert series.slice_spacing == 5.5
    assert series.problems == ()
    assert all(found.warnings == () for found in series.slices)


def test_bytes_are_handed_on_as_they_are(tmp_path: Path) -> None:
    images, masks = four()
    for found in read_series(case(tmp_path, images, masks)).slices:
        assert found.image_data == images[Path(found.image).name]
        assert found.mask_data == masks[Path(str(found.mask)).name]


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(5)), st.permutations(range(5)))
def test_the_order_is_that_of_positions_whatever_the_names(
    names: Sequence[int], instances: Sequence[int]
) -> None:
    heights = [-11.0, -5.5, 0.0, 5.5, 11.0]
    images = {
        f"x{name}.dcm": at(z, InstanceNumber=instance)
        for z, name, instance in zip(heights, names, instances, strict=True)
    }
    masks = {f"x{name}.png": MASK for name in names}
    with TemporaryDirectory() as folder:
        series = read_series(case(Path(folder), images, masks))
    assert sources(series) == [f"i/x{name}.dcm" for name in names]
    assert [found.mask for found in series.slices] == [f"m/x{name}.png" for name in names]


def test_the_order_follows_the_normal_not_z(tmp_path: Path) -> None:
    """Coronal slices: rows along x, columns along -z, so the normal is y."""
    images = {
        f"x{n}.dcm": dicom(
            ImageOrientationPatient=[1, 0, 0, 0, 0, -1], ImagePositionPatient=[0, y, -y]
        )
        for n, y in enumerate([30, 10, 20])
    }
    series = read_series(case(tmp_path, images, None))
    assert sources(series) == ["i/x1.dcm", "i/x2.dcm", "i/x0.dcm"]
    assert series.slice_spacing == 10


def test_ct_pairs_first_and_orders_after(tmp_path: Path) -> None:
    """In CHAOS CT z falls with the file names: a mask stays with its rank, not its height."""
    images = {f"i{n:04d},0000b.dcm": at(100 - 2.0 * n) for n in range(3)}
    masks = {f"liver_GT_{n:03d}.png": MASK for n in range(3)}
    series = read_series(case(tmp_path, images, masks, "rank"))
    assert [(found.image, found.mask) for found in series.slices] == [
        ("i/i0002,0000b.dcm", "m/liver_GT_002.png"),
        ("i/i0001,0000b.dcm", "m/liver_GT_001.png"),
        ("i/i0000,0000b.dcm", "m/liver_GT_000.png"),
    ]
    assert series.slice_spacing == 2.0


def test_more_than_a_thousand_slices_still_sort_by_id(tmp_path: Path) -> None:
    data = {f"x{n:04d}.dcm": at(float(n)) for n in range(1001)}
    ids = [found.id for found in read_series(case(tmp_path, data, None)).slices]
    assert ids[0] == "MR001_t1-in_s0000"
    assert ids == sorted(ids)


def test_a_missing_mask_is_a_problem_of_its_image(tmp_path: Path) -> None:
    images, masks = four()
    del masks["x2.png"]
    series = read_series(case(tmp_path, images, masks))
    assert problems(series) == {"i/x2.dcm": "mask-missing"}
    assert [found.index for found in series.slices] == [0, 1, 3]  # places in the body stay


def test_a_surplus_mask_is_a_problem(tmp_path: Path) -> None:
    images, masks = four()
    series = read_series(case(tmp_path, images, {**masks, "x9.png": MASK}))
    assert problems(series) == {"m/x9.png": "mask-surplus"}
    assert len(series.slices) == 4


def test_a_mask_of_another_size_is_a_problem_that_gives_both_sizes(tmp_path: Path) -> None:
    images, masks = four()
    masks["x1.png"] = png([b"\0\0\0"] * 4, cols=3)  # 4 x 3: as many pixels
    series = read_series(case(tmp_path, images, masks))
    assert problems(series) == {"m/x1.png": "size-mismatch"}
    assert "4x3" in series.problems[0].reason
    assert "3x4" in series.problems[0].reason
    assert [found.index for found in series.slices] == [0, 2, 3]


def test_two_files_with_one_name_are_a_problem(tmp_path: Path) -> None:
    images, masks = four()
    series = read_series(case(tmp_path, images, {**masks, "x1.PNG": MASK}))
    found = problems(series)
    assert found["m/x1.png"] == found["m/x1.PNG"] == "name-twice"
    assert [place.index for place in series.slices] == [0, 2, 3]


def test_a_file_that_is_not_dicom_is_a_problem(tmp_path: Path) -> None:
    images, masks = four()
    series = read_series(case(tmp_path, {**images, "notes.txt": b"hello"}, masks))
    assert problems(series) == {"i/notes.txt": "not-dicom"}
    assert len(series.slices) == 4


def test_a_file_that_is_not_dicom_takes_no_rank(tmp_path: Path) -> None:
    images = {f"i{n:04d},0000b.dcm": at(2.0 * n) for n in range(3)}
    masks = {f"liver_GT_{n:03d}.png": MASK for n in range(3)}
    series = read_series(case(tmp_path, {"a.txt": b"hello", **images}, masks, "rank"))
    assert problems(series) == {"i/a.txt": "not-dicom"}
    assert series.slices[0].mask == "m/liver_GT_000.png"


@pytest.mark.parametrize("damage", [b"", b"not DICOM at all", at(2.0)[:300]])
def test_a_damaged_slice_keeps_its_rank(tmp_path: Path, damage: bytes) -> None:
    images = {f"i{n:04d},0000b.dcm": at(2.0 * n) for n in range(3)}
    images["i0001,0000b.dcm"] = damage
    masks = {f"liver_GT_{n:03d}.png": MASK for n in range(3)}
    series = read_series(case(tmp_path, images, masks, "rank"))
    assert list(problems(series)) == ["i/i0001,0000b.dcm"]
    assert [(found.image[-14:], found.mask) for found in series.slices] == [
        ("0000,0000b.dcm", "m/liver_GT_000.png"),
        ("0002,0000b.dcm", "m/liver_GT_002.png"),
    ]


def test_a_truncated_slice_is_a_problem(tmp_path: Path) -> None:
    images, masks = four()
    images["x2.dcm"] = images["x2.dcm"][:400]
    series = read_series(case(tmp_path, images, masks))
    assert problems(series) == {"i/x2.dcm": "dicom-truncated"}


@pytest.mark.parametrize(
    "litter", [".DS_Store", "Thumbs.db", "thumbs.db", "DICOMDIR", "desktop.ini", "._x1.dcm"]
)
def test_system_litter_is_passed_over(tmp_path: Path, litter: str) -> None:
    images, masks = four()
    series = read_series(case(tmp_path, {**images, litter: b"?"}, {**masks, litter: b"?"}))
    assert series.problems == ()
    assert len(series.slices) == 4


def test_names_that_only_look_like_litter_are_not_passed_over(tmp_path: Path) -> None:
    images, masks = four()
    series = read_series(case(tmp_path, {**images, "DICOMDIR.dcm": b"?"}, masks))
    assert problems(series)["i/DICOMDIR.dcm"] == "not-dicom"


def test_pairing_by_rank_leaves_a_warning_in_every_row(tmp_path: Path) -> None:
    images, _ = four()
    series = read_series(case(tmp_path, images, {f"mask{n}.png": MASK for n in "abcd"}))
    assert [found.mask for found in series.slices] == [f"m/mask{n}.png" for n in "abcd"]
    assert all("paired by rank" in found.warnings[-1] for found in series.slices)
    assert series.problems == ()


def test_slices_at_one_position_are_problems_and_the_others_keep_their_places(
    tmp_path: Path,
) -> None:
    images, masks = four()
    images["x2.dcm"] = at(5.5, BitsStored=12)
    series = read_series(case(tmp_path, images, masks))
    assert problems(series) == {"i/x2.dcm": "position-twice"}
    assert sources(series) == ["i/x0.dcm", "i/x3.dcm"]


def test_a_gap_is_reported_once_for_the_whole_series(tmp_path: Path) -> None:
    images, masks = four()
    del images["x2.dcm"], masks["x2.png"]
    images["x4.dcm"], masks["x4.png"] = at(22.0), MASK
    images["x5.dcm"], masks["x5.png"] = at(27.5), MASK
    series = read_series(case(tmp_path, images, masks))
    (warnings,) = {found.warnings for found in series.slices}
    assert warnings == (
        "1 uneven step of 4 between slices (11 mm after slice 1; 5.5 mm expected): "
        "export and assemble refuse it as a volume (gap)",
    )


def test_two_orientations_in_a_folder_are_a_problem_of_the_folder(tmp_path: Path) -> None:
    images, masks = four()
    images["x2.dcm"] = at(11.0, ImageOrientationPatient=[0, 1, 0, 0, 0, 1])
    series = read_series(case(tmp_path, images, masks))
    assert problems(series) == {"i": "orientation-mixed"}
    assert series.slices == ()


def test_the_files_of_the_other_orientation_are_named(tmp_path: Path) -> None:
    images, masks = four()
    images["x2.dcm"] = at(11.0, ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    (problem,) = read_series(case(tmp_path, images, masks)).problems
    assert problem.reason == "the slices lie in 2 orientations: 3 axial, 1 coronal (x2.dcm)"


@pytest.mark.parametrize("lost", ["ImagePositionPatient", "ImageOrientationPatient"])
def test_a_file_without_a_place_is_one_problem_and_the_others_keep_their_order(
    tmp_path: Path, lost: str
) -> None:
    images, masks = four()
    images["x2.dcm"] = at(11.0, **{lost: None}, InstanceNumber=1)
    series = read_series(case(tmp_path, images, masks))
    assert problems(series) == {"i/x2.dcm": "position-missing"}
    assert sources(series) == ["i/x0.dcm", "i/x1.dcm", "i/x3.dcm"]
    assert series.slice_spacing == 8.25  # the mean of 5.5 and 11


def test_a_slice_that_is_orthogonal_enough_has_an_orthogonal_orientation(tmp_path: Path) -> None:
    pixels = np.zeros((200, 200), np.uint16)
    slant = [1, 0, 0, 0.0001, 1, 0]
    images = {"x.dcm": dicom(pixels, ImageOrientationPatient=slant, PixelSpacing=[1, 1])}
    (found,) = read_series(case(tmp_path, images, None)).slices
    half = np.arctan(0.0001) / 2
    expected = [np.cos(half), -np.sin(half), 0, np.sin(half), np.cos(half), 0]
    assert np.allclose(found.header.image_orientation_patient or (), expected, atol=1e-8)
    assert "was not quite at right angles" in found.warnings[0]


def test_without_positions_instance_numbers_order_and_a_warning_says_so(tmp_path: Path) -> None:
    images = {f"x{n}.dcm": dicom(ImagePositionPatient=None, InstanceNumber=9 - n) for n in range(3)}
    series = read_series(case(tmp_path, images, None))
    assert sources(series) == ["i/x2.dcm", "i/x1.dcm", "i/x0.dcm"]
    assert all("ordered by InstanceNumber" in found.warnings[0] for found in series.slices)


def test_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    images, masks = four()
    outside, root = tmp_path / "outside.png", tmp_path / "root"
    outside.write_bytes(MASK)
    root.mkdir()
    del masks["x1.png"]
    case(root, images, masks)
    (root / "m" / "x1.png").symlink_to(outside)
    series = read_series(case(root, images, masks))
    assert problems(series) == {"m/x1.png": "file-link"}
    assert [found.index for found in series.slices] == [0, 2, 3]


def test_a_file_behind_a_link_out_of_the_root_may_be_a_link_back_into_it(tmp_path: Path) -> None:
    images, masks = four()
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    root.mkdir()
    made = case(root, images, masks)
    (root / "m").rename(elsewhere)
    (root / "m").symlink_to(elsewhere)
    (root / "kept.png").write_bytes(MASK)
    (elsewhere / "x1.png").unlink()
    (elsewhere / "x1.png").symlink_to(root / "kept.png")
    series = read_series(made)
    assert problems(series) == dict.fromkeys(("m/x0.png", "m/x2.png", "m/x3.png"), "file-link")
    assert [found.mask for found in series.slices] == ["m/x1.png"]


def test_a_link_within_the_root_is_followed(tmp_path: Path) -> None:
    images, masks = four()
    data = masks.pop("x1.png")
    case(tmp_path, images, masks)
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "abc").write_bytes(data)
    (tmp_path / "m" / "x1.png").symlink_to("../store/abc")
    assert read_series(case(tmp_path, images, masks)).problems == ()


def test_an_unreadable_mask_shifts_no_rank(tmp_path: Path) -> None:
    """One image damaged, one mask unreadable: the counts of the rest agree, their ranks do not."""
    images = {f"i{n:04d},0000b.dcm": at(2.0 * n) for n in range(4)}
    masks = {f"liver_GT_{n:03d}.png": MASK for n in range(4) if n != 2}
    images["i0000,0000b.dcm"] = b""
    case(tmp_path, images, masks, "rank")
    (tmp_path / "m" / "liver_GT_002.png").symlink_to("/dev/null")
    series = read_series(case(tmp_path, images, masks, "rank"))
    assert {found.image: found.mask for found in series.slices} == {
        "i/i0001,0000b.dcm": "m/liver_GT_001.png",
        "i/i0003,0000b.dcm": "m/liver_GT_003.png",
    }


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_what_is_no_regular_file_never_blocks(tmp_path: Path, kind: str) -> None:
    images, masks = four()
    case(tmp_path, images, masks)
    stranger = tmp_path / "i" / "stranger"
    stranger.mkdir() if kind == "folder" else os.mkfifo(stranger)
    assert problems(read_series(case(tmp_path, images, masks))) == {"i/stranger": "file-kind"}


def test_a_mask_that_is_no_image_is_a_problem(tmp_path: Path) -> None:
    images, masks = four()
    masks["x1.png"] = b"hello"
    series = read_series(case(tmp_path, images, masks))
    assert problems(series) == {"m/x1.png": "mask-unreadable"}


def test_the_inputs_change_with_any_byte_of_any_file(tmp_path: Path) -> None:
    images, masks = four()
    before = case(tmp_path, images, masks)
    digest = read_series(before).inputs
    assert before.inputs() == digest
    (tmp_path / "m" / "x3.png").write_bytes(MASK + b"\0")
    assert before.inputs() != digest


def test_no_problem_quotes_a_header(tmp_path: Path) -> None:
    images, masks = four()
    images["x1.dcm"] = at(5.5, PatientName="Secret^Name", SamplesPerPixel=3)
    images["x2.dcm"] = at(5.5, PatientName="Secret^Name")
    series = read_series(case(tmp_path, images, masks))
    assert "not-grey" in problems(series).values()
    assert "Secret" not in "".join(map(str, series.problems))
