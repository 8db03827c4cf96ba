"""What the files of a release must agree on: each check gives what is wrong, a line each."""

import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

Check = Callable[[Path], list[str]]
HOUSE = Path(__file__).parents[2]
# Files that hold the address of the project's source.
ADDRESSED = (
    *("pyproject.toml", "CITATION.cff", "Dockerfile", "chaosprep.def", "recipe/recipe.yaml"),
    ".github/ISSUE_TEMPLATE/config.yml",
)


def read(house: Path, name: str) -> str:
    """The text of a file of the project."""
    return (house / name).read_text(encoding="utf-8")


def version(house: Path) -> str:
    """The release, from the one place that has it."""
    (found,) = re.findall(r'^__version__ = "(.+)"$', read(house, "chaosprep/version.py"), re.M)
    return str(found)


def source(house: Path) -> str:
    """The address of the project's source."""
    return str(tomllib.loads(read(house, "pyproject.toml"))["project"]["urls"]["Source"])


def versions(house: Path) -> list[str]:
    """Every copy of the version is that of chaosprep/version.py."""
    copies = {
        "CITATION.cff": r"^version: (\S+)$",
        "recipe/recipe.yaml": r"^  version: ([\d.]+\S*)$",
        "CHANGELOG.md": r"\A# Changelog\n+## (\S+) \(",
        "docs/scaling.md": r"chaosprep:(\d[\w.]*)",
    }
    wanted, faults = version(house), []
    for name, pattern in copies.items():
        found = set(re.findall(pattern, read(house, name), re.M))
        if found != {wanted}:
            faults.append(f"{name}: the version is {sorted(found)}, not {wanted}")
    return faults


def addresses(house: Path) -> list[str]:
    """Every address of the project begins with the one of its source."""
    wanted = source(house)
    host = re.escape(f"https://{urlsplit(wanted).hostname}")
    faults = []
    for name in ADDRESSED:
        found = re.findall(rf"{host}[^\s\"')]*", read(house, name))
        faults += [
            f"{name}: {one} does not begin with {wanted}"
            for one in found
            if one != wanted and not one.startswith(f"{wanted}/")
        ]
        faults += [] if found else [f"{name}: it does not name {wanted}"]
    return faults


def sources(house: Path) -> list[str]:
    """Everything at the top of the repository is in the sdist; nothing else is."""
    if not (house / ".git").exists():
        return []
    listed = subprocess.run(
        ["git", "ls-files"], cwd=house, text=True, capture_output=True, check=True
    ).stdout
    tops = {name.partition("/")[0] for name in listed.splitlines()}
    hatch = tomllib.loads(read(house, "pyproject.toml"))["tool"]["hatch"]
    named = {name.strip("/") for name in hatch["build"]["targets"]["sdist"]["include"]}
    alone = {".gitignore", "LICENSE", "pyproject.toml"}  # hatch takes them in any case
    lacking = [f"pyproject.toml: the sdist lacks {one}" for one in sorted(tops - named - alone)]
    return lacking + [f"pyproject.toml: {one} of the sdist is not there" for one in named - tops]


def dated(house: Path) -> list[str]:
    """The change log says when the release is."""
    heading = re.findall(r"^## \S+ \((.*)\)$", read(house, "CHANGELOG.md"), re.M)[0]
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", heading):
        return []
    return [f"CHANGELOG.md: the release is '{heading}': put its date there, as 2031-12-24"]


def public(house: Path) -> list[str]:
    """The addresses lead somewhere: they are no longer examples."""
    if not str(urlsplit(source(house)).hostname).endswith(".example"):
        return []
    return [f"{source(house)} is an example: put the real address into {', '.join(ADDRESSED)}"]


def committed(house: Path) -> list[str]:
    """What is built is what is under version control."""
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=house, text=True, capture_output=True, check=True
    ).stdout.splitlines()
    return [f"{line[3:]}: it is not committed" for line in changed]


def tagged(tag: str) -> Check:
    """The tag is that of the version."""

    def check(house: Path) -> list[str]:
        wanted = f"v{version(house)}"
        return [] if tag == wanted else [f"the tag is {tag}, not {wanted}"]

    return check


ALWAYS: dict[str, Check] = {
    "one version": versions,
    "one address": addresses,
    "whole sources": sources,
}
AT_RELEASE: dict[str, Check] = {
    "a date": dated,
    "a real address": public,
    "all committed": committed,
}
