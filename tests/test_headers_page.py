"""The first sections of docs/headers.md: its session on a small PACS export, and its codes."""

import re
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.fileset import FileSet

from chaosprep.division.params import SplitParams
from tests.documents import HOME, replayed

PAGE = (HOME / "docs/headers.md").read_text(encoding="utf-8")
OWN = ("Who is who", "The key", "What is passed over")
_SECTIONS = re.split(r"^## ", PAGE, flags=re.M)
TEXT = _SECTIONS[0] + "".join(one for one in _SECTIONS[1:] if one.partition("\n")[0] in OWN)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """The images of sample_data as a file set with its DICOMDIR."""
    media = FileSet()
    for path in sorted((HOME / "sample_data").rglob("*.dcm")):
        image = dcmread(path)
        image.PatientID = f"PACS-{image.PatientName}"  # a DICOMDIR must have one
        image.StudyDate, image.StudyTime = "20000101", "120000"
        media.add(image)
    media.write(tmp_path / "pacs")
    vars(media)["_stage"]["t"].cleanup()  # pydicom leaves it to the collector, which warns
    return tmp_path


def test_the_session_prints_what_the_page_says(export: Path) -> None:
    assert (export / "pacs/DICOMDIR").is_file()
    assert (export / "pacs/PT000000/ST000000/SE000000/IM000000").is_file()
    sessions = replayed(TEXT, export)
    assert len(sessions) == 1
    for expected, printed in sessions:
        assert printed == expected
    assert (export / "sets/chaosprep.key").stat().st_size == 32


def test_the_page_names_only_options_and_codes_that_there_are() -> None:
    options = {f"--{name.replace('_', '-')}" for name in SplitParams.__struct_fields__}
    options.add("--file")  # of inspect alone
    assert set(re.findall(r"--[a-z-]+", re.sub(r"\|[-|]+\|", "", TEXT))) <= options
    errors = (HOME / "docs/errors.md").read_text(encoding="utf-8")
    for code in re.findall(r"\((`[a-z]+-[a-z]+`)\)|^\| (`[a-z]+-[a-z]+`) \|", TEXT, flags=re.M):
        assert f"| {''.join(code)} |" in errors
