"""Versions of other packages: those that Python's own module gives, told sooner."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from chaosprep.running.libraries import version_of


@pytest.mark.parametrize("name", ["numpy", "Pillow", "opencv-python-headless", "pydicom"])
def test_it_is_what_python_says(name: str) -> None:
    assert version_of(name) == version(name)


def test_the_first_on_the_path_counts_in_whatever_spelling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, number in (("a", "1.2rc1"), ("b", "3")):
        folder = tmp_path / place / f"My_Package-{number}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Name: my.package\nVersion: {number}\n\nVersion: 9\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "a"), str(tmp_path / "b")])
    assert version_of("my-package") == version("my-package") == "1.2rc1"


def test_what_is_not_there_is_said_as_python_says_it() -> None:
    with pytest.raises(PackageNotFoundError):
        version_of("no-such-package")
