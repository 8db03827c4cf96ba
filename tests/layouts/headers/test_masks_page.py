"""The section on masks of docs/headers.md: its session is run, its codes are those there are."""

import re
from pathlib import Path

import pytest

from tests.documents import HOME, place_with_samples, replayed

pytest.importorskip("highdicom")
PAGE = (HOME / "docs/headers.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## Masks\n")[2].partition("\n## ")[0]


def test_the_session_prints_what_the_page_says(tmp_path: Path) -> None:
    ((expected, printed),) = replayed(SECTION, place_with_samples(tmp_path))
    assert printed == expected


def test_every_code_that_it_names_is_one() -> None:
    code = "".join(path.read_text() for path in (HOME / "chaosprep").rglob("*.py"))
    named = re.findall(r"`(mask-[a-z]+)`", SECTION)
    assert len(named) == 7
    assert all(f'"{one}"' in code for one in named)
