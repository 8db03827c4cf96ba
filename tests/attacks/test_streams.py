"""Standard streams that are full, closed, or that nobody reads."""

import json
from pathlib import Path

import pytest

from tests.attacks.attacker import ATTACKS
from tests.attacks.outside import shell, small_root
from tests.running.toys import snapshot

FULL = Path("/dev/full")
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_root(tmp_path_factory.mktemp("streams") / "root")


@pytest.fixture(scope="module")
def made(root: Path) -> Path:
    output = root.parent / "made"
    assert shell('"$@"', "split", root, "-o", output, "-j", "1").returncode == 0
    return output


SAYING = (("--help",), ("--version",), ("inspect", "ROOT", "--json"), ("verify", "MADE", "--json"))


def words_of(words: tuple[str, ...], root: Path, made: Path) -> list[str]:
    return [{"ROOT": str(root), "MADE": str(made)}.get(word, word) for word in words]


@pytest.mark.parametrize("words", SAYING, ids=" ".join)
def test_what_cannot_be_told_is_an_error(words: tuple[str, ...], root: Path, made: Path) -> None:
    done = shell('"$@" > /dev/full', *words_of(words, root, made))
    assert done.returncode == 1
    assert done.stderr == (
        "Error: standard output: cannot be written (No space left on device). Send it somewhere "
        "else.\n"
    )


def test_a_completion_that_cannot_be_told_is_an_error() -> None:
    done = shell('"$@" > /dev/full', changes={"_CHAOSPREP_COMPLETE": "bash_source"})
    assert done.returncode == 1
    assert done.stderr.startswith("Error: standard output: ")


def test_the_work_is_done_though_its_result_cannot_be_told(
    root: Path, made: Path, tmp_path: Path
) -> None:
    done = shell('"$@" > /dev/full', "split", root, "-o", tmp_path / "out", "-j", "1", "-q")
    assert (done.returncode, done.stderr) == (0, "")  # -q has nothing to tell
    done = shell('"$@" > /dev/full', "split", root, "-o", tmp_path / "two", "-j", "1")
    assert done.returncode == 1
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "two") == snapshot(made)


@pytest.mark.parametrize("ends", ["2>/dev/full", "2>&-", ">&-", "<&-", "<&- >&- 2>&-"])
def test_streams_that_take_nothing_do_not_harm_the_work(
    ends: str, root: Path, made: Path, tmp_path: Path
) -> None:
    """A closed number would be given to the next file, and what is said to that file."""
    done = shell(f'"$@" {ends}', "split", root, "-o", tmp_path / "out", "-j", "2", "-v")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert snapshot(tmp_path / "out") == snapshot(made)


def test_an_error_that_cannot_be_told_keeps_its_exit_code(tmp_path: Path) -> None:
    assert shell('"$@" 2>/dev/full', "convert", tmp_path / "none", "-o", "x").returncode == 2


@pytest.mark.parametrize(("reader", "first"), [("head -1", 0), ("true", 1)])
def test_who_stops_reading_is_not_told_of_it(
    reader: str, first: int, root: Path, made: Path
) -> None:
    """The exit code stays that of the verdict."""
    for words in SAYING if ATTACKS > 1 else SAYING[first::2]:
        script = f'"$@" | {reader} >/dev/null; exit "${{PIPESTATUS[0]}}"'
        done = shell(script, *words_of(words, root, made))
        assert (done.returncode, done.stderr) == (0, "")


def test_names_that_an_encoding_lacks_are_told_somehow(tmp_path: Path) -> None:
    root, output = small_root(tmp_path / "r\udcff\u00e4"), tmp_path / "o\udcff\u00e4"
    changes = {"PYTHONIOENCODING": "ascii"}
    done = shell('"$@"', "split", root, "-o", output, "-j", "1", changes=changes)
    assert done.returncode == 0
    assert done.stdout.endswith("/datapackage.json\n")
    shown = shell('"$@"', "inspect", root, "--json", changes=changes)
    assert json.loads(shown.stdout)["root"] == str(root)


def test_a_locale_without_letters_is_enough(tmp_path: Path) -> None:
    root, output = small_root(tmp_path / "r\udcff\u00e4"), tmp_path / "o\udcff\u00e4"
    changes = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for words in (("split", root, "-o", output, "-j", "2"), ("verify", output)):
        done = shell('"$@"', *words, changes=changes)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False)
