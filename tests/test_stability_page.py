"""docs/stability.md: its session gives what it says, and every code that it names is one."""

import doctest
import re
from pathlib import Path

import pytest

import chaosprep
from chaosprep.dataset.descriptor import MANIFEST_VERSION
from tests.documents import HOME, blocks, place_with_samples

PAGE = (HOME / "docs/stability.md").read_text(encoding="utf-8")


def test_the_session_gives_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place_with_samples(tmp_path))
    session = "\n".join(blocks(PAGE, "python"))
    test = doctest.DocTestParser().get_doctest(session, {}, "stability", "stability.md", 0)
    report: list[str] = []
    result = doctest.DocTestRunner().run(test, out=report.append)
    assert result.attempted
    assert not result.failed, "".join(report)


def test_every_code_is_one_that_there_is() -> None:
    named = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|", PAGE, flags=re.M)
    codes = [code for cell in named for code in re.findall(r"`([a-z-]+)`", cell)]
    assert {"manifest-newer", "manifest-version", "output-differs"} <= set(codes)
    code = "".join(path.read_text() for path in (HOME / "chaosprep").rglob("*.py"))
    assert [one for one in codes if f'"{one}"' not in code] == []


def test_it_speaks_of_the_version_that_there_is() -> None:
    assert f"within version {MANIFEST_VERSION} of the manifest" in PAGE
    assert all(hasattr(chaosprep, name) for name in chaosprep.__all__)
