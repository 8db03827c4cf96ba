"""docs/deidentify.md: its sessions print and give what the page says; its codes are in the code."""

import doctest
import re
from pathlib import Path

import pytest

from chaosprep.privacy.deidentify import profile
from tests.documents import HOME, blocks, place_with_samples, replayed
from tests.error_page import all_said

PAGE = (HOME / "docs/deidentify.md").read_text(encoding="utf-8")


def test_the_sessions_print_and_give_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place_with_samples(tmp_path))
    ((expected, printed),) = replayed(PAGE, tmp_path)
    assert printed == expected
    text = "\n".join(blocks(PAGE, "python"))
    test = doctest.DocTestParser().get_doctest(text, {}, "deidentify.md", "deidentify.md", 0)
    report: list[str] = []
    assert not doctest.DocTestRunner().run(test, out=report.append).failed, "".join(report)
    assert test.examples


def test_the_codes_that_it_names_are_those_of_errors() -> None:
    known = {one.code for one in all_said()}
    named = set(re.findall(r"`([a-z]+-[a-z]+)`", PAGE))
    assert named
    assert named <= known


def test_it_says_the_edition_and_the_options_in_force() -> None:
    assert f"edition {profile.EDITION}" in PAGE
    assert all(f"{code} {meaning}" in PAGE for code, meaning in profile.OPTIONS)
