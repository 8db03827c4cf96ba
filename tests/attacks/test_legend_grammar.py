"""Legends and texts of `--labels` that are wrong anywhere: a table, or one error."""

import random
from pathlib import Path

import pytest

from chaosprep.errors import ChaosprepError
from chaosprep.formats.label_table import LabelTable, parse_labels, table_of, table_text
from chaosprep.formats.legends.table import read_entries
from chaosprep.structures import folded
from tests import memory
from tests.attacks.grammars import batches, draws, scratched, tried
from tests.formats import test_legends as sound

FEW = 400
FILES = (
    ("dataset.json", sound.NNUNET),
    ("dataset.json", sound.DECATHLON),
    ("a.ctbl", sound.SLICER),
    ("a.txt", sound.FREESURFER),
    ("a.label", sound.ITK_SNAP),
    ("a.csv", sound.CSV),
    ("a.csv", sound.CODED),
    ("a.tsv", sound.BIDS),
    ("a.toml", '"55..70" = "liver"\n[80]\nname = "spleen"\ncode = ["SCT", "78961009", "Spleen"]\n'),
)
TEXTS = (
    "1=liver,2=right-kidney,3=left-kidney",
    "55..70=liver,110..135=right-kidney,200=spleen,240..255=spleen",
    "#ff0000=liver,#0f0=spleen,#000=background",
    '{"1":{"name":"liver","code":["SCT","10200004","Liver"]},"2":"a, b"}',
    "chaos-2019-02",
)
PIECES = (
    *(b"0", b"1", b"-1", b"65535", b"65536", b"9" * 5000, b"1..2", b"..", b"#000", b"#ff0000"),
    *(b",", b"=", b"\n", b"\r", b"\t", b'"', b"'", b"\\", b"\0", b" ", b"#", b"{", b"[", b"}"),
    *(b"[" * 5000, b'{"a":' * 5000, b"background", b"Liver", b"label-7", b"ignore", b"(none)"),
    *(b"\xff", b"\xed\xa0\x80", "\u202e".encode(), "\u2028".encode(), "é".encode(), b"x" * 300),
    *(b"nan", b"1e400", b"true", b"null", b'"name"', b"LabelValue", b"index\tname\n", b",,,,,,"),
)


def damaged(data: bytes, draw: random.Random) -> bytes:
    """One to three changes: bytes as `scratched` has them, pieces put in, lines moved or twice."""
    for _ in range(draw.choice([1, 1, 2, 3])):
        at = draw.randrange(len(data) + 1)
        match draw.randrange(4):
            case 0:
                data = scratched(data, draw)
            case 1:
                data = data[:at] + draw.choice(PIECES) + data[at:]
            case 2:
                piece = draw.choice(PIECES)
                data = data[:at] + piece + data[at + draw.randrange(1, 8) :]
            case _:
                mark = draw.choice([b"\n", b","])
                parts = data.split(mark)
                parts.insert(draw.randrange(len(parts) + 1), draw.choice(parts))
                data = mark.join(parts)
    return data


def check(table: LabelTable) -> None:
    """What is true of every table: names apart, no 0, and a text that says it again."""
    assert table.legend
    assert 0 not in table.legend
    assert max(table.legend) <= 65535
    assert {value for _, value in table.keys} - {0} == set(table.legend)
    assert len({folded(label.name) for label in table.legend.values()}) == len(table.legend)
    text = table_text(table)
    text.encode()
    assert parse_labels(text) == table


def reads(draw: random.Random, folder: Path) -> bool:
    """Whether a damaged legend, or text of `--labels`, gave a table."""
    if draw.random() < 0.3:
        data = damaged(draw.choice(TEXTS).encode(), draw)
        found = tried(lambda: parse_labels(data.decode("utf-8", "surrogateescape")))
    else:
        name, text = draw.choice(FILES)
        data = damaged(text.encode(), draw)
        if draw.random() < 0.3 or name.endswith("toml"):
            (folder / name).write_bytes(data)
            found = tried(lambda: parse_labels(str(folder / name)))
        else:
            found = tried(lambda: table_of(read_entries(name, data)))
    if isinstance(found, ChaosprepError):
        assert found.code == "labels"
        assert found.remedy
        assert len(found.reason) < 2 * len(data) + 500
        return False
    check(found)
    return True


@pytest.mark.parametrize("batch", batches(FEW))
def test_a_damaged_legend_is_a_table_or_one_error(
    batch: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = memory.begin()
    for draw in draws("legends", batch, FEW):
        reads(draw, tmp_path)
    assert capfd.readouterr() == ("", "")
    assert memory.peak() - before < 2**19


def test_enough_of_them_are_read(tmp_path: Path) -> None:
    found = sum(
        reads(draw, tmp_path) for batch in range(4) for draw in draws("legends", batch, 200)
    )
    assert 20 < found < 180


LARGE = {
    "accents": ("a.ctbl", b"1 a" + "\u0315\u0300".encode() * 500_000 + b" 1 2 3 4"),
    "a long name": ("a.ctbl", b"1 " + b"x" * 2_000_000 + b" 1 2 3 4"),
    "wide": ("a.csv", b"LabelValue,Name" + b",x" * 100_000 + b"\n" + b"1,x\n" * 500_000),
    "long": ("a.tsv", b"index\tname\n" + b"1\tx\n" * 500_000),
    "empty": ("a.label", b"\n" * 2_000_000),
    "comments": ("a.txt", b"# itk-snap label description file\n" * 60_000),
    "numbers": ("a.json", b"[" + b"0," * 1_000_000 + b"0]"),
    "depth": ("a.json", b'{"labels":' * 200_000),
    "digits": ("a.json", b'{"a":' + b"9" * 2_000_000 + b"}"),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_file_that_is_no_legend_is_refused_soon(name: str) -> None:
    file, data = LARGE[name]
    before = memory.begin()
    found = tried(lambda: table_of(read_entries(file, data)))
    assert isinstance(found, ChaosprepError)
    assert found.code == "labels"
    assert memory.peak() - before < 2**19


def test_a_file_of_a_hundred_megabytes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(10**8)
    found = tried(lambda: parse_labels(str(tmp_path / "a.json")))
    assert isinstance(found, ChaosprepError)
    assert "above" in found.reason
