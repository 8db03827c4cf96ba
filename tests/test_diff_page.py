"""The session of docs/diff.md, on the directories that the quick start makes."""

from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner

import chaosprep
from chaosprep.cli.main import main
from tests.documents import HOME, blocks, place_with_samples

PAGE = (HOME / "docs/diff.md").read_text(encoding="utf-8")


def test_the_session_prints_what_the_page_says(tmp_path: Path) -> None:
    place = place_with_samples(tmp_path)
    chaosprep.prepare(place / "sample_data", place / "out")
    (session,) = blocks(PAGE, "console")
    command, _, expected = session.partition("\n")
    words = command.removeprefix("$ chaosprep ").split()
    with chdir(place):
        done = CliRunner().invoke(main, words, prog_name="chaosprep")
    assert done.exit_code == 1
    assert done.stdout == expected
