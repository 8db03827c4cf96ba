"""What the system refuses in the middle of a run: it is named, and nothing is lost."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep.errors import ProblemsError, RefusedError
from chaosprep.files import GOES_ON
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.options import Event
from chaosprep.running.runner import run
from chaosprep.running.stage import CaseResult, Stage
from chaosprep.running.writer import Writer
from tests.running.toys import (
    TOY,
    ToyCase,
    ToyParams,
    make_case,
    no_path,
    snapshot,
    source,
)


def cases(mark: Path) -> tuple[ToyCase, ...]:
    """Four cases, of which the third is refused what is written in a file, as long as it is."""
    ids = [f"MR{number:03d}_t1-in" for number in range(1, 5)]
    return tuple(ToyCase(id, held=str(mark) if id == "MR003_t1-in" else "") for id in ids)


def refusing(case: ToyCase, params: ToyParams, writer: Writer) -> CaseResult:
    """Make a case, where every file that is to be made is refused with the number in a file."""
    if not (case.held and Path(case.held).exists()):
        return make_case(case, params, writer)
    number, real = int(Path(case.held).read_text()), os.open

    def refused(path: str | Path, flags: int, *more: Any, **given: Any) -> int:
        if flags & os.O_CREAT:
            raise OSError(number, os.strerror(number), str(path))
        return real(path, flags, *more, **given)

    os.open = refused  # type: ignore[assignment]
    try:
        return make_case(case, params, writer)
    finally:
        os.open = real


REFUSED = Stage(name="toy", version=1, params=ToyParams, run_case=refusing, open=no_path)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_what_cannot_be_written_ends_the_run_and_the_same_command_goes_on(
    jobs: int, number: int, tmp_path: Path
) -> None:
    mark, out = tmp_path / "mark", tmp_path / "out"
    mark.write_text(f"{number}")
    with pytest.raises(RefusedError) as caught:
        run(REFUSED, ToyParams(), source(tmp_path, *cases(mark)), out, jobs=jobs, on_error="skip")
    assert caught.value.reason == f"{out}: cannot be written ({os.strerror(number)})"
    assert caught.value.remedy.endswith(GOES_ON)
    assert not [name for name in snapshot(out) if name.endswith(".part")]
    mark.unlink()
    run(REFUSED, ToyParams(), source(tmp_path, *cases(mark)), out, jobs=jobs, on_error="skip")
    run(TOY, ToyParams(), source(tmp_path, *cases(mark)), tmp_path / "whole")
    assert snapshot(out) == snapshot(tmp_path / "whole")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_what_the_machine_is_short_of_ends_the_run_with_a_remedy_of_its_own(
    number: int, tmp_path: Path
) -> None:
    mark, out = tmp_path / "mark", tmp_path / "out"
    mark.write_text(f"{number}")
    with pytest.raises(RefusedError) as caught:
        run(REFUSED, ToyParams(), source(tmp_path, *cases(mark)), out, on_error="skip")
    assert caught.value.code == "system"
    assert os.strerror(number) in caught.value.reason
    assert "--jobs" in caught.value.remedy


@pytest.fixture
def root(tmp_path: Path) -> Path:
    patients = [Patient(id=id, sequences=("t1-in",), slices=4, matrix=64) for id in range(1, 6)]
    return write_chaos(tmp_path / "root", patients)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_an_input_that_vanishes_is_named_with_its_path(
    what: str, root: Path, tmp_path: Path
) -> None:
    pairs = chaosprep.split(root, tmp_path / "pairs", val_patient=["MR001"])
    last = pairs.cases[-1]
    lost = pairs.directory / last.slices[0].image

    def vanish(event: Event) -> None:
        if event.finished == 1 and lost.exists():
            shutil.rmtree(lost.parent) if what == "folder" else lost.unlink()

    with pytest.raises(ProblemsError) as caught:
        chaosprep.extract_liver(pairs.directory, tmp_path / "out", on_event=vanish)
    named = {problem.file for problem in caught.value.problems}
    assert last.slices[0].image in named
    assert {problem.code for problem in caught.value.problems} == {"file-missing"}


def test_an_input_that_changes_is_named_with_its_path(root: Path, tmp_path: Path) -> None:
    pairs = chaosprep.split(root, tmp_path / "pairs", val_patient=["MR001"])
    changed = pairs.cases[-1].slices[0].image

    def change(event: Event) -> None:
        if event.finished == 1:
            with (pairs.directory / changed).open("ab") as file:
                file.write(b"\0")

    with pytest.raises(ProblemsError) as caught:
        chaosprep.extract_liver(pairs.directory, tmp_path / "out", on_event=change)
    assert [(p.code, p.file) for p in caught.value.problems] == [("hash", changed)]


@pytest.mark.parametrize("lost", ["MR/2/T1DUAL", "MR/2"])
def test_a_root_that_loses_a_folder_while_it_is_read_names_it(
    lost: str, root: Path, tmp_path: Path
) -> None:
    (folder,) = root.rglob(lost)

    def vanish(event: Event) -> None:
        if event.kind == "planned":
            shutil.rmtree(folder)

    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(root, tmp_path / "out", val_patient=["MR001"], on_event=vanish)
    place = folder.relative_to(root).as_posix()
    assert {problem.code for problem in caught.value.problems} == {"file-missing"}
    assert all(place in str(problem.file) for problem in caught.value.problems)
