"""What nobody foresaw, or the system refuses, is one line; -vv says where it comes from."""

import errno
import json
from pathlib import Path

import pytest

from .conftest import Run


@pytest.fixture(params=[KeyError("John Smith"), EOFError("John Smith"), RuntimeError("John Smith")])
def unforeseen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an error that running a stage ends with."""

    def fail(*_: object, **__: object) -> None:
        raise request.param

    monkeypatch.setattr("chaosprep.cli.stage.run", fail)
    return type(request.param).__name__


def test_the_unforeseen_is_one_line_to_report(
    chaosprep: Run, unforeseen: str, root: Path, tmp_path: Path
) -> None:
    result = chaosprep("split", root, "-o", tmp_path / "out")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"Error: an unforeseen {unforeseen} at chaosprep/cli/stage.py:")
    assert "Report it to the authors" in line


@pytest.mark.usefixtures("unforeseen")
def test_with_vv_it_is_said_where_it_comes_from_and_no_more(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    result = chaosprep("split", root, "-o", tmp_path / "out", "-vv")
    assert result.exit_code == 1
    assert 'test_last_catch.py", line' in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: an unforeseen ")
    assert "John Smith" not in result.output


@pytest.mark.usefixtures("unforeseen")
def test_with_json_it_is_an_error_with_its_code(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    result = chaosprep("split", root, "-o", tmp_path / "out", "--json")
    said = json.loads(result.stdout)
    assert (said["status"], said["code"], said["problems"]) == ("error", "internal", [])


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOENT, "Bring it back or make it accessible"),
        (errno.EACCES, "Bring it back or make it accessible"),
        (errno.ENOSPC, "Make room"),
        (errno.EROFS, "Make it writable"),
        (errno.EIO, "Check the disk"),
        (errno.ENAMETOOLONG, "Give it a shorter name"),
    ],
)
def test_what_the_system_refuses_is_named_with_its_path(
    chaosprep: Run,
    number: int,
    remedy: str,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "so it is", f"{root}/a file")

    monkeypatch.setattr("chaosprep.cli.stage.run", refuse)
    result = chaosprep("split", root, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {root}/a file: the system refuses to read or write there (so it is). "
        f"{remedy}, and run the same command again.\n"
    )


def test_memory_that_is_not_there_is_named(
    chaosprep: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhaust(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("chaosprep.cli.stage.run", exhaust)
    result = chaosprep("split", root, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: there is not enough memory. ")
