"""A manifest is untrusted input: nothing in it is believed before it is checked."""

import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.errors import FileError, ManifestError
from tests.running.toys import IMAGE, handmade, handmade_descriptor, handmade_row, within

ROW = handmade_row("MR001_t1-in_s000")
SECOND = handmade_row("MR001_t1-in_s001")
THIRD = handmade_row("MR002_t1-in_s000")


def refusal(directory: Path) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        within(5, lambda: open_dataset(directory))
    return caught.value


def read_first(directory: Path) -> bytes:
    """The first file of a directory, as a stage would read it."""
    case = open_dataset(directory).cases[0]
    return case.read(case.slices[0].image_file)


def reading_refused(directory: Path) -> FileError:
    with pytest.raises(FileError) as caught:
        within(5, lambda: read_first(directory))
    return caught.value


def test_the_rows_are_grouped_into_cases(tmp_path: Path) -> None:
    dataset = open_dataset(handmade(tmp_path / "d", ROW, SECOND, THIRD))
    assert [case.id for case in dataset.cases] == ["MR001_t1-in", "MR002_t1-in"]
    assert [[row.id for row in case.slices] for case in dataset.cases] == [
        ["MR001_t1-in_s000", "MR001_t1-in_s001"],
        ["MR002_t1-in_s000"],
    ]
    assert dataset.patients == ("MR001", "MR002")
    assert [row.id for row in dataset.slices] == [ROW["id"], SECOND["id"], THIRD["id"]]


def test_a_case_is_found_by_its_id(tmp_path: Path) -> None:
    dataset = open_dataset(handmade(tmp_path / "d", ROW, THIRD))
    assert dataset.case("MR002_t1-in").slices[0].id == THIRD["id"]
    with pytest.raises(KeyError):
        dataset.case("MR003_t1-in")


def test_the_table_becomes_a_data_frame(tmp_path: Path) -> None:
    frame = open_dataset(handmade(tmp_path / "d", ROW, THIRD)).to_pandas()
    assert list(frame["id"]) == [ROW["id"], THIRD["id"]]


def test_a_directory_without_a_descriptor_is_no_stage(tmp_path: Path) -> None:
    error = refusal(tmp_path)
    assert str(tmp_path) in error.reason
    assert "not a stage directory" in error.reason


def test_a_directory_that_is_not_there_is_no_stage(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere").code == "unfinished"


def test_an_unfinished_directory_is_refused_by_name(tmp_path: Path) -> None:
    directory = handmade(tmp_path / "d", ROW)
    (directory / "datapackage.json").unlink()
    (directory / ".chaosprep").mkdir()
    error = refusal(directory)
    assert (error.code, str(directory) in error.reason) == ("unfinished", True)
    assert "an unfinished stage" in error.reason
    assert "again" in error.remedy


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "garbage", '{"name": "\xff"}', "[" * 100_000, '{"name": "somebody-elses"}'],
)
def test_a_descriptor_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    directory = handmade(tmp_path / "d", ROW)
    (directory / "datapackage.json").write_bytes(text.encode("latin-1"))
    assert refusal(directory).code == "manifest"


def test_a_descriptor_nested_without_end_is_refused(tmp_path: Path) -> None:
    directory = handmade(tmp_path / "d", ROW, made={"parameters": {"a": "HERE"}})
    text = (directory / "datapackage.json").read_text()
    (directory / "datapackage.json").write_text(text.replace('"HERE"', "[" * 50_000 + "]" * 50_000))
    assert refusal(directory).code == "manifest"


def test_a_descriptor_of_a_later_release_is_refused(tmp_path: Path) -> None:
    directory = handmade(tmp_path / "d", ROW, manifest_version=2)
    assert refusal(directory).code == "manifest-version"


def test_an_unknown_field_of_the_provenance_is_refused_by_name(tmp_path: Path) -> None:
    directory = handmade(tmp_path / "d", ROW, host="somebody's machine")
    error = refusal(directory)
    assert "datapackage.json" in error.reason
    assert "chaosprep has no host, only stage, " in error.reason


def test_a_descriptor_must_name_the_table(tmp_path: Path) -> None:
    directory = handmade(tmp_path / "d", ROW)
    descriptor = handmade_descriptor((directory / "slices.jsonl").read_bytes())
    descriptor["resources"][0]["path"] = "../slices.jsonl"
    (directory / "datapackage.json").write_text(json.dumps(descriptor))
    assert "names no slices.jsonl" in refusal(directory).reason


def test_a_table_that_is_not_the_recorded_one_is_refused(tmp_path: Path) -> None:
    directory = handmade(tmp_path / "d", ROW)
    with (directory / "slices.jsonl").open("a") as file:
        file.write(json.dumps(SECOND) + "\n")
    error = refusal(directory)
    assert (error.code, "slices.jsonl" in error.reason) == ("manifest-hash", True)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    directory = handmade(tmp_path / "d", ROW)
    (directory / "slices.jsonl").unlink()
    assert "slices.jsonl" in refusal(directory).reason


@pytest.mark.parametrize("name", ["slices.jsonl", "datapackage.json"])
def test_a_fifo_in_place_of_a_manifest_file_does_not_block(tmp_path: Path, name: str) -> None:
    directory = handmade(tmp_path / "d", ROW)
    (directory / name).unlink()
    os.mkfifo(directory / name)
    assert "not a regular file" in refusal(directory).reason


@pytest.mark.parametrize("name", ["slices.jsonl", "datapackage.json"])
def test_a_link_in_place_of_a_manifest_file_is_refused(tmp_path: Path, name: str) -> None:
    directory = handmade(tmp_path / "d", ROW)
    (directory / name).rename(tmp_path / name)
    (directory / name).symlink_to(tmp_path / name)
    assert "symbolic link" in refusal(directory).reason


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"colour": "red"}, "`colour`"),
        ({"rows": "two"}, "rows: "),
        ({"image": "../../etc/passwd"}, "image: "),
        ({"image": "/etc/passwd"}, "image: "),
        ({"image": "C:\\x.png"}, "image: "),
        ({"image": "train\\x.png"}, "image: "),
        ({"image": "train/\0.png"}, "image: "),
        ({"id": ROW["id"]}, "id: "),
        ({"id": "MR000_t1-in_s000", "case": "MR000_t1-in", "patient": "MR000"}, "id: "),
        ({"mask": "train/masks/a.png"}, "mask: "),
    ],
)
def test_a_wrong_row_is_refused_with_file_line_and_field(
    tmp_path: Path, changes: dict[str, Any], field: str
) -> None:
    directory = handmade(tmp_path / "d", ROW, SECOND | changes, THIRD)
    place, _, reason = refusal(directory).reason.partition(" line 2: ")
    assert place == str(directory / "slices.jsonl")
    assert field in reason


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    assert "occurs twice" in refusal(handmade(tmp_path / "d", ROW, ROW)).reason


def test_ids_out_of_order_are_refused(tmp_path: Path) -> None:
    assert "out of order" in refusal(handmade(tmp_path / "d", SECOND, ROW)).reason


def test_a_case_that_goes_on_after_another_is_refused(tmp_path: Path) -> None:
    """In order of id, a case can still be torn apart; two cases of one name would lose slices."""
    case = {"case": "MR001_t1", "patient": "MR001"}
    rows = [
        handmade_row("MR001_t1_a", **case),
        handmade_row("MR001_t1_b_c", case="MR001_t1_b", patient="MR001"),
        handmade_row("MR001_t1_d", **case),
    ]
    error = refusal(handmade(tmp_path / "d", *rows))
    assert "line 3: case: 'MR001_t1'" in error.reason


def test_a_recorded_file_is_read(tmp_path: Path) -> None:
    assert read_first(handmade(tmp_path / "d", ROW)) == IMAGE


def test_a_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    directory = handmade(tmp_path / "d", ROW)
    (directory / ROW["image"]).write_bytes(IMAGE[:-1])
    assert reading_refused(directory).code == "hash"


def gone(image: Path, outside: Path) -> None:
    image.unlink()


def linked(image: Path, outside: Path) -> None:
    image.rename(outside / "a.png")
    image.symlink_to(outside / "a.png")


def linked_inside(image: Path, outside: Path) -> None:
    image.rename(image.with_name("b.png"))
    image.symlink_to("b.png")


def fifo(image: Path, outside: Path) -> None:
    image.unlink()
    os.mkfifo(image)


def folder(image: Path, outside: Path) -> None:
    image.unlink()
    image.mkdir()


def linked_folder(image: Path, outside: Path) -> None:
    image.parent.rename(outside / "images")
    image.parent.symlink_to(outside / "images")


def folder_loop(image: Path, outside: Path) -> None:
    image.unlink()
    image.parent.rmdir()
    image.parent.symlink_to("images")


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (gone, "file-missing"),
        (linked, "file-link"),
        (linked_inside, "file-link"),
        (fifo, "file-kind"),
        (folder, "file-kind"),
        (linked_folder, "file-link"),
        (folder_loop, "file-link"),
    ],
)
def test_what_is_not_the_file_itself_is_refused(
    tmp_path: Path, harm: Callable[[Path, Path], None], code: str
) -> None:
    directory = handmade(tmp_path / "d", ROW)
    (tmp_path / "outside").mkdir()
    harm(directory / ROW["image"], tmp_path / "outside")
    assert reading_refused(directory).code == code


def by_links(directory: Path) -> Path:
    """Say in the descriptor that the files were brought in as symbolic links."""
    text = (directory / "datapackage.json").read_text()
    made = text.replace('"parameters": {}', '"parameters": {"link": "sym"}')
    (directory / "datapackage.json").write_text(made)
    return directory


def test_links_are_followed_where_split_made_them(tmp_path: Path) -> None:
    directory = by_links(handmade(tmp_path / "d", ROW))
    linked(directory / ROW["image"], tmp_path)
    assert read_first(directory) == IMAGE


def test_a_followed_link_still_needs_the_recorded_bytes(tmp_path: Path) -> None:
    directory = by_links(handmade(tmp_path / "d", ROW))
    linked(directory / ROW["image"], tmp_path)
    (tmp_path / "a.png").write_bytes(b"somebody else's file")
    assert reading_refused(directory).code == "hash"


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "executed",)

    buffer = io.BytesIO()
    np.save(buffer, np.array([[Payload()]], dtype=object), allow_pickle=True)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    row = ROW | {"image": "train/images/a.npy", "image_sha256": digest}
    directory = handmade(tmp_path / "d", row)
    (directory / row["image"]).write_bytes(buffer.getvalue())
    dataset: Dataset = open_dataset(directory)
    with pytest.raises(FileError):
        dataset.image(dataset.slices[0])
    assert not (tmp_path / "executed").exists()


def test_a_pickle_in_place_of_a_manifest_file_is_refused(tmp_path: Path) -> None:
    directory = handmade(tmp_path / "d", ROW)
    (directory / "datapackage.json").write_bytes(b"cos\nsystem\n(S'touch executed'\ntR.")
    assert refusal(directory).code == "manifest"
