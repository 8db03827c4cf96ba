"""No GPL or LGPL in the core and the extras that anybody may install."""

from importlib import metadata
from pathlib import Path

import pytest

from tests.release import licences
from tests.release.state import HOUSE, read

# What packages say, and whether it is refused.
SAID = {
    "MIT": False,
    "MPL-2.0 AND MIT": False,
    "Apache-2.0 OR BSD-3-Clause": False,
    "GPL-3.0-or-later": True,
    "LGPL-2.1-only": True,
    "MIT AND LGPL-2.1-or-later": True,
    "MIT OR GPL-2.0-only": False,
    "BSD-3-Clause AND (MIT OR GPL-2.0-only)": False,
    "GPL-2.0-only OR LGPL-2.1-only": True,
    "GPL-3.0-or-later WITH GCC-exception-3.1": False,
    "GNU General Public License v3 (GPLv3)": True,
    "GNU Lesser General Public License v2 or later (LGPLv2+)": True,
    "BSD License; GNU General Public License (GPL)": True,
    "": True,
}


@pytest.mark.parametrize("text", SAID)
def test_a_licence_is_refused_where_only_copyleft_can_be_chosen(text: str) -> None:
    assert licences.is_refused(text) == SAID[text]


def test_nothing_that_comes_along_is_refused() -> None:
    assert licences.check(None) == []
    assert len(licences.everything()) > len(licences.wanted()[""])


def test_the_one_extra_under_gpl_is_not_among_them() -> None:
    assert "codecs-gpl" not in licences.wanted()
    assert not any("pylibjpeg-libjpeg" in str(some) for some in licences.wanted().values())


def test_a_package_is_found_through_another_that_needs_it() -> None:
    found = licences.closure(["rich>=14.0"])
    assert {"rich", "markdown-it-py", "mdurl", "pygments"} <= found.keys()  # rich says so


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(licences, "wanted", lambda: {"": ["no-such-thing"], "b": ["rich"]})
    assert licences.check(None) == ["the core: not installed here: no-such-thing"]


def package(place: Path, *said: str, files: tuple[str, ...] = ()) -> metadata.Distribution:
    """An installed package that says this of itself, with these files."""
    (place / "METADATA").write_text("Name: a\n" + "".join(f"{line}\n" for line in said))
    (place / "RECORD").write_text("".join(f"{name},,\n" for name in files))
    return metadata.Distribution.at(place)


def test_an_expression_counts_more_than_classifiers_and_they_more_than_text(tmp_path: Path) -> None:
    text = "License: Long\n  text"
    classifier = "Classifier: License :: OSI Approved :: MIT License"
    expression = "License-Expression: 0BSD"
    assert licences.licence(package(tmp_path, text)) == "Long"
    assert licences.licence(package(tmp_path, text, classifier)) == "MIT License"
    assert licences.licence(package(tmp_path, text, classifier, expression)) == "0BSD"
    assert licences.licence(package(tmp_path)) == ""


def test_a_library_in_a_wheel_is_seen_by_its_file(tmp_path: Path) -> None:
    names = ("a.libs/libavcodec-c42044.so.62", "a.libs/libavif-c6062.so.16", "a/libswscale.8.dylib")
    assert licences.carried(package(tmp_path, files=names)) == {"FFmpeg (LGPL-2.1)"}
    others = ("a.libs/libavif-43e6.so", "a/libavc.py")
    assert licences.carried(package(tmp_path, files=others)) == set()


def test_the_readme_names_every_copyleft_library_that_wheels_bring() -> None:
    _, _, said = read(HOUSE, "README.md").partition("## The data and their licence")
    for one in licences.everything().values():
        for title in licences.carried(one):
            library, _, _ = title.partition(" ")
            assert library in said, f"{one.name} carries {title}"
