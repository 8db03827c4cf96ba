"""The site as `make docs` builds it, where zensical is installed."""

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.documents import COMMANDS, HOME, run
from tests.site.build import build, html
from tests.site.source import nav_pages, settings

LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


class Loaded(HTMLParser):
    """What a browser fetches for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        address = said.get(LOADED.get(tag, ""))
        if address and said.get("rel") not in ("canonical", "next", "prev"):
            self.addresses.append(address)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the site in build/site."""
    pytest.importorskip("zensical")
    place = tmp_path_factory.mktemp("built")
    build(place)
    return place


def test_every_page_is_built(built: Path) -> None:
    for page in nav_pages(settings()["nav"]):
        assert (built / "build/site" / page).with_suffix(".html").is_file(), page


def test_a_page_asks_nothing_of_the_network(built: Path) -> None:
    pages = list((built / "build/site").rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert loaded.addresses
        assert [one for one in loaded.addresses if re.match(r"(https?:)?//", one)] == []


def test_a_style_sheet_asks_nothing_of_the_network(built: Path) -> None:
    for sheet in (built / "build/site").rglob("*.css"):
        assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", sheet.read_text()) == []


@pytest.mark.parametrize("link", ["[a](none.md)", "[a](python.md#none)"])
def test_a_broken_link_stops_the_build(built: Path, link: str) -> None:
    page = built / "build/site-source/index.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(f"{text}\n{link}\n", encoding="utf-8")
    try:
        with pytest.raises(subprocess.CalledProcessError):
            html(built)
    finally:
        page.write_text(text, encoding="utf-8")


def test_make_docs_builds_it() -> None:
    options = ["--dry-run", "--assume-old=.venv/ready", f"BIN={COMMANDS}", "docs"]
    assert "-m tests.site" in run(["make", *options], HOME)
