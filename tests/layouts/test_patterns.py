"""Patterns: which files fit, and what stands for what."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.errors import UsageError
from chaosprep.layouts.patterns import Found, list_pattern, parse, stem
from tests.layouts.trees import write


def found(root: Path, pattern: str, *paths: str) -> set[Found]:
    """What a pattern finds among files; nothing may stand in the way."""
    listing = list_pattern(parse("images", pattern), write(root, dict.fromkeys(paths, b"")))
    assert listing.errors == ()
    assert len(set(listing.files)) == len(listing.files)
    return set(listing.files)


def errors(root: Path, pattern: str, *paths: str) -> dict[str, str]:
    listing = list_pattern(parse("images", pattern), write(root, dict.fromkeys(paths, b"")))
    return {path: error.code for path, error in listing.errors}


def test_placeholders_stand_for_parts_of_a_path(tmp_path: Path) -> None:
    assert found(tmp_path, "scans/{patient}/{sequence}/{slice}.dcm", "scans/7/t2/001.dcm") == {
        Found("scans/7/t2/001.dcm", "7", "t2", "001")
    }


def test_several_placeholders_share_a_name_with_text_between(tmp_path: Path) -> None:
    assert found(tmp_path, "x/case{patient}_{slice}.dcm", "x/case7_12.dcm") == {
        Found("x/case7_12.dcm", "7", None, "12")
    }


def test_a_placeholder_never_crosses_a_slash(tmp_path: Path) -> None:
    assert found(tmp_path, "scans/{slice}.dcm", "scans/7/001.dcm", "001.dcm") == set()


def test_the_same_placeholder_is_the_same_text_everywhere(tmp_path: Path) -> None:
    paths = ("a/7/7_1.dcm", "a/7/8_2.dcm", "a/x-x/1.dcm")
    assert found(tmp_path, "a/{patient}/{patient}_{slice}.dcm", *paths) == {
        Found("a/7/7_1.dcm", "7", None, "1")
    }


@pytest.mark.parametrize("sign", ["*", "?", "[0-9]", ".", "+", "(x)", "^", "$", "|"])
def test_everything_else_stands_for_itself(tmp_path: Path, sign: str) -> None:
    mine, other = f"a{sign}b/001.dcm", "a0b/001.dcm"
    assert {f.path for f in found(tmp_path, f"a{sign}b/{{slice}}.dcm", mine, other)} == {mine}


def test_text_matches_in_any_case_so_that_no_ending_is_lost(tmp_path: Path) -> None:
    assert {f.slice for f in found(tmp_path, "a/{slice}.dcm", "a/1.dcm", "a/2.DCM")} == {"1", "2"}


def test_one_name_read_in_two_ways_is_an_error_not_a_guess(tmp_path: Path) -> None:
    """Is the patient `p` or `p_01`? A wrong guess puts one patient on two sides of a split."""
    pattern = "{patient}_{slice}.dcm"
    assert errors(tmp_path, pattern, "p_01_002.dcm") == {"p_01_002.dcm": "name-ambiguous"}


def test_a_pattern_without_slice_names_a_folder_whose_files_go_by_their_stems(
    tmp_path: Path,
) -> None:
    assert found(tmp_path, "scans/{patient}", "scans/7/IM1.dcm", "scans/7/IM2") == {
        Found("scans/7/IM1.dcm", "7", None, "IM1"),
        Found("scans/7/IM2", "7", None, "IM2"),
    }


def test_a_pattern_without_slice_may_name_a_file(tmp_path: Path) -> None:
    paths = ("a/7.nii.gz", "a/12.nii.gz")
    expected = {Found("a/7.nii.gz", "7"), Found("a/12.nii.gz", "12")}
    assert found(tmp_path / "1", "a/{patient}.nii.gz", *paths) == expected
    assert found(tmp_path / "2", "a/{patient}", *paths) == expected


def test_a_placeholder_at_the_end_leaves_the_ending_of_a_file_alone(tmp_path: Path) -> None:
    assert {f.slice for f in found(tmp_path, "a/{slice}", "a/1.dcm", "a/1.2.840.1")} == {
        "1",
        "1.2.840.1",
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("001.dcm", "001"),
        ("mask.nii.gz", "mask"),
        ("MASK.NII.GZ", "MASK"),
        ("mask.seg.nrrd", "mask"),
        ("mask.nrrd", "mask"),
        ("a.seg.mha", "a.seg"),
        ("IM001", "IM001"),
        ("1.2.840.10008", "1.2.840.10008"),
        ("i0000,0000b.dcm", "i0000,0000b"),
        (".dcm", ".dcm"),
    ],
)
def test_the_stem_of_a_name(name: str, expected: str) -> None:
    assert stem(name) == expected


def test_a_plain_folder_has_a_folder_for_each_patient(tmp_path: Path) -> None:
    assert found(tmp_path, "scans", "scans/7/001.dcm", "scans/7/deep/er/002.dcm") == {
        Found("scans/7/001.dcm", "7", None, "001"),
        Found("scans/7/deep/er/002.dcm", "7", None, "deep/er/002"),
    }


def test_a_file_beside_the_patients_of_a_plain_folder_is_nobodys(tmp_path: Path) -> None:
    assert errors(tmp_path, "scans", "scans/stray.dcm") == {"scans/stray.dcm": "patient-missing"}


def test_a_folder_among_the_files_of_a_series_is_an_error(tmp_path: Path) -> None:
    """Else a series in a deeper folder would just not be there."""
    paths = ("scans/7/1.dcm", "scans/7/t2/1.dcm")
    assert errors(tmp_path, "scans/{patient}", *paths) == {"scans/7/t2": "folder-inside"}


def test_system_litter_is_passed_over(tmp_path: Path) -> None:
    paths = ("a/7/1.dcm", "a/7/.DS_Store", "a/7/Thumbs.db", "a/.git/1.dcm", "__MACOSX/7/1.dcm")
    assert {f.path for f in found(tmp_path / "1", "a/{patient}/{slice}", *paths)} == {"a/7/1.dcm"}
    assert {f.path for f in found(tmp_path / "2", "{patient}/{slice}.dcm", *paths)} == set()
    assert {f.path for f in found(tmp_path / "3", "a", *paths)} == {"a/7/1.dcm"}


def test_names_in_both_unicode_forms_are_one_name(tmp_path: Path) -> None:
    composed, decomposed = "M\u00fcller", "Mu\u0308ller"
    (file,) = found(tmp_path, f"{composed}/{{patient}}/{{slice}}", f"{decomposed}/{decomposed}/1")
    assert file.patient == composed


@pytest.mark.parametrize("pattern", ["a", "a/{patient}", "a/{patient}/{slice}.dcm"])
def test_a_folder_that_is_a_link_out_of_the_root_is_an_error(tmp_path: Path, pattern: str) -> None:
    write(tmp_path / "other", {"1.dcm": b""})
    (tmp_path / "root/a").mkdir(parents=True)
    (tmp_path / "root/a/7").symlink_to(tmp_path / "other")
    assert errors(tmp_path / "root", pattern) == {"a/7": "folder-link"}


def test_a_plain_folder_that_is_a_link_out_of_the_root_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "other", {"7/1.dcm": b""})
    (tmp_path / "root").mkdir()
    (tmp_path / "root/a").symlink_to(tmp_path / "other")
    assert errors(tmp_path / "root", "a") == {"a": "folder-link"}


def test_a_link_within_the_root_is_followed_and_a_circle_ends(tmp_path: Path) -> None:
    write(tmp_path, {"store/1.dcm": b""})
    (tmp_path / "a").mkdir()
    (tmp_path / "a/7").symlink_to("../store")
    (tmp_path / "a/up").symlink_to("..")
    assert {f.path for f in found(tmp_path, "a/{patient}/{slice}.dcm")} == {"a/7/1.dcm"}


@pytest.mark.parametrize("name", [b"IMG-\xff.dcm", b"IMG\n1.dcm"])
def test_a_name_that_no_manifest_can_hold_is_an_error(tmp_path: Path, name: bytes) -> None:
    try:
        write(tmp_path, {os.fsdecode(b"a/" + name): b""})
    except OSError:
        pytest.skip("the file system refuses such names itself")
    assert list(errors(tmp_path, "a/{slice}.dcm").values()) == ["name-broken"]


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("/data/{patient}", "relative"),
        ("../{patient}", "relative"),
        ("a/../b", "relative"),
        ("a//b", "relative"),
        ("", "relative"),
        ("a/\0", "relative"),
        ("{study}/{slice}", "placeholder in braces"),
        ("a/{patient", "placeholder in braces"),
        ("a/{}", "placeholder in braces"),
        ("{patient}{slice}", "side by side"),
    ],
)
def test_a_pattern_that_makes_no_sense_is_a_usage_error(pattern: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        parse("masks", pattern)
    assert str(caught.value).startswith("masks: ")


@pytest.mark.parametrize("pattern", ["./a/{slice}", "a/{slice}/"])
def test_dots_and_slashes_at_the_ends_do_not_matter(pattern: str) -> None:
    assert parse("images", pattern) == parse("images", "a/{slice}")


WORD = st.text("abcXYZ0123", min_size=1, max_size=6)


@given(WORD, WORD, WORD)
def test_what_was_put_in_comes_out(patient: str, sequence: str, slice: str) -> None:
    import tempfile

    pattern = "p-{patient}/{sequence}/s_{slice}.dcm"
    path = pattern.format(patient=patient, sequence=sequence, slice=slice)
    with tempfile.TemporaryDirectory() as folder:
        assert found(Path(folder), pattern, path) == {Found(path, patient, sequence, slice)}
