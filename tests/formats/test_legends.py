"""Files that say what values stand for: what each says, alone and beside others."""

import json
from pathlib import Path

import pytest

from chaosprep.cells import cell
from chaosprep.errors import ChaosprepError
from chaosprep.facts import Code, Label, Legend
from chaosprep.formats.label_table import parse_labels
from chaosprep.formats.legend import legend_in

NAMES = {1: "liver", 2: "right_kidney", 300: "spleen"}

SLICER = """# Color table file C:/data/case 7/Segmentation-label_ColorTable.ctbl
# 5 values
0 Background 0 0 0 0
1 liver 221 130 101 255
2 right_kidney 185.4 102 0.847059 255
3 (none) 0 0 0 0
300 'spleen' 157 108 162 1e-05
"""
FREESURFER = """#$Id: a table $

#No. Label Name:                            R   G   B   A

0   Unknown                                 0   0   0   0
1   liver                                  70  130 180  0
2   right_kidney                          245  245 245  0   1

300 spleen                                205  62  78
"""
ITK_SNAP = """################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
################################################
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "liver"
    2     0  255    0     0.25  0  1    "right_kidney"
  300     0    0  255        1  1  1    "spleen"
"""
CSV = """LabelValue,Name,Color_R,Color_G,Color_B,Color_A
1,liver,221,130,101,255
2,"right_kidney",185,102,83,255
3,(none),0,0,0,0
300,spleen,157,108,162,255
"""
BIDS = """index,name,abbreviation
0,background,bg
1,liver,LI
2,right_kidney,RK
300,spleen,
""".replace(",", "\t")
NNUNET = json.dumps({"labels": {"background": 0, "liver": 1, "right_kidney": 2, "spleen": 300}})
DECATHLON = json.dumps(
    {
        "name": "AMOS",
        "training": [{"image": "a"}],
        "labels": {"0": "background", "1": "liver", "2": "right_kidney", "300": "spleen"},
    }
)
TEXTS = '{"liver": "1", "right_kidney": "2", "spleen": "300"}'


def read(folder: Path, name: str, text: str | bytes) -> Legend | None:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return legend_in(folder)


def names(legend: Legend | None) -> dict[int, str]:
    assert legend is not None
    return {value: label.name for value, label in legend.items()}


def refused(folder: Path, name: str, text: str | bytes) -> ChaosprepError:
    with pytest.raises(ChaosprepError) as caught:
        read(folder, name, text)
    assert caught.value.code == "labels"
    assert "move it away" in caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dataset.json", NNUNET),
        ("dataset.json", DECATHLON),
        ("labels.json", TEXTS),
        ("labels.json", '{"liver": 1, "right_kidney": 2, "spleen": 300}'),
        ("Segmentation-label_ColorTable.ctbl", SLICER),
        ("labels.txt", SLICER),
        ("labels.txt", FREESURFER),
        ("labels.txt", ITK_SNAP),
        ("organs.label", ITK_SNAP),
        ("ORGANS.LABEL", ITK_SNAP),
        ("dseg.tsv", BIDS),
        ("dseg.tsv", CSV.replace(",", "\t").replace('"', "")),
    ],
)
@pytest.mark.parametrize("written", ["plain", "with a mark before it", "by Windows"])
def test_every_kind_of_legend_says_the_same(
    tmp_path: Path, name: str, text: str, written: str
) -> None:
    data = {
        "plain": text.encode(),
        "with a mark before it": text.encode("utf-8-sig"),
        "by Windows": text.replace("\n", "\r\n").encode(),
    }
    legend = read(tmp_path, name, data[written])
    assert names(legend) == NAMES
    assert all(label.code is None for label in (legend or {}).values())


def test_a_name_in_quotes_keeps_its_spaces_and_quotes(tmp_path: Path) -> None:
    text = '1 255 0 0 1 1 1 "the "left" lobe, 2/3"\n2 0 0 0 1 1 1 "x"'
    assert names(read(tmp_path, "a.label", text)) == {1: 'the "left" lobe, 2/3', 2: "x"}


def test_names_that_a_table_of_colors_has_twice_get_their_number(tmp_path: Path) -> None:
    text = "193 Left-fimbria 1 2 3 0\n555 left_fimbria 1 2 3 0\n7 spleen 1 2 3 0\n"
    expected = {193: "Left-fimbria-193", 555: "left_fimbria-555", 7: "spleen"}
    assert names(read(tmp_path, "labels.txt", text)) == expected


def test_a_value_called_background_has_no_name(tmp_path: Path) -> None:
    text = "1 spleen 1 2 3 0\n224 Background 1 2 3 0\n"
    assert names(read(tmp_path, "labels.txt", text)) == {1: "spleen"}


CODED = """LabelValue,Name,Type_CodingScheme,Type_CodeValue,Type_CodeMeaning,TypeModifier_CodeValue
1,liver,SCT,10200004,Liver,
2,left_kidney,SCT,64033007,Kidney,7771000
3,something,,,,
"""


@pytest.mark.parametrize("mark", ["_CodingScheme,_CodeValue", ".CodingSchemeDesignator,.CodeValue"])
def test_columns_have_codes_but_not_that_of_a_pair_for_one_of_it(tmp_path: Path, mark: str) -> None:
    scheme, value = mark.split(",")
    text = CODED.replace("_CodingScheme", scheme).replace("_CodeValue", value)
    text = text.replace("_CodeMeaning", value.replace("Value", "Meaning")).replace(",", "\t")
    assert read(tmp_path, "dseg.tsv", text) == {
        1: Label("liver", Code("SCT", "10200004", "Liver")),
        2: Label("left_kidney"),
        3: Label("something"),
    }


@pytest.mark.parametrize(
    "name", ["=cmd", "-left", "+x", "@home", "'quoted'", '"so" called', "plain"]
)
def test_a_name_that_was_kept_from_being_a_formula_comes_back(tmp_path: Path, name: str) -> None:
    text = f"index\tname\n1\t{cell(name)}\n"
    assert names(read(tmp_path, "dseg.tsv", text)) == {1: name}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("dataset.json", "{}", "no labels"),
        ("dataset.json", '{"labels": {"liver": [1, 2]}}', "'liver' is not one structure"),
        ("dataset.json", '{"labels": {"ignore": 5}}', "'ignore' cannot be the name"),
        ("dataset.json", '{"labels": {"liver": 1, "liver": 2}}', "occurs twice"),
        ("dataset.json", '{"labels": {"1": "lesion", "2": "lesion"}}', "both called 'lesion'"),
        ("dataset.json", '{"labels": {"1": "Lesion", "2": "lesion"}}', "in two spellings"),
        ("labels.json", '{"55..70": "liver"}', "grey levels or colours"),
        ("labels.json", '{"#ff0000": "liver"}', "grey levels or colours"),
        ("labels.json", b"\xff\xfe{\x00", "not UTF-8"),
        ("a.ctbl", "# Color procedural file x\n0 0 0 0\n255 1 1 1\n", "no colour table"),
        ("a.ctbl", SLICER + "4 left kidney 1 2 3 255\n", "line 8"),
        ("a.ctbl", SLICER + "4 kidney 1 2 256 255\n", "line 8"),
        ("a.ctbl", SLICER + "4 kidney 1 2 3 255 1 1\n", "line 8"),
        ("a.ctbl", SLICER + "-4 kidney 1 2 3 255\n", "line 8"),
        ("a.ctbl", SLICER + "1 kidney 1 2 3 255\n", "1 occurs twice"),
        ("a.ctbl", SLICER + "70000 kidney 1 2 3 255\n", "'70000' is not a number"),
        ("a.ctbl", SLICER + "4 5 1 2 3 255\n", "'5' cannot be the name"),
        ("labels.txt", ITK_SNAP + "4 1 2 3 1 1 1 kidney\n", "line 10"),
        ("labels.txt", ITK_SNAP + '4 1 2 3 1 1 7 "kidney"\n', "line 10"),
        ("labels.txt", ITK_SNAP + '4 1 2 3 1 1 1 ""\n', "a name is empty"),
        ("dseg.tsv", "value\tname\n1\tliver\n", "no TSV"),
        ("dseg.tsv", "index\tname\n1\tliver\n1\tspleen\n", "1 occurs twice"),
        ("dseg.tsv", "index\tname\n1\t\n", "1 has no name"),
        ("dseg.tsv", "index\tname\nx\tliver\n", "no number"),
        ("dseg.tsv", "index\tname\tname\n1\tliver\tx\n", "two of its columns"),
        ("dseg.tsv", "index\tname\n" + "1" * 200_000 + "\tliver\n", "cannot be told apart"),
    ],
)
def test_a_legend_that_cannot_be_understood_is_refused_by_name(
    tmp_path: Path, name: str, text: str | bytes, says: str
) -> None:
    reason = refused(tmp_path, name, text).reason
    assert reason.startswith(f"{name}: ")
    assert says in reason


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.txt", "liver\nspleen\n"),
        ("labels.txt", "1 liver\n2 spleen\n"),
        ("labels.txt", b"\xff\xfe"),
        ("lh.cortex.label", "#!ascii label , from subject x\n2\n1 -36.1 -18.6 64.7 0.0\n"),
        ("._a.ctbl", b"\0\5\26\7"),
        ("other.tsv", BIDS),
    ],
)
def test_a_file_that_does_not_look_like_a_legend_is_none(
    tmp_path: Path, name: str, text: str | bytes
) -> None:
    assert read(tmp_path, name, text) is None


def test_quotes_without_an_end_are_refused_in_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('LabelValue,Name\n1,"liver\n')
    with pytest.raises(ChaosprepError, match="cannot be told apart"):
        parse_labels(str(tmp_path / "a.csv"))


def test_csv_is_read_where_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    assert names(parse_labels(str(tmp_path / "a.csv")).legend) == NAMES


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text(SLICER)
    (tmp_path / "a.ctbl").symlink_to("real.txt")
    with pytest.raises(ChaosprepError, match=r"a\.ctbl: it is a symbolic link"):
        legend_in(tmp_path)


# Several


def test_files_that_agree_say_more_together(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text('{"labels": {"Right Kidney": 2, "liver": 1}}')
    (tmp_path / "dseg.tsv").write_text(CODED.split("\n2,", maxsplit=1)[0].replace(",", "\t"))
    assert read(tmp_path, "a.ctbl", SLICER) == {
        1: Label("liver", Code("SCT", "10200004", "Liver")),
        2: Label("Right Kidney"),
        300: Label("spleen"),
    }


@pytest.mark.parametrize(
    ("text", "about"), [('{"spleen": 1}', 1), ('{"liver": 2}', 1), ('{"liver": 7}', 1)]
)
def test_files_that_disagree_are_refused(tmp_path: Path, text: str, about: int) -> None:
    (tmp_path / "labels.json").write_text(text)
    reason = refused(tmp_path, "a.ctbl", SLICER).reason
    assert reason == f"a.ctbl: it and labels.json disagree about {about}"


def test_many_tables_in_one_folder_are_of_single_masks(tmp_path: Path) -> None:
    for n in range(17):
        (tmp_path / f"case{n:02}.ctbl").write_text(SLICER)
    with pytest.raises(ChaosprepError, match="there are 17 files") as caught:
        legend_in(tmp_path)
    assert caught.value.code == "labels"


def test_the_first_folder_that_has_one_counts(tmp_path: Path) -> None:
    below = tmp_path / "masks"
    below.mkdir()
    (tmp_path / "dataset.json").write_text('{"labels": {"spleen": 1}}')
    assert names(legend_in(below, tmp_path)) == {1: "spleen"}
    (below / "labels.txt").write_text(SLICER)
    assert names(legend_in(below, tmp_path)) == NAMES


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert legend_in(tmp_path / "nowhere") is None
