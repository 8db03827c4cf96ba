"""How the command ends: at once, and yet with all that was to be done at its end."""

import subprocess
import sys

import pytest

BEGINS = "import atexit, sys, threading, time\nfrom chaosprep.cli.entry import run\n"


def ended(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"{BEGINS}{program}\nrun()", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(("words", "code"), [(("--version",), 0), (("misspelled",), 2)])
def test_the_exit_code_is_that_of_the_command(words: tuple[str, ...], code: int) -> None:
    assert ended("", *words).returncode == code


def test_what_python_was_asked_to_do_at_its_end_is_done_once() -> None:
    done = ended("atexit.register(print, 'the end', file=sys.stderr)", "--version")
    assert done.stderr == "the end\n"
    assert done.stdout.startswith("chaosprep")


def test_a_thread_that_still_works_is_waited_for() -> None:
    work = "threading.Thread(target=lambda: [time.sleep(0.3), sys.stderr.write('worked')]).start()"
    done = ended(work, "--version")
    assert done.stderr == "worked"
    assert done.returncode == 0
