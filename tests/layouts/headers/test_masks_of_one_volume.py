"""Several masks of one volume, volumes without any, and masks in a folder of their own."""

from pathlib import Path

import numpy as np
import pytest

from chaosprep.errors import ProblemsError, UsageError
from chaosprep.layouts.find import LayoutParams
from tests.layouts.headers.scans import (
    Labels,
    Scan,
    cases,
    codes,
    found,
    split,
    square,
    write_nifti,
    write_seg,
    write_structures,
)

pytest.importorskip("highdicom")

ONE = Scan()
TWO = Scan(patient="B-2", origin=(5.0, -7.5, 31.0))
LIVER: Labels = ONE.labels(1)
TUMOUR: Labels = np.roll(LIVER, 1, axis=2)


def test_masks_of_different_structures_are_one_label_map(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_seg(root / "s1", ONE.sources(), LIVER, ["liver"])
    spleen = ONE.labels(0, 0, 1)
    write_seg(root / "s2", ONE.sources(), spleen, ["spleen"])
    (case,) = cases(root).values()
    assert {value: label.name for value, label in case.labels.items()} == {1: "liver", 2: "spleen"}
    (planes,) = split(root).values()
    assert np.array_equal(planes, LIVER + 2 * spleen)


def test_where_they_overlap_a_value_stands_for_both(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_seg(root / "s1", ONE.sources(), LIVER, ["liver"])
    write_seg(root / "s2", ONE.sources(), TUMOUR, ["tumour"])
    (planes,) = split(root).values()
    assert np.array_equal(planes, LIVER + 2 * TUMOUR)  # 3 is the first value above the labels


def test_contours_and_segments_go_together(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_seg(root / "s1", ONE.sources(), LIVER, ["liver"])
    write_structures(root / "rt", ONE, "spleen")
    (planes,) = split(root).values()
    assert np.array_equal(planes, LIVER + 2 * square(ONE))


def twins(root: Path) -> None:
    ONE.write(root / "a")
    write_seg(root / "r1" / "s", ONE.sources(), LIVER, ["liver"])
    both = np.maximum(TUMOUR, 2 * ONE.labels(0, 0, 1))
    write_seg(root / "r2" / "s", ONE.sources(), both, ["liver", "spleen"])


def test_of_two_readers_none_is_preferred(tmp_path: Path) -> None:
    root = tmp_path / "root"
    twins(root)
    with pytest.raises(ProblemsError) as caught:
        split(root)
    (problem,) = caught.value.problems
    assert problem.code == "mask-names"
    assert "liver" in problem.reason


def test_one_reader_is_chosen_by_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "root"
    twins(root)
    (planes,) = split(root, masks="r1").values()
    assert np.array_equal(planes, LIVER)


def test_structures_that_one_mask_alone_has_are_chosen_by_name(tmp_path: Path) -> None:
    root = tmp_path / "root"
    twins(root)
    (planes,) = split(root, roi=("spleen",)).values()
    assert np.array_equal(planes != 0, ONE.labels(0, 0, 1) != 0)


def test_the_same_file_twice_counts_once(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    path = write_seg(root / "s1", ONE.sources(), LIVER)
    (root / "s2").write_bytes(path.read_bytes())
    (case,) = cases(root).values()
    assert case.masks == ("s1",)


def test_a_mask_without_names_beside_others_is_a_problem(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_seg(root / "s1", ONE.sources(), LIVER, ["liver"])
    write_nifti(root / "m.nii.gz", ONE, TUMOUR)
    with pytest.raises(ProblemsError) as caught:
        split(root)
    assert {problem.code for problem in caught.value.problems} == {"labels-unknown"}


def test_a_legend_names_a_mask_beside_others(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_seg(root / "s1", ONE.sources(), LIVER, ["liver"])
    write_nifti(root / "m" / "m.nii.gz", ONE, ONE.labels(0, 0, 1))
    (root / "m" / "labels.json").write_text('{"1": "spleen"}')
    (case,) = cases(root).values()
    assert {value: label.name for value, label in case.labels.items()} == {1: "liver", 2: "spleen"}
    (planes,) = split(root).values()
    assert np.array_equal(planes, LIVER + 2 * ONE.labels(0, 0, 1))


def test_files_that_are_called_as_structures_show_one_each(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    TWO.write(root / "b")
    write_nifti(root / "m" / "liver.nii.gz", ONE, LIVER)
    write_nifti(root / "m" / "spleen.nii.gz", ONE, ONE.labels(0, 0, 1))
    write_nifti(root / "n" / "spleen.nii.gz", TWO, TWO.labels(1))
    made = cases(root)
    assert made["a/1-0.dcm"].organs == {"m/liver.nii.gz": "liver", "m/spleen.nii.gz": "spleen"}
    assert made["b/1-0.dcm"].organs == {"n/spleen.nii.gz": "spleen"}
    planes = sorted(split(root).values(), key=lambda one: -int(one.sum()))
    expected = [LIVER + 2 * ONE.labels(0, 0, 1), 2 * TWO.labels(1)]
    expected.sort(key=lambda one: -int(one.sum()))
    assert all(map(np.array_equal, planes, expected))


def test_several_masks_that_say_nothing_are_a_problem(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_nifti(root / "m" / "reader1.nii.gz", ONE, LIVER)
    write_nifti(root / "m" / "reader2.nii.gz", ONE, TUMOUR)
    made = found(root)
    assert [problem.code for problem in made.problems] == ["mask-several"]
    assert all(case.refused for case in made.cases)


def test_a_series_without_a_mask_is_left_out_where_others_have_one(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    TWO.write(root / "b")
    write_seg(root / "s", ONE.sources(), LIVER)
    made = found(root)
    assert [case.images[0] for case in made.cases] == ["a/1-0.dcm"]
    assert made.notes[0].startswith("1 of 2 series have no mask and are left out")


def test_where_nobody_has_a_mask_all_are_taken(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    TWO.write(root / "b")
    made = found(root)
    assert len(made.cases) == 2
    assert made.notes == ()


def test_a_channel_without_a_mask_stays_beside_one_that_has_it(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    Scan(series="2", more={"EchoTime": "9"}).write(root / "b")
    TWO.write(root / "c")
    Scan(patient="B-2", series="2", more={"EchoTime": "9"}).write(root / "d")
    write_seg(root / "s", ONE.sources(), LIVER)
    series = tmp_path / "series.toml"
    series.write_text("[one]\nEchoTime = '4.6'\n[two]\nEchoTime = '9'\n")
    made = found(root, series=str(series))
    assert sorted(case.images[0] for case in made.cases) == ["a/1-0.dcm", "b/2-0.dcm"]


def test_one_of_all_that_fit_is_no_channel_beside_the_others(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    Scan(series="2").write(root / "b")
    write_seg(root / "s", ONE.sources(), LIVER)
    series = tmp_path / "series.toml"
    series.write_text("[one]\nEchoTime = '4.6'\npick = 'every'\n")
    made = found(root, series=str(series))
    assert [case.images[0] for case in made.cases] == ["a/1-0.dcm"]
    assert made.notes[0] == "1 of 2 series have no mask and are left out"


def test_masks_of_a_folder_beside_the_root_are_found(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "masks"
    ONE.write(root / "a")
    TWO.write(root / "b")
    write_seg(other / "x" / "s", ONE.sources(), LIVER)
    write_nifti(other / "m.nii.gz", TWO, 2 * TWO.labels(1))
    (other / "labels.json").write_text('{"2": "liver"}')
    made = cases(root, masks=str(other))
    assert made["a/1-0.dcm"].masks == ("../masks/x/s",)
    assert made["b/1-0.dcm"].masks == ("../masks/m.nii.gz",)
    written = split(root, masks=str(other))
    assert sorted(int((one > 0).sum()) for one in written.values()) == [18, 18]


def test_the_place_of_masks_elsewhere_is_not_written(tmp_path: Path) -> None:
    there = LayoutParams(layout="headers", masks=str(tmp_path / "masks"))
    below = LayoutParams(layout="headers", masks="all/masks")
    assert there.recorded().masks == "masks"
    assert below.recorded().masks == "all/masks"


def test_a_link_out_of_the_folder_of_masks_is_not_followed(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "masks"
    ONE.write(root / "a")
    secret = write_nifti(tmp_path / "secret" / "m.nii.gz", ONE, LIVER)
    write_nifti(other / "n.nii.gz", TWO, LIVER)
    (other / "m.nii.gz").symlink_to(secret)
    assert all(case.masks is None for case in found(root, masks=str(other)).cases)


def test_masks_of_the_folder_alone_are_taken(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_nifti(root / "old" / "m.nii.gz", ONE, TUMOUR)
    write_nifti(root / "new" / "m.nii.gz", ONE, LIVER)
    (case,) = cases(root, masks="new").values()
    assert case.masks == ("new/m.nii.gz",)


@pytest.mark.parametrize("masks", ["nowhere", "a", "{patient}.nii.gz"])
def test_a_folder_of_no_masks_is_a_usage_error(tmp_path: Path, masks: str) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    with pytest.raises(UsageError, match="masks: "):
        found(root, masks=masks)


def test_a_folder_that_may_be_two_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_nifti(root / "m" / "m.nii.gz", ONE, LIVER)
    write_nifti(tmp_path / "m" / "m.nii.gz", ONE, LIVER)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="also a different one here"):
        found(root, masks="m")


def test_what_a_person_calls_a_mask_is_one(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    grey = np.random.default_rng(1).integers(0, 900, LIVER.shape).astype(np.int16)
    write_nifti(root / "m" / "m.nii.gz", ONE, grey)
    assert [case.masks for case in cases(root, masks="m").values()] == [("m/m.nii.gz",)]
    assert codes(root, masks="m") == []
