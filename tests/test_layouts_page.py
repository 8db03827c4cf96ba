"""Every block of docs/layouts.md is run, and every code that it names is one that there is."""

import doctest
import re
from pathlib import Path

from chaosprep.layouts.find import LayoutParams
from tests.documents import HOME, blocks, place_with_samples, replayed, run

PAGE = (HOME / "docs/layouts.md").read_text(encoding="utf-8")


def test_the_sessions_print_what_the_page_says(tmp_path: Path) -> None:
    place = place_with_samples(tmp_path)
    (make_key,) = blocks(PAGE, "shell")
    run(["sh", "-e", "-c", make_key], place)
    sessions = replayed(PAGE, place)
    assert len(sessions) == 3
    for expected, printed in sessions:
        assert printed == expected


def test_the_python_block_gives_what_the_page_says() -> None:
    (session,) = blocks(PAGE, "python")
    test = doctest.DocTestParser().get_doctest(session, {}, "layouts", "layouts.md", 0)
    report: list[str] = []
    result = doctest.DocTestRunner().run(test, out=report.append)
    assert not result.failed, "".join(report)


def test_the_page_names_every_option_and_only_codes_that_there_are() -> None:
    for name in (
        *("layout", "images", "masks", "patient_from", "patient_from_name", "patients"),
        *("redivide", "pseudonymize"),
    ):
        assert name in LayoutParams.__struct_fields__
        assert f"--{name.replace('_', '-')}" in PAGE
    rooms = (HOME / "chaosprep" / room for room in ("layouts", "series", "formats", "imaging"))
    code = "".join(path.read_text() for room in rooms for path in room.rglob("*.py"))
    for named in re.findall(r"`(mask-[a-z]+|too-large)`", PAGE):
        assert f'"{named}"' in code
