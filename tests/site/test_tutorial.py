"""docs/tutorial.md: its sessions, of the shell and of Python, run in the order of the page."""

import doctest
import re
from collections.abc import Iterator
from contextlib import redirect_stderr
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import pytest

from tests.documents import HOME, replayed

pytest.importorskip("matplotlib")
PAGE = (HOME / "docs/tutorial.md").read_text(encoding="utf-8")
PREPARING, TRAINING = PAGE.split("## 5. Train")


def in_order(text: str, place: Path) -> Iterator[str]:
    """Run the blocks of a page one after the other; what a session should not have printed."""
    names: dict[str, object] = {}
    for block in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S):
        if block[1] == "python":
            test = doctest.DocTestParser().get_doctest(block[2], names, "tutorial", None, 0)
            said: list[str] = []
            doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(
                test, out=said.append, clear_globs=False
            )
            names = test.globs
            yield "".join(said)
        else:
            assert block[1] == "console"
            ((expected, printed),) = replayed(block[0], place)
            yield "" if printed == expected else "\n".join(printed)


def test_every_step_gives_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with redirect_stderr(StringIO()):  # Augmentor's bar
        found = list(in_order(PREPARING, tmp_path))
    assert len(found) == 15
    assert [one for one in found if one] == []
    if all(map(find_spec, ("torch", "monai"))):
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        for expected, printed in replayed(TRAINING, tmp_path):
            assert without_figures(printed) == without_figures(expected)


def without_figures(lines: list[str]) -> list[list[str]]:
    """The words of lines; figures depend on the processor that trained the network."""
    return [re.sub(r"(?<![\w-])[\d.]+(?!\w)", "#", line).split() for line in lines]


def test_the_table_of_codes_names_those_that_verify_gives() -> None:
    named = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.M)
    assert all(f"'{one}'" in PAGE or f'"{one}"' in PAGE for one in named)
    errors = (HOME / "docs/quality.md").read_text(encoding="utf-8")
    assert all(f"`{one}`" in errors for one in named)
