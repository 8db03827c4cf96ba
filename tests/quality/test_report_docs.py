"""docs/report.md shows what the commands print, and its Python runs."""

from pathlib import Path

import pytest

from tests.documents import HOME, blocks, place_with_samples, replayed


def test_the_page_shows_what_the_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (HOME / "docs/report.md").read_text(encoding="utf-8")
    ((expected, printed),) = replayed(text, place_with_samples(tmp_path))
    assert printed == expected
    monkeypatch.chdir(tmp_path)
    (code,) = blocks(text, "python")
    exec(compile(code.replace("jobs=4", "jobs=1"), "report.md", "exec"), {})
    assert {"report.html", "sheet.png"} <= {path.name for path in tmp_path.iterdir()}
