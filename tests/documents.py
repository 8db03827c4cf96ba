"""Running what the documents show: the blocks of a page, in their order, in one directory."""

import re
import shlex
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner

from chaosprep.cli.main import main

HOME = Path(__file__).parents[1]
COMMANDS = Path(sys.executable).parent


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.M | re.S)


def run(command: list[str], place: Path) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(
        command, cwd=place, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_here(words: list[str], place: Path) -> str:
    """What a command of ours prints, run in this process by one worker; it must succeed."""
    with chdir(place):
        done = CliRunner().invoke(main, words, prog_name="chaosprep", env={"CHAOSPREP_JOBS": "1"})
    assert done.exit_code == 0, done.stderr
    return done.stdout


def replayed(page: str, place: Path, *, apart: bool = False) -> list[tuple[list[str], list[str]]]:
    """What each console session of a page should print, and what it prints in `place`.

    Commands of ours run `apart`, each in a process of its own as its user runs it, or in this one.
    """
    found = []
    for session in blocks(page, "console"):
        expected: list[str] = []
        printed: list[str] = []
        for step in re.split(r"^\$ ", session, flags=re.M)[1:]:
            command, _, output = step.partition("\n")
            program, *arguments = shlex.split(command)
            expected += output.splitlines()
            arguments = [file for word in arguments for file in _globbed(word, place)]
            if program == "chaosprep" and not apart:
                printed += run_here(arguments, place).splitlines()
            else:
                printed += run([str(COMMANDS / program), *arguments], place).splitlines()
        found.append((expected, [line.rstrip() for line in printed]))
    return found


def _globbed(word: str, place: Path) -> list[str]:
    """The files that a word with `*` stands for, as a shell has it."""
    is_pattern = "*" in word and "**" not in word and not word.startswith("/")
    found = place.glob(word) if is_pattern else ()
    return sorted(file.relative_to(place).as_posix() for file in found) or [word]


def place_with_samples(place: Path) -> Path:
    """A directory in which the documents' commands find sample_data."""
    (place / "sample_data").symlink_to(HOME / "sample_data")
    return place
