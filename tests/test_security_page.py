"""SECURITY.md: what it points to is there, and it is a page."""

import re

import pytest

from tests.documents import HOME

TEXT = (HOME / "SECURITY.md").read_text(encoding="utf-8")
LINKS = re.findall(r"\]\(([^)#]+)(?:#([^)]*))?\)", TEXT)


@pytest.mark.parametrize(("page", "place"), sorted(set(LINKS)))
def test_a_link_leads_somewhere(page: str, place: str) -> None:
    headings = re.findall(r"^#+ (.*)$", (HOME / page).read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}
    assert not place or place in anchors


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_whoever_reads_the_front_page_finds_it(page: str) -> None:
    assert "](SECURITY.md)" in (HOME / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("option", sorted(set(re.findall(r"`(--[a-z-]+)", TEXT))))
def test_an_option_that_it_names_is_one(option: str) -> None:
    pages = (HOME / "README.md", *(HOME / "docs").glob("*.md"))
    assert any(option in page.read_text(encoding="utf-8") for page in pages)


def test_it_is_a_page() -> None:
    assert len(TEXT.splitlines()) <= 80
