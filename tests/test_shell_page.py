"""docs/shell.md: what it shows is what the commands print, and its file is one they all read."""

from pathlib import Path

import pytest

from chaosprep.configuration import SHARED, read_config
from chaosprep.verb_table import VERBS
from tests.documents import HOME, blocks, replayed, run_here

PAGE = (HOME / "docs/shell.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the demo was run, and what it printed."""
    here = tmp_path_factory.mktemp("shell")
    (here / "printed").write_text(run_here(["demo", "-j", "1"], here))
    return here


def test_the_demo_prints_what_the_page_says(place: Path) -> None:
    assert blocks(PAGE, "text") == [(place / "printed").read_text()]


def test_the_sessions_print_what_the_page_says(place: Path) -> None:
    sessions = replayed(PAGE, place)
    assert len(sessions) == 2
    for expected, printed in sessions:
        assert printed == expected


@pytest.mark.parametrize(
    "verb", [*sorted(VERBS.keys() - {"completion", "export"}), "export nnunet"]
)
def test_every_command_reads_the_file_that_is_shown(verb: str, tmp_path: Path) -> None:
    (text,) = blocks(PAGE, "toml")
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    printed = run_here([*verb.split(), "--config", "own.toml", "--print-config"], tmp_path)
    own = verb.replace(" ", ".")
    asked = read_config(tmp_path / "own.toml").get(own, {})
    (tmp_path / "printed.toml").write_text(printed)
    assert read_config(tmp_path / "printed.toml").get(own, {}) == asked


def test_the_keys_of_run_are_all_named() -> None:
    (line,) = (line for line in PAGE.splitlines() if line.startswith("[run]"))
    assert line.partition("# ")[2].split(", ") == [key.replace("_", "-") for key in SHARED]
