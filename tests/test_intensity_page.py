"""docs/intensity.md: its sessions and its Python do what the page says, and so do its figures."""

import doctest
import re
from pathlib import Path

import pytest

import chaosprep
from chaosprep import Dataset
from tests.documents import HOME, blocks, place_with_samples, replayed
from tests.stages.normalized import Normal
from tests.stages.scanners import distance

PAGE = (HOME / "docs/intensity.md").read_text(encoding="utf-8")


def test_the_sessions_and_the_python_give_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_with_samples(tmp_path)
    for expected, printed in replayed(PAGE, place):
        assert printed == expected
    monkeypatch.chdir(place)
    python = "\n".join(blocks(PAGE, "python"))
    test = doctest.DocTestParser().get_doctest(python, {}, "intensity.md", "intensity.md", 0)
    report: list[str] = []
    assert not doctest.DocTestRunner().run(test, out=report.append).failed, "".join(report)


def test_the_figures_are_those_of_the_two_scanners(
    scanners: Dataset, normalized: Normal, tmp_path: Path
) -> None:
    told = dict(re.findall(r"^\| (.+?) \| (\d+\.\d\d) \|", PAGE, flags=re.M))
    found = {
        "stored values": scanners,
        "a window": chaosprep.convert(scanners, tmp_path / "window"),
        "z-score": normalized["zscore"],
        "Nyul's landmarks": normalized["nyul"],
    }
    apart = {name: f"{distance(one, 'MR005', 'MR006'):.2f}" for name, one in found.items()}
    assert apart == told
