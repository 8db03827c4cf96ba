"""extract-labels: structures by name from masks of any kind; what is overwritten is counted."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ChaosprepError, NothingFoundError, ProblemsError, UsageError
from chaosprep.facts import Code, Label
from chaosprep.terms import PRIVATE_SCHEME
from tests.layouts.trees import COLS, ROWS, png_of, slice_at, write

IMAGES = "scans/{patient}/{slice}.dcm"
NAMES = {"1": "spleen", "6": "liver", "7": "tumor"}
PLANES = np.array(
    [
        [[0, 6, 6, 6], [0, 6, 7, 6], [0, 0, 0, 0]],
        [[1, 1, 6, 6], [1, 1, 6, 6], [0, 0, 0, 0]],
    ],
    np.uint8,
)
"""Two slices, (rows, cols) each."""


def split(root: Path, planes: NDArray[np.uint8] = PLANES, **asked: Any) -> Dataset:
    """A label map in pictures, named by a legend beside them."""
    files = {
        f"scans/{name}/{at}.dcm": slice_at(at, n)
        for n, name in ((1, "7"), (2, "8"))
        for at in range(2)
    }
    files |= {f"m/{name}/{at}.png": png_of(planes[at]) for name in ("7", "8") for at in range(2)}
    files["m/dataset.json"] = json.dumps({"labels": NAMES}).encode()
    write(root / "root", files)
    masks = "m/{patient}/{slice}.png"
    return chaosprep.split(
        root / "root", root / "split", val=0, images=IMAGES, masks=masks, **asked
    )


def planes_of(dataset: Dataset, case: int = 0) -> NDArray[Any]:
    """The masks of a case, (slices, rows, cols)."""
    one = dataset.cases[case]
    return np.stack([np.asarray(one.mask(row)) for row in one.slices])


def overlapping(
    root: Path, tumour: NDArray[np.bool_], liver: NDArray[np.bool_], **more: NDArray[np.bool_]
) -> Dataset:
    """One file for each structure and slice; True is where it is."""
    files = {f"scans/7/{at}.dcm": slice_at(at) for at in range(2)}
    for at in range(2):
        files[f"m/7/tumour/{at}.png"] = png_of(tumour[at].astype(np.uint8) * 255)
        files[f"m/7/liver/{at}.png"] = png_of(liver[at].astype(np.uint8))
        files |= {
            f"m/7/{name}/{at}.png": png_of(one[at] * np.uint8(1)) for name, one in more.items()
        }
    write(root / "root", files)
    masks = "m/{patient}/{organ}/{slice}.png"
    return chaosprep.split(root / "root", root / "split", val=0, images=IMAGES, masks=masks)


def test_all_structures_keep_their_numbers(tmp_path: Path) -> None:
    made = chaosprep.extract_labels(split(tmp_path), tmp_path / "out")
    assert np.array_equal(planes_of(made), PLANES)
    assert {value: label.name for value, label in made.labels.items()} == {
        1: "spleen",
        6: "liver",
        7: "tumor",
    }


def test_what_is_not_asked_for_is_background(tmp_path: Path) -> None:
    made = chaosprep.extract_labels(split(tmp_path), tmp_path / "out", organ=["liver", "spleen"])
    assert np.array_equal(planes_of(made), np.where(PLANES == 7, 0, PLANES))
    assert {tuple(row.labels) for row in made.slices} == {(1, 6)}


def test_parts_become_one(tmp_path: Path) -> None:
    made = chaosprep.extract_labels(split(tmp_path), tmp_path / "out", merge=["liver=liver,tumor"])
    assert np.array_equal(planes_of(made), np.where(PLANES == 7, 6, PLANES))
    assert made.labels[6] == Label("liver", Code("SCT", "10200004", "Liver"))


def test_a_binary_mask_has_one_structure(tmp_path: Path) -> None:
    parent = split(tmp_path)
    made = chaosprep.extract_labels(parent, tmp_path / "out", organ=["spleen"], binary=True)
    assert np.array_equal(planes_of(made), np.where(PLANES == 1, 255, 0))
    with pytest.raises(UsageError, match="3 structures are taken"):
        chaosprep.extract_labels(parent, tmp_path / "several", binary=True)


def test_a_structure_that_a_case_does_not_show_keeps_its_number(tmp_path: Path) -> None:
    planes = np.where(PLANES == 1, 0, PLANES)
    made = chaosprep.extract_labels(split(tmp_path, planes), tmp_path / "out", organ=["spleen"])
    assert made.labels[1].name == "spleen"
    assert {tuple(row.pixels.items()) for row in made.slices} == {(("spleen", 0),)}


def test_slices_without_any_of_them_are_dropped_on_request(tmp_path: Path) -> None:
    parent = split(tmp_path)
    made = chaosprep.extract_labels(parent, tmp_path / "o", organ=["spleen"], drop_empty=True)
    assert [row.slice for row in made.slices] == [1, 1]
    empty = chaosprep.extract_labels(parent, tmp_path / "e", organ=["tumor"], drop_empty=True)
    assert [row.slice for row in empty.slices] == [0, 0]


def test_a_case_of_which_nothing_is_left_is_a_problem(tmp_path: Path) -> None:
    parent = split(tmp_path, np.where(PLANES == 7, 0, PLANES))
    with pytest.raises(ProblemsError) as caught:
        chaosprep.extract_labels(parent, tmp_path / "out", organ=["tumor"], drop_empty=True)
    assert {one.code for one in caught.value.problems} == {"organ-absent"}


TUMOUR = np.zeros((2, ROWS, COLS), np.bool_)
TUMOUR[0, 1, 1:3] = True
LIVER = np.zeros((2, ROWS, COLS), np.bool_)
LIVER[:, :2] = True
LIVER[0, 1, 2] = False  # a pixel of the tumour lies beside the liver


def test_overlapping_structures_need_an_order(tmp_path: Path) -> None:
    parent = overlapping(tmp_path, TUMOUR, LIVER)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.extract_labels(parent, tmp_path / "out")
    (problem,) = caught.value.problems
    assert problem.code == "structures-overlap"
    assert "--order 'tumour,liver,*'" in problem.remedy


def test_the_first_of_the_order_lies_on_top_and_the_rest_is_counted(tmp_path: Path) -> None:
    parent = overlapping(tmp_path, TUMOUR, LIVER)
    made = chaosprep.extract_labels(parent, tmp_path / "out", order="tumour,liver")
    names = {label.name: value for value, label in made.labels.items()}
    expected = np.where(TUMOUR, names["tumour"], np.where(LIVER, names["liver"], 0))
    assert np.array_equal(planes_of(made), expected)
    lost = int(np.count_nonzero(TUMOUR & LIVER))
    assert [row.overwritten for row in made.slices] == [{"liver": lost}, {}]
    assert made.slices[0].warnings[-1] == f"liver: others cover {lost} voxel of it"
    under = chaosprep.extract_labels(parent, tmp_path / "under", order="liver,tumour")
    assert np.array_equal(planes_of(under) == names["liver"], LIVER)


def test_merged_parts_need_no_order(tmp_path: Path) -> None:
    parent = overlapping(tmp_path, TUMOUR, LIVER)
    made = chaosprep.extract_labels(parent, tmp_path / "out", merge=["liver=liver,tumour"])
    assert np.array_equal(planes_of(made) > 0, TUMOUR | LIVER)


def test_one_of_overlapping_structures_is_whole(tmp_path: Path) -> None:
    parent = overlapping(tmp_path, TUMOUR, LIVER)
    for made in (
        chaosprep.extract_labels(parent, tmp_path / "a", organ=["liver"], binary=True),
        chaosprep.extract_liver(parent, tmp_path / "b"),
    ):
        assert np.array_equal(planes_of(made), LIVER * 255)
        assert made.labels == {255: Label("liver", Code("SCT", "10200004", "Liver"))}


def test_extract_liver_takes_the_structure_of_that_name(tmp_path: Path) -> None:
    parent = split(tmp_path)
    made = chaosprep.extract_liver(parent, tmp_path / "liver", mask_value=1)
    assert np.array_equal(planes_of(made), (PLANES == 6).astype(np.uint8))
    every = chaosprep.extract_liver(parent, tmp_path / "every", all_organs=True)
    assert np.array_equal(planes_of(every), np.select([PLANES == 6, PLANES == 1], [1, 4], 0))


def test_extract_liver_says_what_else_there_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no structure is called left-kidney") as caught:
        chaosprep.extract_liver(split(tmp_path), tmp_path / "out", organ="left-kidney")
    assert "extract-labels --organ NAME. There are: spleen, liver, tumor." in caught.value.remedy


@pytest.mark.parametrize(
    "asked", [{"range": (6, 6)}, {"levels": "chaos-2019-02"}, {"lenient_masks": True}]
)
def test_options_for_grey_levels_are_none_of_named_masks(
    tmp_path: Path, asked: Mapping[str, Any]
) -> None:
    with pytest.raises(UsageError, match="is for grey levels"):
        chaosprep.extract_liver(split(tmp_path), tmp_path / "out", **asked)


def test_grey_levels_go_through_extract_liver_first(pairs: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ChaosprepError, match="its masks are grey levels"):
        chaosprep.extract_labels(pairs, tmp_path / "out")
    organs = chaosprep.extract_liver(pairs, tmp_path / "organs", all_organs=True)
    made = chaosprep.extract_labels(organs, tmp_path / "out", merge=["kidneys=*kidney"])
    assert {label.name for label in made.labels.values()} == {"liver", "kidneys", "spleen"}


def test_prepare_goes_through_the_stage_that_the_masks_need(phantom: Path, tmp_path: Path) -> None:
    split(tmp_path)
    named: dict[str, Any] = {
        "images": IMAGES,
        "masks": "m/{patient}/{slice}.png",
        "val": 0,
        "copies": 1,
    }
    made = chaosprep.prepare(
        tmp_path / "root", tmp_path / "named", organ=["liver", "spleen"], swap_labels=True, **named
    )
    assert [one.stage for one in made.history] == ["split", "extract-labels", "convert", "augment"]
    assert [label.name for label in made.labels.values()] == ["spleen", "liver"]
    chaos = chaosprep.prepare(phantom, tmp_path / "chaos", organ="spleen", copies=0)
    assert chaos.history[1].stage == "extract-liver"
    with pytest.raises(UsageError, match="do not go through extract-labels"):
        chaosprep.prepare(phantom, tmp_path / "other", merge=["kidneys=*kidney"])
    with pytest.raises(UsageError, match="pancreas cannot be taken"):
        chaosprep.prepare(phantom, tmp_path / "other", organ=["pancreas"])
    with pytest.raises(UsageError, match="do not go through extract-liver"):
        chaosprep.prepare(tmp_path / "root", tmp_path / "again", lenient_masks=True, **named)


def test_the_numbers_of_a_part_are_those_of_the_whole(tmp_path: Path) -> None:
    parent = split(tmp_path)
    part = chaosprep.extract_labels(parent, tmp_path / "part", patient=["P007"])
    assert part.labels == chaosprep.extract_labels(parent, tmp_path / "whole").labels


def unnamed(root: Path) -> Dataset:
    """Masks whose values nobody named: 6 and 7 in one patient's, 1 in the other's."""
    files = {
        f"scans/{name}/{at}.dcm": slice_at(at, n)
        for n, name in ((1, "7"), (2, "8"))
        for at in range(2)
    }
    files |= {f"m/7/{at}.png": png_of(PLANES[0]) for at in range(2)}
    files |= {f"m/8/{at}.png": png_of(PLANES[1] * (PLANES[1] == 1)) for at in range(2)}
    masks = "m/{patient}/{slice}.png"
    write(root / "root", files)
    return chaosprep.split(root / "root", root / "split", val=0, images=IMAGES, masks=masks)


def test_values_that_nobody_named_can_be_taken_by_number(tmp_path: Path) -> None:
    parent = unnamed(tmp_path)
    made = chaosprep.extract_labels(parent, tmp_path / "out", rename=["label-6=liver"])
    assert made.label_map == {6: Label("liver", Code("SCT", "10200004", "Liver"))}
    with pytest.raises((UsageError, NothingFoundError), match="no structure is called liver"):
        chaosprep.extract_labels(parent, tmp_path / "no", organ=["liver"])


def test_any_mask_can_show_a_value_that_nobody_named_until_now(tmp_path: Path) -> None:
    made = chaosprep.extract_labels(unnamed(tmp_path), tmp_path / "out", rename=["label-6=liver"])
    assert [row.pixels["liver"] for row in made.slices] == [5, 5, 0, 0]


def test_unnamed_values_of_a_part_are_those_of_the_whole(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"merge": ["both=label-1,label-6"], "order": "label-7,both"}
    part = chaosprep.extract_labels(unnamed(tmp_path), tmp_path / "o", patient=["P007"], **asked)
    assert {value: label.name for value, label in part.label_map.items()} == {1: "both"}
    assert np.unique(planes_of(part)).tolist() == [0, 1, 7]


def test_unnamed_values_that_become_a_whole_do_not_get_the_code_of_its_name(tmp_path: Path) -> None:
    parent = unnamed(tmp_path)
    made = chaosprep.extract_labels(parent, tmp_path / "out", merge=["liver=label-1,label-6"])
    code = made.label_map[1].code
    assert code is not None
    assert code.scheme == PRIVATE_SCHEME


def test_unnamed_values_beside_named_ones_are_told_before_anything_is_written(
    tmp_path: Path,
) -> None:
    unnamed(tmp_path)
    named: dict[str, Any] = {
        "val": 0,
        "images": IMAGES,
        "masks": "m/{patient}/{slice}.png",
        "labels": "6=liver",
    }
    parent = chaosprep.split(tmp_path / "root", tmp_path / "named", **named)
    with pytest.raises(UsageError, match=r"3 structures are taken \(label-1, liver, label-7\)"):
        chaosprep.extract_labels(parent.directory, tmp_path / "out", binary=True)
    some = chaosprep.extract_labels(parent, tmp_path / "some", organ=["label-7"])
    assert np.unique(planes_of(some)).tolist() == [0, 7]


def test_the_order_that_is_proposed_hides_no_structure(tmp_path: Path) -> None:
    parent = overlapping(tmp_path, TUMOUR & LIVER, LIVER, body=np.ones_like(LIVER))
    with pytest.raises(ProblemsError) as caught:
        chaosprep.extract_labels(parent, tmp_path / "out")
    order = caught.value.problems[0].remedy.split("'")[1]
    made = chaosprep.extract_labels(parent, tmp_path / "again", order=order)
    assert all(sum(row.pixels[name] for row in made.slices) for name in ("tumour", "liver", "body"))


def test_a_structure_that_is_hidden_altogether_is_told(tmp_path: Path) -> None:
    parent = overlapping(tmp_path, TUMOUR & LIVER, LIVER)
    made = chaosprep.extract_labels(parent, tmp_path / "out", order="liver")
    assert any("nothing of it is left" in note for row in made.slices for note in row.warnings)


def test_a_structure_that_no_mask_of_the_dataset_shows_is_told(tmp_path: Path) -> None:
    parent = split(tmp_path, np.where(PLANES == 6, 5, PLANES).astype(np.uint8))
    note = "no mask of the dataset shows liver; they show label-5 and spleen and tumor"
    for made in (
        chaosprep.extract_labels(parent, tmp_path / "a", organ=["liver"]),
        chaosprep.extract_liver(parent, tmp_path / "b"),
    ):
        assert {row.warnings for row in made.slices} == {(note,)}


def test_a_structure_that_one_case_lacks_is_nothing_odd(tmp_path: Path) -> None:
    parent = split(tmp_path)
    made = chaosprep.extract_labels(parent, tmp_path / "a", organ=["tumor", "spleen"])
    assert not any(row.warnings for row in made.slices)


def test_a_case_whose_masks_lack_the_structure_says_so(tmp_path: Path) -> None:
    files = {f"scans/{n}/0.dcm": slice_at(0, n) for n in (7, 8)}
    shown = png_of((PLANES[0] > 0).astype(np.uint8))
    files |= {"m/7/liver/0.png": shown, "m/8/spleen/0.png": shown}
    write(tmp_path / "root", files)
    masks = "m/{patient}/{organ}/{slice}.png"
    parent = chaosprep.split(
        tmp_path / "root", tmp_path / "split", val=0, images=IMAGES, masks=masks
    )
    made = chaosprep.extract_labels(parent, tmp_path / "out", organ=["liver"])
    notes = [row.warnings for row in made.slices]
    assert notes == [(), ("its masks have no liver",)]
