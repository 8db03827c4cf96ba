"""The console sessions of these pages of docs print what the pages say."""

from pathlib import Path

import pytest

from tests.documents import HOME, blocks, place_with_samples, replayed

PAGES = [
    *("assemble.md", "augmentation.md", "dicom.md", "evaluation.md", "exports.md", "nifti.md"),
    "grids.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_the_sessions_print_what_the_page_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (HOME / "docs" / page).read_text(encoding="utf-8")
    sessions = replayed(text, place_with_samples(tmp_path))
    assert sessions
    for expected, printed in sessions:
        assert printed == expected
    if page == "exports.md":  # the Python of the others is parts of programs
        monkeypatch.chdir(tmp_path)
        for code in blocks(text, "python"):
            exec(compile(code, page, "exec"), {})
