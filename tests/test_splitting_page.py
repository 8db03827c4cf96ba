"""The sessions of docs/splitting.md, on phantoms of a data set that has grown."""

from pathlib import Path

from chaosprep.phantom import Patient, write_chaos
from tests.documents import HOME, place_with_samples, replayed

PAGE = (HOME / "docs/splitting.md").read_text(encoding="utf-8")
FIRST = (1, 2, 3, 5, 8, 10, 13, 15, 19, 20)
LATER = (*FIRST[1:], 21, 22, 31, 32, 33, 36)


def scanned(root: Path, ids: tuple[int, ...]) -> None:
    write_chaos(root, [Patient(id=id, sequences=("t1-in",), slices=2, matrix=32) for id in ids])


def test_the_sessions_print_what_the_page_says(tmp_path: Path) -> None:
    place = place_with_samples(tmp_path)
    scanned(place / "CHAOS_2019", FIRST)
    scanned(place / "CHAOS_2021", LATER)
    sessions = replayed(PAGE, place)
    assert sessions
    for expected, printed in sessions:
        assert printed == expected
