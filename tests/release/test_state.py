"""The checks of a release: good as the project is, and each sees what it is for."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.release import state
from tests.release.state import ADDRESSED, ALWAYS, HOUSE

FILES = (*ADDRESSED, "chaosprep/version.py", "CHANGELOG.md", "docs/scaling.md")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """The files that the checks read, to be changed."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(HOUSE / name, tmp_path / name)
    return tmp_path


def change(house: Path, name: str, old: str, new: str) -> None:
    text = state.read(house, name)
    assert old in text
    (house / name).write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("title", ALWAYS)
def test_the_project_passes(title: str) -> None:
    assert ALWAYS[title](HOUSE) == []


@pytest.mark.parametrize(
    ("name", "old"),
    [
        ("CITATION.cff", "\nversion: {}"),
        ("recipe/recipe.yaml", "  version: {}"),
        ("CHANGELOG.md", "## {} ("),
        ("docs/scaling.md", "chaosprep:{}"),
    ],
)
def test_a_copy_of_the_version_that_is_another_is_seen(house: Path, name: str, old: str) -> None:
    release = state.version(house)
    change(house, name, old.format(release), old.format("9.8.7"))
    (fault,) = state.versions(house)
    assert fault.startswith(f"{name}: the version is ['")
    assert "9.8.7" in fault


def test_the_version_stands_in_the_package_alone_where_it_is_made_of_it() -> None:
    assert state.version(HOUSE) not in state.read(HOUSE, "pyproject.toml").split("[project.opt")[0]


@pytest.mark.parametrize("name", ADDRESSED)
def test_an_address_that_is_another_is_seen(house: Path, name: str) -> None:
    change(house, name, state.source(house), "https://chaosprep.example/other")
    assert state.addresses(house)


@pytest.mark.parametrize("name", ADDRESSED[1:])
def test_a_file_that_lacks_the_address_is_seen(house: Path, name: str) -> None:
    text = state.read(house, name).replace("chaosprep.example", "elsewhere.example")
    (house / name).write_text(text, encoding="utf-8")
    assert state.addresses(house) == [f"{name}: it does not name {state.source(house)}"]


def test_a_file_that_the_sdist_would_lack_is_seen(house: Path) -> None:
    (house / "NOTES.md").touch()
    for words in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *words], cwd=house, check=True)
    faults = state.sources(house)
    assert "pyproject.toml: the sdist lacks NOTES.md" in faults
    assert "pyproject.toml: tests of the sdist is not there" in faults


def test_a_release_has_a_date(house: Path) -> None:
    change(house, "CHANGELOG.md", "(unreleased)", "(2031-12-24)")
    assert state.dated(house) == []
    change(house, "CHANGELOG.md", "(2031-12-24)", "(soon)")
    assert state.dated(house) != []


def test_a_release_has_a_real_address(house: Path) -> None:
    (fault,) = state.public(house)
    assert all(name in fault for name in ADDRESSED)
    change(house, "pyproject.toml", "https://chaosprep.example/chaosprep", "https://a.org/b")
    assert state.public(house) == []


def test_a_release_is_committed(house: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=house, check=True)
    assert "CHANGELOG.md: it is not committed" in state.committed(house)


def test_the_tag_is_that_of_the_version() -> None:
    release = state.version(HOUSE)
    assert state.tagged(f"v{release}")(HOUSE) == []
    assert state.tagged(release)(HOUSE) == [f"the tag is {release}, not v{release}"]
