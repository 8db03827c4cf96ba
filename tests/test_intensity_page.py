"""docs/intensity.md: its sessions print what it says."""

import doctest
from pathlib import Path

import pytest

from tests.documents import HOME, blocks, place_with_samples, replayed

PAGE = (HOME / "docs/intensity.md").read_text(encoding="utf-8")


def test_the_sessions_print_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_with_samples(tmp_path)
    for expected, printed in replayed(PAGE, place):
        assert printed == expected
    monkeypatch.chdir(place)
    code = "\n".join(blocks(PAGE, "python"))
    test = doctest.DocTestParser().get_doctest(code, {}, "intensity.md", "intensity.md", 0)
    report: list[str] = []
    assert not doctest.DocTestRunner().run(test, out=report.append).failed, "".join(report)
