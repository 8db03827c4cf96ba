"""The sessions of docs/stores.md, run in their order."""

import doctest
from pathlib import Path

import pytest

from tests.documents import HOME, blocks, place_with_samples, replayed

PAGE = (HOME / "docs/stores.md").read_text(encoding="utf-8")


def test_the_sessions_print_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_with_samples(tmp_path)
    sessions = replayed(PAGE, place)
    assert len(sessions) == 4
    for expected, printed in sessions:
        assert printed == expected
    monkeypatch.chdir(place)
    for session in blocks(PAGE, "python"):
        test = doctest.DocTestParser().get_doctest(session, {}, "stores", "stores.md", 0)
        report: list[str] = []
        assert not doctest.DocTestRunner().run(test, out=report.append).failed, "".join(report)
