"""What a text of `--labels` means, or what is wrong with it."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.errors import UsageError
from chaosprep.facts import Code, Label
from chaosprep.formats.label_table import LabelTable, parse_labels, table_text
from chaosprep.formats.legends.entries import Color, LevelRange
from chaosprep.structures import folded


def named(table: LabelTable) -> dict[int, str]:
    return {value: label.name for value, label in table.legend.items()}


def refused(text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parse_labels(text)
    assert caught.value.code == "labels"
    assert caught.value.reason.startswith("--labels: ")
    assert caught.value.remedy
    return caught.value


# Numbers


def test_numbers_are_the_values_of_their_labels() -> None:
    table = parse_labels("1=liver, 13 = right-kidney ,65535=liver tumour")
    assert named(table) == {1: "liver", 13: "right-kidney", 65535: "liver tumour"}
    assert all(label.code is None for label in table.legend.values())
    assert table.is_kept


def test_numbers_without_a_name_stay_what_they_are() -> None:
    table = parse_labels("1=liver,7=Background")
    expected = np.arange(65536)
    expected[7] = 0
    np.testing.assert_array_equal(table.lookup(), expected)
    assert np.flatnonzero(table.listed()).tolist() == [0, 1, 7]
    assert named(table) == {1: "liver"}


def test_the_background_may_be_named() -> None:
    assert named(parse_labels("0=background,1=liver")) == {1: "liver"}


def test_a_name_may_have_an_equals_sign() -> None:
    assert named(parse_labels("1=a=b")) == {1: "a=b"}


# Levels


def test_levels_are_numbered_in_their_order() -> None:
    table = parse_labels("175..200=kidney,55..70=liver,80=kidney,90..99=background")
    assert named(table) == {1: "kidney", 2: "liver"}
    assert table.keys == (
        (LevelRange(175, 200), 1),
        (LevelRange(55, 70), 2),
        (LevelRange(80, 80), 1),
        (LevelRange(90, 99), 0),
    )
    assert not table.is_kept


def test_levels_are_looked_up_both_ends_included() -> None:
    table = parse_labels("175..200=kidney,55..70=liver,80=kidney,90..99=background")
    expected = np.zeros(65536, np.uint16)
    expected[[*range(175, 201), 80]] = 1
    expected[55:71] = 2
    np.testing.assert_array_equal(table.lookup(), expected)
    assert table.lookup().dtype == np.uint16
    spoken = {0, *range(55, 71), 80, *range(90, 100), *range(175, 201)}
    assert set(np.flatnonzero(table.listed()).tolist()) == spoken
    assert table.ranges == ((0, 0, 0), (55, 70, 2), (80, 80, 1), (90, 99, 0), (175, 200, 1))


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("chaos", {63: "liver", 126: "right-kidney", 189: "left-kidney", 252: "spleen"}),
        ("chaos-2019-02", {80: "liver", 160: "right-kidney", 240: "left-kidney", 255: "spleen"}),
    ],
)
def test_a_table_is_known_by_name(name: str, levels: dict[int, str]) -> None:
    table = parse_labels(name)
    lookup = table.lookup()
    assert {level: table.legend[int(lookup[level])].name for level in levels} == levels
    assert table.legend[1] == Label("liver", Code("SCT", "10200004", "Liver"))
    assert table.known == table_text(table) == name
    assert not lookup[[0, 20, 100, 220, 256]].any()


# Colours


def test_colors_are_numbered_in_their_order() -> None:
    table = parse_labels("#F00=liver,#00ff00=spleen,#0a0B0c=liver")
    assert named(table) == {1: "liver", 2: "spleen"}
    black = {(0, 0, 0): 0}
    assert table.colors == {**black, (255, 0, 0): 1, (0, 255, 0): 2, (10, 11, 12): 1}
    assert table.keys[0] == (Color(255, 0, 0), 1)
    assert table.ranges == ()


# What contradicts itself


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1=liver,1=spleen", "1 occurs twice"),
        ("1=liver,1=liver", "1 occurs twice"),
        ("#f00=liver,#FF0000=spleen", "#ff0000 occurs twice"),
        ("55..70=liver,70..80=spleen", "70..80 occurs twice"),
        ("55..70=liver,60=spleen", "60..60 occurs twice"),
        ("1..100=liver,20..30=liver", "20..30 occurs twice"),
        ("1=liver,2=liver", "1 and 2 are both called 'liver'"),
        ("1=Liver,2=liver", "'Liver' and 'liver'"),
        ("1=right-kidney,2=right_kidney", "'right-kidney' and 'right_kidney'"),
        ("1..5=liver,#f00=spleen", "both colours and numbers"),
        ("0=liver,1=spleen", "0 is a structure"),
        ("0..5=liver", "0..5 is a structure"),
        ("#000=liver", "#000000 is a structure"),
        ("3=label-4", "which is the name of another"),
        ("3=LABEL 04", "which is the name of another"),
        ("80..90=label-80", "which is the name of another"),
        ("3=label-" + "9" * 199, "too long"),
        ("1=ignore", "'ignore' cannot be the name"),
        ("1=2", "'2' cannot be the name"),
        ("1=#fff", "'#fff' cannot be the name"),
        ("1=", "a name is empty"),
        ("1= - ", "a name is empty"),
        ("1=" + "x" * 201, "too long"),
        ("1=li\nver", "characters that are not text"),
        ("1=li\ud800ver", "characters that are not text"),
        ("1=liver,", "'' is not KEY=NAME"),
        ("1=liver, left lobe", "'left lobe' is not KEY=NAME"),
        ("liver=1", "'liver' is not a number"),
        ("-1=liver", "'-1' is not a number"),
        ("1.5=liver", "'1.5' is not a number"),
        ("70..55=liver", "'70..55' is not a number"),
        ("65536=liver", "'65536' is not a number"),
        ("9" * 20 + "=liver", "is not a number"),
        ("\u0661=liver", "is not a number"),
        ("#ff00=liver", "'#ff00' is not a number"),
        ("7=background", "no labels"),
        ("", "'' is not KEY=NAME"),
        ("{", "not JSON"),
        ("[1]", "is not KEY=NAME"),
    ],
)
def test_a_text_that_says_no_table_is_refused_by_name(text: str, says: str) -> None:
    assert says in refused(text).reason


def test_more_structures_than_values_are_refused() -> None:
    colors = ",".join(f"#{at:06x}=s{at}" for at in range(1, 65538))
    assert "more labels than 16 bits" in refused(colors).reason


def test_a_name_for_its_own_value_is_one() -> None:
    assert named(parse_labels("3=label-3")) == {3: "label-3"}


def test_a_misspelt_table_is_asked_for() -> None:
    assert "Did you mean chaos?" in refused("choas").remedy


def test_a_path_that_is_not_there_may_be_a_misspelt_table() -> None:
    error = refused("nowhere/labels.json")
    assert "there is no such file, nor a table of that name" in error.reason
    assert "There are: chaos, chaos-2019-02." in error.remedy


# Files

LIVER = Label("liver", Code("SCT", "10200004", "Liver"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", '2 = "spleen, whole"\n[1]\nname = "liver"\ncode = ["SCT","10200004","Liver"]'),
        ("a.toml", '[labels]\n0 = "void"\n2 = "spleen, whole"\n1.name = "liver"\n'
         '1.code = ["SCT", "10200004", "Liver"]'),
        ("a.JSON", '{"1": {"name": "liver", "code": ["SCT", "10200004", "Liver"]}, '
         '"spleen, whole": 2}'),
    ],
)  # fmt: skip
def test_a_file_has_names_and_codes(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    table = parse_labels(str(path))
    assert table.legend == {1: LIVER, 2: Label("spleen, whole")}
    assert str(tmp_path) not in table_text(table)
    assert parse_labels(table_text(table)) == table


def test_a_file_has_levels_and_colors_as_well(tmp_path: Path) -> None:
    (tmp_path / "levels.toml").write_text('"55..70" = "liver"\nspleen = "80"\n')
    table = parse_labels(str(tmp_path / "levels.toml"))
    assert table.ranges == ((0, 0, 0), (55, 70, 1), (80, 80, 2))
    (tmp_path / "colors.json").write_text('{"#ff0000": "liver", "spleen": "#0f0"}')
    table = parse_labels(str(tmp_path / "colors.json"))
    assert table.colors == {(0, 0, 0): 0, (255, 0, 0): 1, (0, 255, 0): 2}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.toml", "a = ", "a.toml: "),
        ("a.toml", 'liver = "spleen"', "'liver' is not one structure with one number"),
        ("a.toml", "1 = 2", "'1' is not one structure"),
        ("a.toml", "liver = 1.0", "'liver' is not one structure"),
        ("a.toml", "liver = true", "'liver' is not one structure"),
        ("a.toml", "liver = [1, 2]", "'liver' is not one structure"),
        ("a.toml", '1 = {name = "liver", color = "red"}', "'1' is not one structure"),
        ("a.toml", '1 = {name = "liver", code = "SCT"}', "'1' is not one structure"),
        ("a.toml", '1 = {name = "liver", code = ["SCT", "1"]}', "a code is not three texts"),
        ("a.toml", '1 = {name = "liver", code = ["SCT", "", "x"]}', "a code is not three texts"),
        ("a.toml", f'1 = {{name = "x", code = ["SCT", "1", "{"x" * 65}"]}}', "a code is longer"),
        ("a.toml", '1 = {name = "x", code = ["SCT", "1", "a\\\\b"]}', "a code has characters"),
        ("a.json", '{"1..2": "liver", "3": {"name": "liver", "code": ["SCT", "1", "x"]}}',
         "'liver' has two codes"),
        ("a.json", '{"liver": 1, "liver": 2}', "occurs twice"),
        ("a.json", '{"1": "1"}', "'1' is not one structure"),
        ("a.json", '{"labels": 5}', "no labels"),
        ("a.json", "[" * 100_000, "not JSON"),
        ("a.json", '{"liver": ' + "9" * 5000 + "}", "not JSON"),
        ("a.json", '{"liver": -1}', "'-1' is not a number"),
        ("a.txt", "liver\nspleen\n", "a.txt: it is no colour table of 3D Slicer"),
        ("a.json", "\udcff", "not UTF-8"),
    ],
)  # fmt: skip
def test_a_file_that_says_no_table_is_refused_by_name(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert says in refused(str(tmp_path / name)).reason


# What is recorded

NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20)
CODES = st.none() | st.just(LIVER.code) | st.just(Code("99X", "1", 'a, "b" = c'))
PAIRS = st.lists(st.tuples(NAMES, CODES), min_size=1, max_size=6, unique_by=lambda p: folded(p[0]))
SPANS = st.lists(st.integers(1, 65535), min_size=12, max_size=12, unique=True).map(sorted)


@given(PAIRS, SPANS, st.sampled_from(["number", "range", "color"]))
def test_a_table_is_recorded_as_what_is_read_as_the_same_table(
    pairs: list[tuple[str, Code | None]], spans: list[int], kind: str
) -> None:
    keys = {
        "number": [str(low) for low in spans[::2]],
        "range": [f"{low}..{high}" for low, high in zip(spans[::2], spans[1::2], strict=True)],
        "color": [f"#{low:06x}" for low in spans[::2]],
    }[kind]
    entries = [
        f'{json.dumps(key)}: {{"name": {json.dumps(name)}, "code": {json.dumps(code and [*code])}}}'
        if code
        else f"{json.dumps(key)}: {json.dumps(name)}"
        for key, (name, code) in zip(keys, pairs, strict=False)
    ]
    try:
        table = parse_labels("{" + ", ".join(entries) + "}")
    except UsageError:
        return
    assert parse_labels(table_text(table)) == table
