"""What pyproject.toml says of the package, as a person sees it on PyPI."""

import io
import re
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.release import built
from tests.release.state import HOUSE, read, source, version

TOML = tomllib.loads(read(HOUSE, "pyproject.toml"))
PROJECT: dict[str, Any] = TOML["project"]
(SUBSTITUTION,) = TOML["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]


def described() -> str:
    """README.md as the build writes it: the plugin replaces by re.sub, and knows the version."""
    replacement = SUBSTITUTION["replacement"].replace("$HFPR_VERSION", version(HOUSE))
    return re.sub(SUBSTITUTION["pattern"], replacement, read(HOUSE, "README.md"))


def test_its_description_has_no_relative_link() -> None:
    assert built.LINK.findall(read(HOUSE, "README.md"))
    assert built.LINK.findall(described()) == []


def test_a_link_of_its_description_leads_to_a_file_of_that_release() -> None:
    start = re.escape(f"]({source(HOUSE)}/blob/v{version(HOUSE)}/")
    names = re.findall(rf"{start}([^)#]+)", described())
    assert len(names) >= len(list((HOUSE / "docs").glob("*.md"))) - 1
    assert [name for name in names if not (HOUSE / name).exists()] == []


def test_what_it_is_built_with_makes_the_description() -> None:
    assert any(
        one.startswith("hatch-fancy-pypi-readme") for one in TOML["build-system"]["requires"]
    )
    assert PROJECT["dynamic"] == ["readme", "version"]


def test_its_licence_is_an_spdx_expression_and_the_file_is_there() -> None:
    assert (PROJECT["license"], PROJECT["license-files"]) == ("Apache-2.0", ["LICENSE"])
    assert "Apache License" in read(HOUSE, "LICENSE")
    assert not any(one.startswith("License ::") for one in PROJECT["classifiers"])  # PEP 639


@pytest.mark.parametrize("name", PROJECT["urls"])
def test_an_address_has_the_form_of_one(name: str) -> None:
    assert re.fullmatch(r"https://[a-z.-]+\.[a-z]+/[\w./#-]+", PROJECT["urls"][name])
    assert PROJECT["urls"][name].startswith(source(HOUSE))


def test_a_classifier_of_a_python_is_one_that_it_asks_for() -> None:
    found = re.findall(r":: Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert PROJECT["requires-python"] == f">={found[0]}"
    assert found == sorted(found, key=lambda one: int(one.split(".")[1]))


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(built, "tracked", lambda _: {"README.md", "chaosprep/a.py"})
    return tmp_path


def test_an_sdist_that_lacks_a_file_or_has_another_is_seen(house: Path) -> None:
    sdist = house / "c-1.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        for name in ("PKG-INFO", "README.md", "patient.dcm"):
            archive.addfile(tarfile.TarInfo(f"c-1/{name}"), io.BytesIO())
    assert built.sdist_faults(sdist, house) == [
        "c-1.tar.gz: chaosprep/a.py is missing",
        "c-1.tar.gz: patient.dcm does not belong",
    ]


def test_a_wheel_with_other_files_or_a_relative_link_is_seen(house: Path) -> None:
    wheel = house / "c-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tests/b.py", "")
        archive.writestr("c-1.dist-info/METADATA", "Name: c\n\n[a](docs/a.md) [b](https://c.org)")
    assert built.wheel_faults(wheel, house) == [
        f"{wheel.name}: chaosprep/a.py is missing",
        f"{wheel.name}: tests/b.py does not belong",
        f"{wheel.name}: the link docs/a.md is relative",
    ]


def test_a_folder_that_holds_something_is_not_built_into(tmp_path: Path) -> None:
    (tmp_path / "old.whl").touch()
    assert built.build(HOUSE, tmp_path) == [f"{tmp_path} is not empty: remove what is in it"]
