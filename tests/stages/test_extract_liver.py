"""extract-liver: grey levels become a binary organ mask, or a label map of all organs."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import NothingFoundError, Problem, ProblemsError, UsageError
from chaosprep.facts import Label
from chaosprep.formats.pictures import MaskImage, read_mask
from chaosprep.params import make_params
from chaosprep.phantom import Patient, write_chaos
from chaosprep.stages.extract_liver import extract
from chaosprep.stages.organ_choice import ExtractLiverParams
from tests.formats.samples import chunk, png

SIZE = 16
Grey = NDArray[np.uint8]


def params(**fields: Any) -> ExtractLiverParams:
    return make_params(ExtractLiverParams, fields)


def levels(*values: int) -> MaskImage:
    return MaskImage(np.array([values], dtype=np.uint8), binary=False)


def taken(mask: MaskImage, **fields: Any) -> list[int]:
    (row,) = extract(mask, params(**fields))[0].tolist()
    return list(row)


def square(*values: int) -> Grey:
    """A mask in which each value covers a 4 x 4 square."""
    mask = np.zeros((SIZE, SIZE), dtype=np.uint8)
    for place, value in enumerate(values):
        mask[4 * place : 4 * place + 4, 4:8] = value
    return mask


def encoded(mask: Grey, format: str = "PNG", mode: str | None = None) -> bytes:
    """Encode by Pillow, not by the toolkit."""
    image, stream = Image.fromarray(mask), BytesIO()
    (image.convert(mode) if mode else image).save(stream, format=format)
    return stream.getvalue()


def with_masks(root: Path, *masks: bytes) -> Dataset:
    """A split dataset of one patient whose slices have these masks."""
    one = Patient(id=1, slices=len(masks), matrix=SIZE, sequences=("t1-in",))
    write_chaos(root / "chaos", [one])
    ground = sorted((root / "chaos/Train_Sets/MR/1/T1DUAL/Ground").iterdir())
    for file, data in zip(ground, masks, strict=True):
        file.write_bytes(data)
    return chaosprep.split(root / "chaos", root / "pairs", val=0)


def problem_of(parent: Dataset, output: Path, **fields: Any) -> Problem:
    with pytest.raises(ProblemsError) as caught:
        chaosprep.extract_liver(parent, output, **fields)
    (problem,) = caught.value.problems
    return problem


def masks_of(dataset: Dataset) -> list[list[int]]:
    """The grey levels of each mask, read by OpenCV."""
    found = []
    for row in dataset.slices:
        mask = cv2.imread(str(dataset.directory / str(row.mask)), cv2.IMREAD_UNCHANGED)
        assert mask is not None
        found.append(np.unique(mask).tolist())
    return found


# Levels


def test_the_liver_is_55_to_70_both_included() -> None:
    assert taken(levels(0, 55, 63, 70)) == [0, 255, 255, 255]
    for outside in (54, 71):
        assert taken(levels(outside, 63), lenient_masks=True) == [0, 255]
        with pytest.raises(chaosprep.ChaosprepError, match=f"{outside}: 1"):
            extract(levels(outside, 63), params())


@pytest.mark.parametrize(
    ("organ", "level", "low", "high"),
    [
        ("liver", 63, 55, 70),
        ("right-kidney", 126, 110, 135),
        ("left-kidney", 189, 175, 200),
        ("spleen", 252, 240, 255),
    ],
)
def test_each_organ_has_its_range(organ: str, level: int, low: int, high: int) -> None:
    others = [other for other in (63, 126, 189, 252) if other != level]
    assert taken(levels(low, level, high, 0, *others), organ=organ) == [255] * 3 + [0] * 4
    assert taken(levels(low - 1), organ=organ, lenient_masks=True) == [0]


def test_all_organs_become_labels_one_to_four() -> None:
    mask = levels(0, 55, 63, 70, 110, 135, 175, 200, 240, 255)
    assert taken(mask, all_organs=True) == [0, 1, 1, 1, 2, 2, 3, 3, 4, 4]


def test_the_first_release_has_its_own_levels() -> None:
    mask = levels(0, 80, 160, 240, 255)
    assert taken(mask, levels="chaos-2019-02") == [0, 255, 0, 0, 0]
    assert taken(mask, levels="chaos-2019-02", all_organs=True) == [0, 1, 2, 3, 4]


def test_a_range_of_ones_own_is_inclusive() -> None:
    mask = levels(0, 99, 100, 120, 121)
    assert taken(mask, range=[100, 120], lenient_masks=True) == [0, 0, 255, 255, 0]


def test_a_range_of_ones_own_leaves_the_known_organs_known() -> None:
    """The liver's own 63 is no stranger when another range is asked for."""
    assert taken(levels(0, 63, 100, 126, 252), range=[100, 100]) == [0, 0, 255, 0, 0]
    assert taken(levels(0, 63, 126), range=[60, 62]) == [0, 0, 0]
    assert taken(levels(0, 63, 126), range=[50, 130]) == [0, 255, 255]


def test_a_range_from_0_takes_the_black_around_the_organs() -> None:
    mask = read_mask(encoded(square(63, 126)))
    made, _ = extract(mask, params(range=[0, 10]))
    assert np.array_equal(made, np.where(square(63, 126) == 0, 255, 0))


def test_the_value_of_the_organ_may_be_one() -> None:
    assert taken(levels(0, 63, 126), mask_value=1) == [0, 1, 0]


def test_one_bit_masks_show_the_liver() -> None:
    mask = MaskImage(np.array([[0, 1, 1]], dtype=np.uint8), binary=True)
    assert taken(mask) == [0, 255, 255]
    assert taken(mask, mask_value=1) == [0, 1, 1]
    assert taken(mask, all_organs=True) == [0, 1, 1]
    with pytest.raises(chaosprep.ChaosprepError, match="shows the liver, not the spleen"):
        extract(mask, params(organ="spleen"))


def test_16_bit_masks_are_thresholded_at_their_own_levels() -> None:
    mask = MaskImage(np.array([[0, 63, 126]], dtype=np.uint16), binary=False)
    made, _ = extract(mask, params())
    assert made.dtype == np.uint8
    assert made.tolist() == [[0, 255, 0]]


@given(st.lists(st.integers(0, 255), min_size=1, max_size=30), st.integers(0, 255))
def test_a_mask_is_taken_right_or_refused_never_silently_empty(values: list[int], low: int) -> None:
    high = min(low + 15, 255)
    mask = levels(*values)
    try:
        made = taken(mask, range=[low, high], lenient_masks=True)
    except chaosprep.ChaosprepError as error:
        refused = error.code
    else:
        assert made == [255 if low <= value <= high else 0 for value in values]
        return
    assert refused == "mask-levels"
    assert not {*values} <= {*range(55, 71)}  # the liver's own levels


@pytest.mark.parametrize(
    "fields",
    [
        {"range": [70, 55]},
        {"range": [-1, 55]},
        {"range": [55]},
        {"organ": "heart"},
        {"all_organs": True, "range": [55, 70]},
        {"all_organs": True, "organ": "spleen"},
        {"mask_value": 2},
        {"levels": "chaos-2020"},
    ],
)
def test_parameters_that_make_no_sense_are_usage_errors(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        params(**fields)
    assert next(iter(fields)) in str(caught.value)


# The stage


def test_masks_hold_exactly_the_pixels_of_the_source_in_range(
    pairs: Dataset, livers: Dataset
) -> None:
    parents = {row.id: row for row in pairs.slices}
    for row in livers.slices:
        source = cv2.imread(str(pairs.directory / str(parents[row.id].mask)), cv2.IMREAD_UNCHANGED)
        mask = cv2.imread(str(livers.directory / str(row.mask)), cv2.IMREAD_UNCHANGED)
        assert source is not None
        assert mask is not None
        assert mask.dtype == np.uint8
        assert np.array_equal(mask, np.where((source >= 55) & (source <= 70), 255, 0))
        assert row.labels == {255: "liver"}
        assert row.pixels == {"liver": np.count_nonzero(mask)}
        assert row.parent == row.id
    assert sum(row.pixels["liver"] for row in livers.slices) > 0


def test_images_are_hard_links_of_the_parents(pairs: Dataset, livers: Dataset) -> None:
    for row in livers.slices:
        assert (livers.directory / row.image).samefile(pairs.directory / row.image)


def test_a_label_map_names_every_organ_in_every_row(pairs: Dataset, tmp_path: Path) -> None:
    made = chaosprep.extract_liver(pairs, tmp_path / "out", all_organs=True)
    names = {1: "liver", 2: "right-kidney", 3: "left-kidney", 4: "spleen"}
    assert all(row.labels == names for row in made.slices)
    assert all(sorted(row.pixels) == sorted(names.values()) for row in made.slices)
    for row, values in zip(made.slices, masks_of(made), strict=True):
        assert set(values) - {0} == {v for v, name in names.items() if row.pixels[name]}


def test_a_label_map_of_one_bit_masks_names_the_liver_alone(phantom: Path, tmp_path: Path) -> None:
    parent = chaosprep.split(phantom, tmp_path / "pairs", sequence=["ct"], val=0)
    made = chaosprep.extract_liver(parent, tmp_path / "out", all_organs=True)
    assert all(row.labels == {1: "liver"} for row in made.slices)
    assert all(list(row.pixels) == ["liver"] for row in made.slices)
    assert chaosprep.verify(made.directory).faults == ()


def test_one_bit_masks_among_grey_ones_name_what_the_case_does(tmp_path: Path) -> None:
    bit = BytesIO()
    Image.fromarray(square(63) > 0).save(bit, "PNG")
    parent = with_masks(tmp_path, encoded(square(63, 252)), bit.getvalue())
    made = chaosprep.extract_liver(parent, tmp_path / "out", all_organs=True)
    assert [sorted(row.labels) for row in made.slices] == [[1, 2, 3, 4]] * 2
    assert [(row.pixels["liver"] > 0, row.pixels["spleen"] > 0) for row in made.slices] == [
        (True, True),
        (True, False),
    ]
    assert chaosprep.verify(made.directory).faults == ()


def test_empty_slices_are_dropped_on_request(tmp_path: Path) -> None:
    parent = with_masks(tmp_path, *(encoded(square(*v)) for v in ([126], [63], [], [126, 63])))
    kept = chaosprep.extract_liver(parent, tmp_path / "kept")
    dropped = chaosprep.extract_liver(parent, tmp_path / "dropped", drop_empty=True)
    assert [row.slice for row in kept.slices] == [0, 1, 2, 3]
    assert [row.slice for row in dropped.slices] == [1, 3]
    assert len(list((tmp_path / "dropped/train/images").iterdir())) == 2
    assert len(list((tmp_path / "dropped/train/masks").iterdir())) == 2


def test_ct_masks_of_one_bit_work_through_the_stage(phantom: Path, tmp_path: Path) -> None:
    parent = chaosprep.split(phantom, tmp_path / "pairs", sequence=["ct"], val=0)
    made = chaosprep.extract_liver(parent, tmp_path / "out")
    for before, after in zip(parent.slices, made.slices, strict=True):
        bits = np.asarray(Image.open(parent.directory / str(before.mask)))
        assert bits.dtype == np.bool_
        mask = made.mask(after)
        assert mask is not None
        assert np.array_equal(mask, bits * np.uint8(255))
    assert sum(row.pixels["liver"] for row in made.slices) > 0


def test_slices_without_ground_truth_pass_through(tmp_path: Path) -> None:
    write_chaos(tmp_path / "r", [Patient(id=4, slices=2, matrix=16)], sets="Test_Sets")
    parent = chaosprep.split(tmp_path / "r", tmp_path / "pairs")
    made = chaosprep.extract_liver(parent, tmp_path / "out", drop_empty=True)
    assert [(row.mask, row.labels, row.warnings) for row in made.slices] == [(None, {}, ())] * 2


def test_a_case_that_never_shows_the_organ_warns_in_every_row(tmp_path: Path) -> None:
    parent = with_masks(tmp_path, encoded(square(252)), encoded(square()))
    made = chaosprep.extract_liver(parent, tmp_path / "out")
    for row in made.slices:
        (warning,) = row.warnings
        assert "no mask of the case shows liver (55-70)" in warning
        assert "spleen" in warning


def test_a_binary_mask_of_0_and_255_is_no_spleen(tmp_path: Path) -> None:
    parent = with_masks(tmp_path, encoded(square(255)))
    problem = problem_of(parent, tmp_path / "out")
    assert problem.code == "mask-levels"
    assert problem.reason.startswith("a binary mask")
    made = taken_with(tmp_path, parent, problem.remedy)
    mask = made.mask(made.slices[0])
    assert mask is not None
    assert np.array_equal(mask, square(255))


def test_a_case_that_shows_the_organ_once_does_not_warn(livers: Dataset) -> None:
    assert any(row.pixels["liver"] == 0 for row in livers.slices)
    assert all(row.warnings == () for row in livers.slices)


def test_a_case_does_not_vanish_because_every_slice_was_dropped(tmp_path: Path) -> None:
    parent = with_masks(tmp_path, encoded(square(252)))
    problem = problem_of(parent, tmp_path / "out", drop_empty=True)
    assert (problem.code, problem.id) == ("organ-absent", "MR001_t1-in")
    with pytest.raises(NothingFoundError):
        chaosprep.extract_liver(parent, tmp_path / "out", drop_empty=True, on_error="skip")


# What is refused, and the option that takes it


def interpolated() -> bytes:
    small = square(63, 126)[::2, ::2].copy()
    return encoded(np.asarray(cv2.resize(small, (SIZE, SIZE)), dtype=np.uint8))


def option_in(remedy: str) -> dict[str, Any]:
    """The parameters that a remedy names."""
    if found := re.search(r"--labels (\d+=liver)", remedy):
        return {"labels": found[1]}
    if found := re.search(r"--levels ([\w-]+)", remedy):
        return {"levels": found[1]}
    return {"lenient_masks": True} if "--lenient-masks" in remedy else {}


def taken_with(root: Path, parent: Dataset, remedy: str) -> Dataset:
    """What extract-liver makes where somebody does what a remedy says."""
    option = option_in(remedy)
    assert option
    if "labels" in option:
        parent, option = chaosprep.split(root / "chaos", root / "told", val=0, **option), {}
    return chaosprep.extract_liver(parent, root / "out", **option)


@pytest.mark.parametrize(
    ("data", "asked", "code", "shown"),
    [
        pytest.param(interpolated(), {}, "mask-levels", "0: ", id="interpolated"),
        pytest.param(
            encoded(square(80, 160, 240, 255)),
            {},
            "mask-levels",
            "0: 192, 80: 16, 160: 16, 240: 16, 255: 16",
            id="2019 release",
        ),
        pytest.param(encoded(square(80)), {}, "mask-levels", "80: 16", id="2019 liver alone"),
        pytest.param(
            encoded(square(63, 126)),
            {"levels": "chaos-2019-02"},
            "mask-levels",
            "63: 16, 126: 16",
            id="today's release read as that of 2019",
        ),
        pytest.param(encoded(square(1)), {}, "mask-levels", "0: 240, 1: 16", id="0 and 1"),
        pytest.param(
            encoded(square(1)), {"range": [60, 62]}, "mask-levels", "1: 16", id="wrong range"
        ),
        pytest.param(encoded(square(63), mode="RGB"), {}, "mask-not-grey", "63: 16", id="RGB"),
        pytest.param(encoded(square(63), mode="RGBA"), {}, "mask-not-grey", "63: 16", id="RGBA"),
        pytest.param(encoded(square(63), mode="LA"), {}, "mask-not-grey", "63: 16", id="alpha"),
        pytest.param(encoded(square(63), mode="P"), {}, "mask-not-grey", "63: 16", id="palette"),
        pytest.param(encoded(square(63), "JPEG"), {}, "mask-not-grey", "0: ", id="JPEG"),
    ],
)
def test_a_refusal_shows_the_histogram_and_the_option_that_takes_the_mask(
    tmp_path: Path, data: bytes, asked: dict[str, Any], code: str, shown: str
) -> None:
    parent = with_masks(tmp_path, data)
    problem = problem_of(parent, tmp_path / "out", **asked)
    assert (problem.code, problem.id) == (code, "MR001_t1-in_s000")
    assert shown in problem.reason

    made = taken_with(tmp_path, parent, problem.remedy)
    assert masks_of(made) == [[0, 255]]
    assert made.slices[0].pixels["liver"] >= 8


def test_lenient_masks_say_what_was_converted_and_what_was_not_taken(tmp_path: Path) -> None:
    parent = with_masks(tmp_path, encoded(square(63, 100), mode="RGB"), encoded(square(63)))
    made = chaosprep.extract_liver(parent, tmp_path / "out", lenient_masks=True)
    colour, grey = made.slices
    assert any("RGB PNG, converted to grey" in warning for warning in colour.warnings)
    assert any("taken as background" in warning for warning in colour.warnings)
    assert colour.pixels == {"liver": 16}
    assert grey.warnings == ()


def test_what_a_range_leaves_out_of_a_label_map_is_no_warning(tmp_path: Path) -> None:
    parent = with_masks(tmp_path, encoded(square(1, 2, 3, 4)), encoded(square(0, 2, 3)))
    made = chaosprep.extract_liver(parent, tmp_path / "out", range=(1, 1), lenient_masks=True)
    assert masks_of(made) == [[0, 255], [0]]
    assert [row.warnings for row in made.slices] == [(), ()]


def test_what_a_range_leaves_out_of_an_interpolated_mask_is_one(tmp_path: Path) -> None:
    parent = with_masks(tmp_path, interpolated())
    made = chaosprep.extract_liver(parent, tmp_path / "out", range=(60, 66), lenient_masks=True)
    assert "taken as background" in made.slices[0].warnings[-1]


def test_the_remedy_for_a_label_map_takes_the_organ_that_is_named(tmp_path: Path) -> None:
    parent = with_masks(tmp_path, encoded(square(1, 2, 3, 4)), encoded(square(0, 2)))
    with pytest.raises(ProblemsError) as caught:
        chaosprep.extract_liver(parent, tmp_path / "out")
    assert all("--labels 1=liver,2=spleen" in one.remedy for one in caught.value.problems)
    told = chaosprep.split(tmp_path / "chaos", tmp_path / "told", val=0, labels="1=liver,2=spleen")
    made = chaosprep.extract_liver(told, tmp_path / "out")
    assert [row.pixels for row in made.slices] == [{"liver": 16}, {"liver": 0}]


def test_what_another_range_shows_is_not_called_by_the_organs_name(tmp_path: Path) -> None:
    parent = with_masks(tmp_path, encoded(square(13, 63)))
    made = chaosprep.extract_liver(parent, tmp_path / "out", range=(13, 13), lenient_masks=True)
    assert made.labels == {255: Label("levels-13-13")}
    assert made.slices[0].labels == {255: "levels-13-13"}
    nearly = chaosprep.extract_liver(parent, tmp_path / "n", range=(50, 75), lenient_masks=True)
    assert nearly.slices[0].labels == {255: "liver"}


def test_beside_masks_of_other_levels_the_rest_of_a_case_is_not_believed(tmp_path: Path) -> None:
    blocks = np.zeros((SIZE, SIZE), np.uint8)
    blocks[:8, :8], blocks[8:, 8:] = 80, 240  # liver and left kidney of the first release
    parent = with_masks(tmp_path, encoded(blocks), encoded(square(63)))
    with pytest.raises(ProblemsError) as caught:
        chaosprep.extract_liver(parent, tmp_path / "out")
    first, rest = sorted(caught.value.problems, key=lambda one: len(one.id), reverse=True)
    assert "1 other mask of the case cannot be trusted either" in rest.reason
    assert first.remedy == rest.remedy
    assert "chaos-2019-02" in rest.remedy


def test_one_bad_mask_does_not_hide_another(tmp_path: Path) -> None:
    parent = with_masks(tmp_path, encoded(square(1)), encoded(square(63)), encoded(square(2)))
    with pytest.raises(ProblemsError) as caught:
        chaosprep.extract_liver(parent, tmp_path / "out")
    assert [problem.id[-4:] for problem in caught.value.problems] == ["s000", "s002"]
    made = chaosprep.extract_liver(parent, tmp_path / "out", on_error="skip")
    assert [row.slice for row in made.slices] == [1]


def test_exif_never_turns_a_mask(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turn by 90 degrees to display
    lines = [bytes(line) for line in square(63).tolist()]
    turned = png(lines, cols=SIZE, extra=chunk(b"eXIf", exif.tobytes()[6:]))
    made = chaosprep.extract_liver(with_masks(tmp_path, turned), tmp_path / "out")
    mask = made.mask(made.slices[0])
    assert mask is not None
    assert np.array_equal(mask, square(255))


def test_a_mask_that_changed_since_the_split_is_refused(tmp_path: Path) -> None:
    parent = with_masks(tmp_path, encoded(square(63)))
    (parent.directory / str(parent.slices[0].mask)).write_bytes(encoded(square(126)))
    assert problem_of(parent, tmp_path / "out").code == "hash"
