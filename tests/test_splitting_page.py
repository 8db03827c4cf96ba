"""The sessions of docs/splitting.md, on phantoms that its own block makes."""

from contextlib import chdir
from pathlib import Path

from tests.documents import HOME, blocks, place_with_samples, replayed

PAGE = (HOME / "docs/splitting.md").read_text(encoding="utf-8")


def test_the_sessions_print_what_the_page_says(tmp_path: Path) -> None:
    place = place_with_samples(tmp_path)
    (block,) = blocks(PAGE, "python")
    with chdir(place):
        exec(block, {})
    sessions = replayed(PAGE, place)
    assert sessions
    for expected, printed in sessions:
        assert printed == expected
