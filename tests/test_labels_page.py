"""The sessions of docs/labels.md, on six small sets, and the codes and options it names."""

import re
from pathlib import Path

import pytest

from chaosprep.formats.label_table import parse_labels
from chaosprep.stages.extract_labels import ExtractLabelsParams
from tests.documents import HOME, blocks, replayed
from tests.structures import phantoms

pytest.importorskip("highdicom")
PAGE = (HOME / "docs/labels.md").read_text(encoding="utf-8")
SETS = {
    "amos": phantoms.amos,
    "total": phantoms.total,
    "kits": phantoms.kits,
    "plans": phantoms.radiotherapy,
    "segs": phantoms.dcmqi,
    "slicer": phantoms.seg_nrrd,
}


def test_the_sessions_print_what_the_page_says(tmp_path: Path) -> None:
    for name, make in SETS.items():
        make(tmp_path / name)
    sessions = replayed(PAGE, tmp_path)
    assert len(sessions) == len(SETS)
    for expected, printed in sessions:
        assert printed == expected


def test_the_tables_of_labels_are_understood(tmp_path: Path) -> None:
    (toml,) = blocks(PAGE, "toml")
    (tmp_path / "labels.toml").write_text(toml)
    told = parse_labels(str(tmp_path / "labels.toml"))
    assert [label.name for label in told.legend.values()] == ["liver", "liver tumour"]
    code = told.legend[2].code
    assert code is not None
    assert code.value == "108369006"
    for text in re.findall(r"^\| `'?([^`']*=[^`']*?)'?` \|", PAGE, flags=re.M):
        if not text.startswith("--"):
            assert parse_labels(text).legend


def test_the_page_names_every_option_and_only_codes_that_there_are() -> None:
    for name in ExtractLabelsParams.__struct_fields__:
        if name != "compression":
            assert f"--{name.replace('_', '-')}" in PAGE
    errors = (HOME / "docs/errors.md").read_text(encoding="utf-8")
    problems = PAGE.partition("## Problems")[2]
    for code in re.findall(r"`([a-z]+(?:-[a-z]+)*)`(?=[ ,].*\|)", problems):
        assert f"| `{code}` |" in errors
