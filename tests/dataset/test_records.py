"""A row of the table is believed only after every field was checked."""

import json
import posixpath
from pathlib import PureWindowsPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.dataset.checking import check_path, decode_row
from chaosprep.dataset.descriptor import table_schema
from chaosprep.dataset.records import RARE, File, Slice, encode_row
from chaosprep.errors import ManifestError
from tests.running.toys import handmade_row

MASK = {"mask": "train/masks/a.png", "mask_sha256": "1" * 64, "mask_bytes": 9}


def refusal(**changes: Any) -> str:
    """Why a row with these changes is refused."""
    with pytest.raises(ManifestError) as caught:
        decode_row(json.dumps(handmade_row(**changes)).encode())
    return caught.value.reason


def test_a_row_is_read_into_typed_fields() -> None:
    line = json.dumps(handmade_row(spacing=[5.5, 1, 1.25], labels={"63": "liver"}, **MASK))
    row = decode_row(line.encode())
    assert (row.id, row.slice, row.copy, row.fold) == ("MR001_t1-in_s000", 0, 0, None)
    assert row.spacing == (5.5, 1.0, 1.25)
    assert row.labels == {63: "liver"}
    assert row.files()[1] == File("train/masks/a.png", "1" * 64, 9)


def test_a_row_without_ground_truth_has_one_file() -> None:
    row = decode_row(json.dumps(handmade_row()).encode())
    assert row.mask is None
    assert [file.path for file in row.files()] == ["train/images/MR001_t1-in_s000.png"]


def test_a_packed_file_has_a_container_and_an_offset_in_it() -> None:
    place = {"image_container": "train/images/MR001_t1-in.tar", "image_offset": 512}
    row = decode_row(json.dumps(handmade_row(**place)).encode())
    assert row.image_file[3:] == ("train/images/MR001_t1-in.tar", 512)
    assert row.image_file.place == "train/images/MR001_t1-in.tar"


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ({"image_container": "../a.tar", "image_offset": 512}, "is not a plain relative path"),
        ({"image_container": "train/a.tar"}, "it is not given together with image_offset"),
        ({"mask_offset": 512}, "it is not given together with mask_offset"),
        ({"image_container": "train/a.tar", "image_offset": -1}, "image_offset: "),
    ],
)
def test_a_place_in_a_container_is_whole_and_in_the_directory(
    place: dict[str, Any], reason: str
) -> None:
    assert reason in refusal(**place)


def test_an_encoded_row_is_one_flat_line_that_reads_back() -> None:
    row = decode_row(json.dumps(handmade_row(warnings=["one\ntwo"], **MASK)).encode())
    line = encode_row(row)
    assert b"\n" not in line
    assert set(json.loads(line)) == set(Slice.__struct_fields__) - {*RARE}
    assert decode_row(line) == row


def test_only_a_row_in_which_structures_overlap_says_so() -> None:
    overlaps: dict[str, Any] = {"labels": {"1": "liver", "2": "tumour"}, "overlaps": {"3": [1, 2]}}
    row = decode_row(
        json.dumps(handmade_row(**MASK, **overlaps, overwritten={"liver": 7})).encode()
    )
    assert (row.overlaps, row.overwritten) == ({3: (1, 2)}, {"liver": 7})
    assert decode_row(encode_row(row)) == row
    assert "overlaps" not in json.loads(encode_row(row.with_mask(None, pixels={})))


@pytest.mark.parametrize(
    "overlaps", [{"2": [1, 2]}, {"3": [1]}, {"3": [1, 1]}, {"3": [1, 4]}, {"3": []}, {"3": [2, 1]}]
)
def test_a_value_stands_for_several_labels_of_its_row_and_for_nothing_else(
    overlaps: dict[str, list[int]],
) -> None:
    labels = {"1": "liver", "2": "tumour"}
    assert refusal(labels=labels, overlaps=overlaps).startswith("overlaps")


def test_a_row_cannot_be_changed() -> None:
    row = decode_row(json.dumps(handmade_row()).encode())
    with pytest.raises(AttributeError):
        row.split = "val"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "001_t1-in_s000"),
        ("id", ""),
        ("id", "MR001/../x"),
        ("id", "MR001_t1-in_s000\n"),
        ("id", "MR001_t1-in_" + "s" * 200),
        ("case", 5),
        ("patient", "Döe"),
        ("slice", -1),
        ("slice", 1.5),
        ("slice", True),
        ("slice", "0"),
        ("copy", -1),
        ("split", "dev"),
        ("fold", -1),
        ("image", None),
        ("image_sha256", "0" * 63),
        ("image_sha256", "0" * 64 + "\n"),
        ("image_sha256", "A" * 64),
        ("image_bytes", 0),
        ("rows", 0),
        ("bits_stored", 0),
        ("spacing", [1.0, 1.0]),
        ("position", [0, 0, 0, 0]),
        ("orientation", [1, 0, 0]),
        ("slope", None),
        ("window", ["a", "b"]),
        ("window_source", "guess"),
        ("labels", {"liver": 63}),
        ("pixels", {"liver": -4}),
        ("source", None),
        ("parent", "../x"),
        ("augmentation", []),
        ("warnings", "odd"),
    ],
)
def test_a_wrong_value_is_refused_by_its_field(field: str, value: object) -> None:
    assert field in refusal(**{field: value})


@pytest.mark.parametrize("field", ["colour", "PatientName", ""])
def test_an_unknown_field_is_refused_by_its_name(field: str) -> None:
    assert f"unknown field `{field}`" in refusal(**{field: 1})


@pytest.mark.parametrize("field", ["id", "image", "labels", "source", "dtype"])
def test_a_missing_field_is_refused_by_its_name(field: str) -> None:
    row = handmade_row()
    del row[field]
    with pytest.raises(ManifestError, match=f"`{field}`"):
        decode_row(json.dumps(row).encode())


@pytest.mark.parametrize("left_out", ["mask", "mask_sha256", "mask_bytes"])
def test_mask_path_hash_and_size_come_together(left_out: str) -> None:
    assert refusal(**(MASK | {left_out: None})).startswith("mask: ")


@pytest.mark.parametrize("changes", [{"case": "MR001_t2-spir"}, {"patient": "MR002"}])
def test_ids_are_nested(changes: dict[str, str]) -> None:
    assert "does not begin with its case" in refusal(**changes)


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"[]", b"null", b"garbage", b'{"id": "\xff"}', b"\x80\x04N.", b"{" * 100_000],
)
def test_what_is_not_a_row_is_refused(line: bytes) -> None:
    with pytest.raises(ManifestError):
        decode_row(line)


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ManifestError):
        decode_row(json.dumps(handmade_row(slope=float("nan"))).encode())


def test_bottomless_nesting_is_refused() -> None:
    line = json.dumps(handmade_row(augmentation={"a": "HERE"}))
    deep = "[" * 100_000 + "]" * 100_000
    with pytest.raises(ManifestError, match="nested too deeply"):
        decode_row(line.replace('"HERE"', deep).encode())


BAD_PATHS = [
    "",
    ".",
    "..",
    "../x.png",
    "train/../../x.png",
    "train/..",
    "/etc/passwd",
    "//host/share/x",
    "./x.png",
    "train//x.png",
    "train/x.png/",
    "C:\\x.png",
    "C:x.png",
    "C:/x.png",
    "..\\x.png",
    "train\\x.png",
    "\\\\host\\share\\x",
    "x.png:stream",
    "x\0.png",
    "x\n.png",
]


@pytest.mark.parametrize("path", BAD_PATHS)
@pytest.mark.parametrize("field", ["image", "mask"])
def test_a_path_that_could_leave_its_directory_is_refused(field: str, path: str) -> None:
    reason = refusal(**(MASK | {field: path}))
    assert reason.startswith(f"{field}: ")
    assert "\0" not in reason
    assert "\n" not in reason


@given(st.text("ab./\\:C\0 ~", max_size=12))
def test_an_accepted_path_stays_below_its_directory_everywhere(path: str) -> None:
    try:
        check_path("image", path)
    except ManifestError:
        return
    assert posixpath.normpath(posixpath.join("/home", path)) == f"/home/{path}"
    assert path != ""
    windows = PureWindowsPath(path)
    assert (windows.drive, windows.root) == ("", "")
    assert windows.parts == tuple(path.split("/"))


@given(st.lists(st.text("abc-_09", min_size=1), min_size=1))
def test_a_plain_relative_path_is_accepted(parts: list[str]) -> None:
    check_path("image", "/".join(parts))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.sampled_from(Slice.__struct_fields__), json_values)
def test_no_value_of_any_field_gives_another_error(field: str, value: object) -> None:
    try:
        row = decode_row(json.dumps(handmade_row(**{field: value})).encode())
    except ManifestError:
        return
    assert decode_row(encode_row(row)) == row


@given(st.binary(max_size=40))
def test_no_bytes_give_another_error(line: bytes) -> None:
    with pytest.raises(ManifestError):
        decode_row(line)


def test_every_field_of_the_table_is_described_and_typed() -> None:
    fields = {field["name"]: field for field in table_schema(RARE)["fields"]}
    assert list(fields) == list(Slice.__struct_fields__)
    assert all(field["description"] for field in fields.values())
    types = {name: fields[name]["type"] for name in ("id", "slice", "slope", "spacing", "labels")}
    assert types == {
        "id": "string",
        "slice": "integer",
        "slope": "number",
        "spacing": "array",
        "labels": "object",
    }
    optional = {name for name, field in fields.items() if "constraints" not in field}
    assert optional == {
        *("fold", "mask", "mask_sha256", "mask_bytes", "spacing", "position", "orientation"),
        *("window", "padding", "grid", "frame", "parent", "augmentation"),
        *("overlaps", "overwritten", "folds", "scaling", "bias", "normalization"),
        *("image_container", "image_offset", "mask_container", "mask_offset"),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": {"0": "liver"}},
        {"labels": {"-1": "liver"}},
        {"labels": {"70000": "liver"}},
        {"spacing": [5.5, -1, 1]},
        {"spacing": [0, 1, 1]},
    ],
)
def test_labels_and_lengths_are_in_range(changes: dict[str, Any]) -> None:
    (field,) = changes
    assert field in refusal(**changes)
