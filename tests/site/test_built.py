"""The site as `make docs` builds it, where zensical is installed."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.documents import COMMANDS, HOME, run
from tests.site.build import html
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


def test_every_page_is_built(site: Path) -> None:
    for page in nav_pages(settings()["nav"]):
        assert (site / page).with_suffix(".html").is_file(), page


def test_a_page_asks_nothing_of_the_network(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert loaded.addresses
        assert [one for one in loaded.addresses if re.match(r"(https?:)?//", one)] == []


def test_a_style_sheet_asks_nothing_of_the_network(site: Path) -> None:
    for sheet in site.rglob("*.css"):
        assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", sheet.read_text()) == []


@pytest.mark.parametrize("link", ["[a](none.md)", "[a](python.md#none)"])
def test_a_broken_link_stops_the_build(built: Path, tmp_path: Path, link: str) -> None:
    shutil.copy(built / "zensical.toml", tmp_path)
    source = shutil.copytree(built / "build/site-source", tmp_path / "build/site-source")
    with (source / "index.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{link}\n")
    with pytest.raises(subprocess.CalledProcessError):
        html(tmp_path)


def test_make_docs_builds_it() -> None:
    options = ["--dry-run", "--assume-old=.venv/ready", f"BIN={COMMANDS}", "docs"]
    assert "-m tests.site" in run(["make", *options], HOME)
