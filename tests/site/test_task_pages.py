"""docs/have and docs/train: what they show is what happens, on data such as they begin with."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.documents import HOME, blocks, replayed
from tests.site.places import PLACES

pytestmark = pytest.mark.filterwarnings("ignore:The string .* is unlikely to represent")
NEEDED = {"have/structures": "highdicom"}
IN_PYTHON = {"train/monai": ("monai", "nibabel"), "train/pytorch": ("torch", "monai")}
TASKS = sorted(
    path.relative_to(HOME / "docs").with_suffix("").as_posix()
    for folder in ("have", "train")
    for path in (HOME / "docs" / folder).glob("*.md")
)


def text(page: str) -> str:
    return (HOME / f"docs/{page}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PLACES)
def test_a_page_shows_what_the_commands_print(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(NEEDED.get(page, "chaosprep"))
    PLACES[page](tmp_path)
    sessions = replayed(text(page), tmp_path)
    assert sessions
    for expected, printed in sessions:
        assert printed == expected
    monkeypatch.chdir(tmp_path)
    for code in blocks(text(page), "python"):
        if all(map(find_spec, IN_PYTHON[page])):
            exec(compile(code, page, "exec"), {})


def test_a_page_with_a_session_is_run() -> None:
    assert {page for page in TASKS if "```" in text(page)} == set(PLACES)
