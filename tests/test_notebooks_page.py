"""docs/notebooks.md: its blocks run, and it leads to every notebook."""

import doctest
from pathlib import Path

import pytest

from tests.documents import HOME, blocks, place_with_samples

PAGE = (HOME / "docs/notebooks.md").read_text(encoding="utf-8")


def test_the_sessions_give_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place_with_samples(tmp_path))
    text = "\n".join(blocks(PAGE, "python"))
    test = doctest.DocTestParser().get_doctest(text, {}, "notebooks.md", "notebooks.md", 0)
    assert len(test.examples) == 7
    report: list[str] = []
    assert not doctest.DocTestRunner().run(test, out=report.append).failed, "".join(report)


@pytest.mark.parametrize("name", sorted(path.name for path in (HOME / "examples").glob("*.ipynb")))
def test_the_page_and_the_readme_lead_to_each_notebook(name: str) -> None:
    assert f"(../examples/{name})" in PAGE
    assert f"(examples/{name})" in (HOME / "README.md").read_text(encoding="utf-8")
