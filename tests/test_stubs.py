"""The stubs: made of the run-time signatures, and strict to whoever calls the functions."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.stubs import HOME, STUBS

CHECKERS = {
    "mypy": ["-m", "mypy", "--config-file", str(HOME.parent / "pyproject.toml")],
    "pyright": ["-m", "pyright"],
}
WRONG = {
    "a mistyped parameter": 'chaosprep.convert("a", "b", keep_16bt=True)',
    "a mistyped parameter of train": 'chaosprep.train("a", "b", epocs=3)',
    "a mistyped run option": 'chaosprep.split("a", "b", job=2)',
    "a wrong type": 'chaosprep.augment("a", "b", copies="two")',
    "a wrong choice": 'chaosprep.convert("a", "b", format="jpeg")',
    "a run option that a stage does not take": 'chaosprep.predict("a", "b", "c", jobs=2)',
    "a verb that is none": 'chaosprep.spilt("a", "b")',
}
RIGHT = """\
made: chaosprep.Dataset = chaosprep.convert("a", "b", keep_16bit=True, jobs=2, on_error="skip")
chaosprep.prepare("a", "b", patient=["MR001"], range=(55, 70), spec="mine.toml", config="p.toml")
chaosprep.train(made, "c", epochs=3).mean_dice
chaosprep.predict("c", made, "d", device="cpu", on_event=print)
problems: tuple[chaosprep.Problem, ...] = chaosprep.open("d").skipped
"""


def complaints(checker: str, folder: Path, lines: str) -> dict[int, str]:
    """Line -> what the type checker says of it, in a script that uses chaosprep."""
    if find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed")
    script = folder / "script.py"
    script.write_text(f"import chaosprep\n{lines}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, *CHECKERS[checker], str(script)],
        cwd=HOME.parent,  # its cache knows what `make lint` has checked
        env={"PYTHONPATH": str(HOME.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = {}
    for line in done.stdout.splitlines():
        place, _, message = line.strip().partition(": error: ")
        if not message:
            place, _, message = line.strip().partition(" - error: ")
        if message:
            found[int(place.split("script.py:")[1].split(":")[0])] = message
    return found


@pytest.mark.parametrize("file", STUBS)
def test_a_stub_is_what_the_signatures_say(file: str) -> None:
    """Make it again with: python -m tests.stubs."""
    assert (HOME / file).read_text(encoding="utf-8") == STUBS[file]()


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_type_checker_refuses_every_wrong_call_and_no_right_one(
    checker: str, tmp_path: Path
) -> None:
    right = len(RIGHT.splitlines())
    found = complaints(checker, tmp_path, RIGHT + "".join(f"{call}\n" for call in WRONG.values()))
    assert sorted(found) == [2 + right + number for number in range(len(WRONG))], found
