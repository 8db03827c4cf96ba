"""Tables of what to leave out, however a person or a spreadsheet wrote them."""

from pathlib import Path

import pytest

from chaosprep.choices.excluded import fingerprint, read_excluded, strangers_note
from chaosprep.errors import UsageError


def table(folder: Path, text: str | bytes, name: str = "t.csv") -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def excluded(folder: Path, text: str | bytes) -> dict[str, str]:
    return read_excluded([table(folder, text)]).reasons


def code_of(*files: str) -> str:
    with pytest.raises(UsageError) as caught:
        read_excluded(files)
    return caught.value.code


RATINGS = "\r\n".join(
    [
        "case,patient,sequence,split,verdict,note",
        '"MR001_t1-in","MR001","t1-in","train","fail","\'=moved, ""badly"""',
        '"MR002_t1-in","MR002","t1-in","train","pass","fine"',
        '"MR003_t1-in","MR003","t1-in","val","",""',
        '"MR004_t1-in","MR004","t1-in","val","fail",""',
        "",
    ]
)


def test_of_ratings_only_what_failed_is_excluded_with_its_note(tmp_path: Path) -> None:
    assert excluded(tmp_path, RATINGS) == {
        "MR001_t1-in": '=moved, "badly"',
        "MR004_t1-in": "rated fail",
    }


@pytest.mark.parametrize(
    "text",
    [
        "case,reason\nMR001_ct,cut off\nMR002,\n",
        "CASE,Reason\r\nMR001_ct,cut off\r\nMR002,\r\n",
        "\ufeffcase;reason\nMR001_ct;cut off\nMR002;\n",
        "Case ID\tWhy\nMR001_ct\tcut off\n\nMR002\n",
        'sep=;\r\n"case";"reason"\r\n"MR001_ct";"cut off"\r\n"MR002"\r\n',
        "id,case,patient,slice,comment\nMR001_ct,,,3,cut off\n,,MR002,,\n",
        ",patient,sequence,reason\n0,MR001,ct,cut off\n1,MR002,,\n",
        "MR001_ct,cut off\nMR002,\n",
        "case,verdict,note\nMR001_ct, FAIL ,cut off\nMR002,fail,\nMR003_ct,Needs work,hm\n",
        "case,reason\rMR001_ct,cut off\rMR002,\r",
    ],
)
def test_tables_of_all_sorts_say_the_same(tmp_path: Path, text: str) -> None:
    found = excluded(tmp_path, text)
    assert found.keys() == {"MR001_ct", "MR002"}
    assert found["MR001_ct"] == "cut off"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("case,slice\nMR001_ct,3\nMR001_ct,12.0\n", {"MR001_ct_s003", "MR001_ct_s012"}),
        ("patient,sequence,slice\nMR001,ct,3\nMR001,ct,\n", {"MR001_ct_s003", "MR001_ct"}),
        ("case,slice\n1,MR001_ct_s003\n", {"MR001_ct_s003"}),
    ],
)
def test_a_slice_has_the_number_of_its_row(tmp_path: Path, text: str, names: set[str]) -> None:
    assert excluded(tmp_path, text).keys() == names


def test_a_table_that_excludes_nothing_is_said(tmp_path: Path) -> None:
    for text in ("", "case\n", "case,verdict\nA,pass\nB,\n"):
        file = table(tmp_path, text)
        (note,) = strangers_note(read_excluded([file]), ["A", "B"], [file])
        assert note == "--exclude: its table leaves out nothing"
    assert strangers_note(read_excluded([]), ["A"], []) == ()


def test_reasons_of_one_case_stand_together(tmp_path: Path) -> None:
    assert excluded(tmp_path, "case,reason\nA,dark\nA,dark\nA,cut off\n") == {"A": "dark; cut off"}


def test_a_reason_is_one_printable_line(tmp_path: Path) -> None:
    found = excluded(tmp_path, 'case,reason\nA,"red \x1b[31m\nnext"\n' + "B," + "x" * 3000)
    assert found["A"] == "red \\x1b[31m\\nnext"
    assert len(found["B"]) == 500


@pytest.mark.parametrize(
    "text",
    [
        "case,verdict\nA,fail\nA,pass\n",
        "case,verdict\nA,pass\nA,fail\n",
        "case,verdict\nA,needs-work\nA,fail\n",
    ],
)
def test_two_rows_that_contradict_each_other_are_refused(tmp_path: Path, text: str) -> None:
    assert code_of(table(tmp_path, text)) == "exclude-differs"


def test_two_raters_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    one = table(tmp_path, "case,verdict\nA,pass\n", "one.csv")
    other = table(tmp_path, "case,verdict\nA,fail\n", "other.csv")
    assert code_of(one, other) == "exclude-differs"


@pytest.mark.parametrize(
    "text",
    [
        "subject,age,sex\n1,2,3\n",
        "case,verdict\nA,perhaps\n",
        "case,reason\n,lost\n",
        "patient,slice\nMR001,3\n",
        "case,note\nA,moved, badly\n",
        "case,rating\nA,pass\nB,fail\nC,\n",
        "case,exclude\nA,0\nB,1\n",
        b"\xff\xfe\x00",
        b"case,reason\nA," + b"x" * 200_000,
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path: Path, text: str | bytes) -> None:
    assert code_of(table(tmp_path, text)) == "exclude-table"


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert code_of(str(tmp_path / "none.csv")) == "exclude-table"
    assert code_of(str(tmp_path)) == "exclude-table"


def test_strangers_are_counted_and_never_repeated(tmp_path: Path) -> None:
    file = table(tmp_path, "case\nA\nJohn Doe\n")
    (note,) = strangers_note(read_excluded([file]), ["A"], [file])
    assert note == "--exclude: not found here: 1 name of its table (line 3)"
    with pytest.raises(UsageError) as caught:
        strangers_note(read_excluded([file]), ["B"], [file])
    assert caught.value.code == "exclude-unknown"
    assert "John" not in caught.value.text


def test_the_fingerprint_is_of_what_tables_say(tmp_path: Path) -> None:
    one = table(tmp_path, "case,reason\nA,x\nB,\n", "one.csv")
    same = table(tmp_path, "reason;CASE\r\n;B\r\nx;A\r\n", "same.csv")
    other = table(tmp_path, "case,reason\nA,y\nB,\n", "other.csv")
    assert fingerprint([one]) == fingerprint([same]) == fingerprint([one, same])
    assert fingerprint([other]) != fingerprint([one])
