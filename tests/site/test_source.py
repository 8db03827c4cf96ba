"""The pages of the site: all are in the navigation, and every link leads somewhere."""

from collections import Counter
from pathlib import Path

import pytest

from tests.documents import HOME
from tests.site.links import anchors, broken, rewritten, targets
from tests.site.source import BESIDE, MADE, nav_pages, settings, write_source


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    write_source(folder)
    return folder


def test_every_page_is_once_in_the_navigation(pages: Path) -> None:
    there = [path.relative_to(pages).as_posix() for path in pages.rglob("*.md")]
    assert Counter(nav_pages(settings()["nav"])) == Counter(there)


def test_every_link_of_the_site_leads_to_a_page_and_a_place_on_it(pages: Path) -> None:
    assert {page.name: bad for page in pages.rglob("*.md") if (bad := broken(page))} == {}


@pytest.mark.parametrize("name", [*BESIDE, "docs"])
def test_every_link_of_the_repository_leads_to_a_file_and_a_place_in_it(name: str) -> None:
    files = [HOME / name] if name in BESIDE else [*(HOME / name).rglob("*.md")]
    assert {file.name: bad for file in files if (bad := broken(file))} == {}


def test_every_page_has_one_title(pages: Path) -> None:
    firsts = {page.name: page.read_text(encoding="utf-8")[:2] for page in pages.rglob("*.md")}
    assert set(firsts.values()) == {"# "}


def test_the_readme_leads_to_pages_of_the_site(pages: Path) -> None:
    found = targets((pages / "overview.md").read_text(encoding="utf-8"))
    assert "headers.md" in found
    assert "security.md" in found
    assert [one for one in found if one.startswith("docs/")] == []


def test_a_file_that_is_no_page_is_linked_at_the_address_of_the_source(pages: Path) -> None:
    found = targets((pages / "contributing.md").read_text(encoding="utf-8"))
    assert "https://chaosprep.example/chaosprep/blob/main/RELEASING.md" in found
    for one in found:
        if "/blob/main/" in one:
            assert (HOME / one.partition("/blob/main/")[2]).is_file()


def test_pages_that_are_made_are_no_files_of_docs() -> None:
    assert not any((HOME / "docs" / name).exists() for name in (*MADE, *BESIDE.values()))


@pytest.mark.parametrize(
    ("link", "is_broken"),
    [
        ("[a](other.md)", False),
        ("[a](other.md#the-key-and-more)", False),
        ("[a](#here)", False),
        ("[a](https://elsewhere.example/page)", False),
        ("`[a](none.md)`", False),
        ("```\n[a](none.md)\n```", False),
        ("[a](none.md)", True),
        ("![a](none.png)", True),
        ("[a](other.md#the-lock)", True),
        ("[a](#there)", True),
    ],
)
def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path, link: str, is_broken: bool) -> None:
    (tmp_path / "other.md").write_text("# Other\n\n## The `key`, and [more](x.md)\n")
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n## Here\n\n{link}\n")
    assert bool(broken(page)) is is_broken


def test_headings_in_code_are_no_places() -> None:
    assert anchors("# A title\n\n```sh\n# no heading\n```\n") == {"a-title"}


def test_targets_in_code_stay_as_they_are() -> None:
    text = "[a](x.md) `[b](x.md)`\n\n```\n[c](x.md)\n```\n\n![d](x.png)\n"
    new = rewritten(text, lambda target: f"y/{target}")
    assert new == text.replace("[a](x", "[a](y/x").replace("[d](x", "[d](y/x")
