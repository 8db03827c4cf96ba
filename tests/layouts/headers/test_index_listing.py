"""What lies below a root, by the index: everything once, and nothing from elsewhere."""

import os
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep.errors import ChaosprepError
from chaosprep.layouts.headers.catalog import Catalog
from chaosprep.layouts.headers.head import Entry
from chaosprep.layouts.headers.index import read_index
from chaosprep.layouts.headers.listing import list_below
from chaosprep.layouts.headers.passed_over import unlisted
from chaosprep.privacy.pseudonyms import Key
from chaosprep.workbench import ALONE
from tests.layouts.trees import slice_at, write


def found(root: Path) -> dict[str, str]:
    """Path -> kind, and what it is."""
    return {one.path: f"{one.kind} {one.what}".strip() for one in read_index(root, ALONE)}


def entry(root: Path, path: str) -> Entry:
    return next(one for one in read_index(root, ALONE) if one.path == path)


def test_files_are_found_whatever_they_are_called(tmp_path: Path) -> None:
    names = ("IM000001", "a/1.2.840.5", "a/b/x.jpg", "c d/ü ~.DCM", "#;1")
    write(tmp_path, dict.fromkeys(names, slice_at(0)))
    assert found(tmp_path) == dict.fromkeys(names, "image")


def test_entries_come_by_path(tmp_path: Path) -> None:
    names = ("b", "a/z", "a.dcm", "a/b/c", "B")
    write(tmp_path, dict.fromkeys(names, b""))
    assert [one.path for one in read_index(tmp_path, ALONE)] == sorted(names)


def test_litter_and_the_directory_of_a_disc_are_passed_over(tmp_path: Path) -> None:
    names = ("DICOMDIR", ".DS_Store", ".git/objects/ab", "Thumbs.db", "__MACOSX/._a", "here")
    write(tmp_path, dict.fromkeys(names, slice_at(0)))
    assert found(tmp_path) == {"here": "image"}


def test_an_empty_file_and_a_text_are_no_dicom(tmp_path: Path) -> None:
    write(tmp_path, {"empty": b"", "notes.txt": b"hello", "short.dcm": bytes(128) + b"DIC"})
    assert found(tmp_path) == dict.fromkeys(("empty", "notes.txt", "short.dcm"), "foreign")


def test_a_link_to_what_is_listed_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, {"a/one": slice_at(0)})
    (tmp_path / "two").symlink_to(tmp_path / "a/one")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "top").symlink_to(tmp_path)
    assert found(tmp_path) == {"a/one": "image"}


def test_a_link_out_of_the_root_is_counted_and_never_followed(tmp_path: Path) -> None:
    write(tmp_path, {"root/one": slice_at(0), "elsewhere/two": slice_at(1)})
    root = tmp_path / "root"
    (root / "file").symlink_to(tmp_path / "elsewhere/two")
    (root / "folder").symlink_to(tmp_path / "elsewhere")
    assert found(root) == {
        "one": "image",
        "file": "beside link that leads elsewhere",
        "folder": "beside link that leads elsewhere",
    }


def test_a_link_to_litter_inside_is_not_lost_in_silence(tmp_path: Path) -> None:
    write(tmp_path, {".git/annex/one": slice_at(0)})
    (tmp_path / "one.dcm").symlink_to(".git/annex/one")
    assert found(tmp_path) == {"one.dcm": "beside link that leads elsewhere"}


def test_links_in_a_circle_and_into_nothing_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "c").symlink_to("nowhere")
    (tmp_path / "d").mkdir()
    (tmp_path / "d/up").symlink_to("..")
    assert found(tmp_path) == dict.fromkeys("abc", "beside link that leads elsewhere")


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path, {"real/one": slice_at(0)})
    (tmp_path / "real/two").symlink_to("one")
    (tmp_path / "root").symlink_to("real")
    assert found(tmp_path / "root") == {"one": "image"}


def test_a_pipe_is_named_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert found(tmp_path) == {"pipe": "beside pipe or device"}


def test_names_that_are_no_utf_8_or_hold_control_characters_are_read(tmp_path: Path) -> None:
    names = (b"M\xfcller", b"a\nb", b"\x1b[31mred", b"c\xff\xfe/d\te")
    for name in names:
        write(tmp_path, {os.fsdecode(name): slice_at(0)})
    assert found(tmp_path) == {os.fsdecode(name): "image" for name in names}


def test_a_folder_that_cannot_be_listed_is_named_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"a/one": slice_at(0), "b/two": slice_at(1)})
    scandir = os.scandir

    def scanned(path: Any) -> Any:  # noqa: ANN401 - the tests may run as root, who may read all
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scanned)
    assert found(tmp_path) == {"a": "unreadable folder-unreadable", "b/two": "image"}


def test_a_folder_that_cannot_be_listed_is_a_problem_of_the_root() -> None:
    """Nobody knows whose slices it holds."""
    entries = (Entry(name, 0, 0, "unreadable", "folder-unreadable") for name in "ab")
    others = (*entries, Entry("c", 0, 0, "unreadable", "no-pixels"))
    (problem,) = unlisted(Catalog((), (), others), Key(bytes(16)))
    assert problem.code == "folders-unlisted"
    assert problem.reason == "2 folders below the root cannot be listed"


def test_a_root_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ChaosprepError) as caught:
        read_index(tmp_path / "nowhere", ALONE)
    assert caught.value.code == "folder-unreadable"


def test_a_file_that_goes_while_others_are_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"a": slice_at(0), "b": slice_at(1)})

    def and_gone(root: Path) -> Any:  # noqa: ANN401
        files = list_below(root)
        (root / "b").unlink()
        return files

    monkeypatch.setattr("chaosprep.layouts.headers.index.list_below", and_gone)
    assert found(tmp_path) == {"a": "image", "b": "unreadable file-missing"}


def test_size_and_time_are_those_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"a": slice_at(0)})
    os.utime(tmp_path / "a", ns=(0, 1_700_000_000_123_456_789))
    one = entry(tmp_path, "a")
    assert (one.size, one.mtime) == (len(slice_at(0)), 1_700_000_000_123_456_789)


def test_a_series_of_such_names_is_split(tmp_path: Path) -> None:
    for patient, place in product((1, 2, 3), range(2)):
        name = os.fsdecode(b"M\xfcller%d/a\n%d" % (patient, place))
        uids = {"SeriesInstanceUID": f"1.2.{patient}", "SOPInstanceUID": f"1.3.{patient}.{place}"}
        write(tmp_path / "root", {name: slice_at(place, patient, PatientID=f"P{patient}", **uids)})
    made = chaosprep.split(tmp_path / "root", tmp_path / "out", layout="headers")
    assert len(made.slices) == 6
