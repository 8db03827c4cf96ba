"""recipe/recipe.yaml asks conda for what pyproject.toml asks pip for."""

import re
import tomllib
from typing import Any

import click
import pytest
from packaging.requirements import Requirement

from chaosprep.cli.main import main
from tests.release.state import HOUSE, read

yaml = pytest.importorskip("yaml")
RECIPE: dict[str, Any] = yaml.safe_load(read(HOUSE, "recipe/recipe.yaml"))
TOML = tomllib.loads(read(HOUSE, "pyproject.toml"))
# What conda-forge calls a package otherwise than PyPI.
NAMES = {"isal": "python-isal", "opencv-python-headless": "py-opencv"}


def asked(requirement: str) -> str:
    """A requirement of pip as conda spells it."""
    found = Requirement(requirement)
    bounds = sorted(map(str, found.specifier), reverse=True)
    return f"{NAMES.get(found.name, found.name.lower())} {','.join(bounds)}"


def test_it_runs_with_what_the_core_needs() -> None:
    python, *others = RECIPE["requirements"]["run"]
    assert python == "python >=${{ python_min }}"
    assert others == [asked(one) for one in TOML["project"]["dependencies"]]


def test_it_is_built_with_what_the_package_is_built_with() -> None:
    host = RECIPE["requirements"]["host"]
    assert host[2:] == [asked(one) for one in TOML["build-system"]["requires"]]


def test_its_command_is_that_of_the_package() -> None:
    scripts = TOML["project"]["scripts"]
    points = RECIPE["build"]["python"]["entry_points"]
    assert points == [f"{name} = {place}" for name, place in scripts.items()]


def test_it_says_of_itself_what_the_package_says() -> None:
    about, project = RECIPE["about"], TOML["project"]
    assert (about["summary"], about["license"]) == (project["description"], project["license"])
    assert (HOUSE / about["license_file"]).exists()
    assert about["repository"] == about["homepage"] == project["urls"]["Source"]


def test_the_commands_that_it_tries_are_commands() -> None:
    (script,) = (one["script"] for one in RECIPE["tests"] if "script" in one)
    verbs = re.findall(r"^chaosprep (\w+)", "\n".join(script), flags=re.M)
    assert verbs == ["split", "verify"]
    assert set(verbs) <= set(main.list_commands(click.Context(main)))


def test_its_hash_is_one_or_stands_for_one_that_is_not_there_yet() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", RECIPE["source"]["sha256"])
