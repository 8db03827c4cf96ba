"""docs/python.md: what it shows is what happens, and every public name has an example."""

import doctest
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import chaosprep
from tests.documents import HOME, blocks, place_with_samples

PAGE = (HOME / "docs/python.md").read_text(encoding="utf-8")
BLOCKS = blocks(PAGE, "python")


def test_the_sessions_give_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place_with_samples(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    trains = all(find_spec(name) for name in ("torch", "monai", "matplotlib"))
    shown = [block for block in BLOCKS if trains or "chaosprep.train" not in block]
    test = doctest.DocTestParser().get_doctest("\n".join(shown), {}, "python.md", "python.md", 0)
    assert len(test.examples) > 40
    report: list[str] = []
    result = doctest.DocTestRunner().run(test, out=report.append)
    assert not result.failed, "".join(report)


def test_every_public_name_has_an_example() -> None:
    shown = set(re.findall(r"\bchaosprep\.(\w+)", "".join(BLOCKS)))
    assert {*chaosprep.__all__, "open"} - shown == set()
