"""Every block of docs/layouts.md is run, and every code that it names is one that there is."""

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from chaosprep.layouts.find import LayoutParams

HERE = Path(__file__).parents[1]
PAGE = (HERE / "docs/layouts.md").read_text(encoding="utf-8")
COMMANDS = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.M | re.S)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("page")
    (place / "sample_data").symlink_to(HERE / "sample_data")
    return place


def test_the_sessions_print_what_the_page_says(place: Path) -> None:
    (make_key,) = blocks("shell")
    subprocess.run(["sh", "-e", "-c", make_key], cwd=place, check=True, timeout=60)
    sessions = blocks("console")
    assert len(sessions) == 2
    for step in re.split(r"^\$ ", "".join(sessions), flags=re.M)[1:]:
        command, _, expected = step.partition("\n")
        program, *arguments = shlex.split(command)
        done = subprocess.run(
            [str(COMMANDS / program), *arguments],
            cwd=place,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert [line.rstrip() for line in done.stdout.splitlines()] == expected.splitlines()


def test_the_python_block_gives_what_the_page_says() -> None:
    (session,) = blocks("python")
    test = doctest.DocTestParser().get_doctest(session, {}, "layouts", "layouts.md", 0)
    report: list[str] = []
    result = doctest.DocTestRunner().run(test, out=report.append)
    assert not result.failed, "".join(report)


def test_the_page_names_every_option_and_only_codes_that_there_are() -> None:
    for name in ("layout", "images", "masks", "patient_from", "pseudonymize"):
        assert name in LayoutParams.__struct_fields__
        assert f"--{name.replace('_', '-')}" in PAGE
    code = "".join(path.read_text() for path in (HERE / "chaosprep/layouts").glob("*.py"))
    for named in re.findall(r"`(mask-[a-z]+|too-large)`", PAGE):
        assert f'"{named}"' in code
