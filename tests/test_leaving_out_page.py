"""docs/splitting.md, what it says of leaving out: its sessions, its table and its expressions."""

import re
from pathlib import Path

import chaosprep
from chaosprep.choices.params import ChoiceParams
from chaosprep.dataset.left_out import told
from chaosprep.params import make_params
from tests.documents import HOME, blocks, place_with_samples, replayed

PAGE = (HOME / "docs/splitting.md").read_text(encoding="utf-8")
SECTION = re.split(r"^## ", PAGE.partition("## Leaving out")[2], flags=re.M)[0]


def test_the_session_prints_what_the_page_says(tmp_path: Path) -> None:
    ((expected, printed),) = replayed(SECTION, place_with_samples(tmp_path))
    assert printed == expected


def test_the_table_leaves_out_what_the_page_says(tmp_path: Path) -> None:
    (table,) = blocks(SECTION, "csv")
    (tmp_path / "exclude.csv").write_text(table)
    made = chaosprep.split(
        HOME / "sample_data/CHAOS_Train_Sets",
        tmp_path / "out",
        exclude=[str(tmp_path / "exclude.csv")],
    )
    said = re.findall(r"^    Left out: (.*)", SECTION, flags=re.M)
    assert told(made.descriptor.tool.left_out) == said
    assert f"split: {len(made)} cases, {len(made.slices)} slices" in SECTION


def test_every_expression_that_the_page_shows_can_be_read() -> None:
    (table,) = re.findall(r"^An expression compares.*?\n\n(.*?)\n\n", SECTION, flags=re.M | re.S)
    texts = [
        text
        for line in table.splitlines()[2:]
        for text in re.findall(r"`(.*?)`", line.split(" | ")[0])
    ]
    assert len(texts) == 12
    make_params(ChoiceParams, {"where": texts})


def test_the_page_names_every_option() -> None:
    for option in ("exclude", "min-area", "max-empty", "where"):
        assert f"--{option}" in SECTION
