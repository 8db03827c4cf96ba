"""CITATION.cff, RELEASING.md and CODE_OF_CONDUCT.md: what they name is there."""

import re
import tomllib
from typing import Any

import pytest

from tests.release.state import HOUSE, read

PROJECT = tomllib.loads(read(HOUSE, "pyproject.toml"))["project"]
PAGES = ("CODE_OF_CONDUCT.md", "RELEASING.md")
RELEASING = read(HOUSE, "RELEASING.md")


@pytest.fixture
def citation() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    found: dict[str, Any] = yaml.safe_load(read(HOUSE, "CITATION.cff"))
    return found


def test_the_citation_has_what_its_format_asks_for(citation: dict[str, Any]) -> None:
    # Citation File Format 1.2.0: required keys, and those of software.
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert (citation["cff-version"], citation["type"]) == ("1.2.0", "software")
    assert all(author.keys() == {"name"} for author in citation["authors"])
    assert len(set(citation["keywords"])) == len(citation["keywords"])


def test_the_citation_names_whom_and_what_the_package_names(citation: dict[str, Any]) -> None:
    assert citation["authors"] == PROJECT["authors"]
    assert (citation["title"], citation["license"]) == (PROJECT["name"], PROJECT["license"])
    assert isinstance(citation["version"], str)


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_to_a_file_and_a_heading(page: str) -> None:
    for name, place in re.findall(r"\]\(([^)#]+)(?:#([^)]*))?\)", read(HOUSE, page)):
        headings = re.findall(r"^#+ (.*)$", read(HOUSE, name), re.M)
        anchors = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}
        assert not place or place in anchors, name


@pytest.mark.parametrize(
    "word", sorted(set(re.findall(r"`([\w./-]+/[\w.-]+|\S+\.\w+)`", RELEASING)))
)
def test_a_file_that_the_checklist_names_is_there(word: str) -> None:
    assert (HOUSE / word).exists() or list((HOUSE / ".github").rglob(word))


def test_a_target_of_make_that_the_checklist_names_is_one() -> None:
    targets = re.findall(r"`make ([\w-]+)`", RELEASING)
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", read(HOUSE, "Makefile"), re.M), target


def test_the_checklist_says_what_nobody_has_run() -> None:
    table = dict(re.findall(r"^\| (.*?) \| (.*) \|$", RELEASING.partition("## What has")[2], re.M))
    classified = re.findall(r":: Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    ran = " ".join(text for text in table.values() if not text.startswith("not yet"))
    assert all(version in ran for version in classified)
    assert any("3.14" in what and text.startswith("not yet") for what, text in table.items())


def test_contributors_find_them() -> None:
    text = read(HOUSE, "CONTRIBUTING.md")
    assert all(f"]({page})" in text for page in PAGES)
