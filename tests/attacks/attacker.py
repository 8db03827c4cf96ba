"""Running commands for attacks: forked from one process, killed or refused at an event."""

import errno
import json
import os
import random
import stat
import subprocess
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.running.toys import within

T = TypeVar("T")
ATTACKS = int(os.environ.get("CHAOSPREP_ATTACKS", "1"))
"""How much is tried: 1 a sample, 100 or more everything."""
ALL = 100
ALIKE = ("train", "export-monai", "export-croissant", "agree")
SLOW = (*ALIKE, "evaluate", "assemble-seg")
LIMIT = 120  # seconds; only a hang takes as long


def usual(names: Iterable[str], but: Collection[str] = ALIKE) -> list[str]:
    """The verbs to try: in a sample without those that are slow, or much like others."""
    return [name for name in names if name not in but or ATTACKS > 1]


def sample(items: Iterable[T], few: int, key: str) -> list[T]:
    """So many of the items for each attack that is asked for, drawn by a key; all with `ALL`."""
    found = list(items)
    count = len(found) if ATTACKS >= ALL else min(len(found), few * ATTACKS)
    return random.Random(key).sample(found, count)


@dataclass(frozen=True)
class Run:
    """A command, and what befalls it: killed at an event, or refused all that takes room."""

    argv: Sequence[str | Path]
    kill: int = 0
    refuse: int = 0
    error: int = errno.ENOSPC
    cwd: Path | None = None
    env: tuple[tuple[str, str], ...] = ()

    def request(self) -> dict[str, object]:
        return {
            "argv": [str(word) for word in self.argv],
            "at": self.kill or self.refuse,
            "refuse": self.error if self.refuse else 0,
            "cwd": str(self.cwd or "/"),
            "env": dict(self.env),
        }


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (None: it hung), what it said, how many events it had."""

    code: int | None
    out: str
    err: str
    events: int
    seconds: float

    @property
    def error(self) -> str:
        """The code of its error, where it was run with --json and heeds that."""
        if "is writing there" in self.err:
            return "locked"
        try:
            said = json.loads(self.out)
        except ValueError:
            return ""
        return str(said.get("code", "")) if isinstance(said, dict) else ""

    def faults(self, codes: Iterable[int]) -> list[str]:
        """What is wrong with how it ended, where these exit codes are right."""
        found = []
        if self.code is None:
            found.append("it hung")
        elif self.code not in set(codes):
            found.append(f"exit {self.code}: {self.err[-300:]!r}")
        if "Traceback" in self.err + self.out:
            found.append(f"traceback: {self.err[-300:]!r}")
        return found


class Zygote:
    """The process that commands are forked from, with everything imported."""

    def __init__(self, *extra: str) -> None:
        root = Path(__file__).parents[2]
        path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", ""))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.attacks.zygote", *extra],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=root,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            text=True,
        )
        assert self._answer() == "ready"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def together(self, *runs: Run, limit: float = LIMIT) -> list[Ended]:
        """Start the commands at once; how each ended."""
        assert self._process.stdin is not None
        request = {"runs": [run.request() for run in runs], "limit": limit}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return [Ended(**ended) for ended in json.loads(within(2 * limit, self._answer))]

    def run(self, argv: Sequence[str | Path], limit: float = LIMIT, /, **befalls: object) -> Ended:
        """Run a command to its end."""
        return self.together(Run(argv, **befalls), limit=limit)[0]  # type: ignore[arg-type]

    def close(self) -> None:
        """No more commands."""
        self._process.communicate()


def tree(folder: Path) -> dict[str, bytes | str]:
    """Everything below a folder: a file's bytes, else what it is. Nothing is opened but files."""
    found: dict[str, bytes | str] = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place) / name
            mode = path.lstat().st_mode
            key = path.relative_to(folder).as_posix()
            if stat.S_ISREG(mode):
                found[key] = path.read_bytes()
            elif stat.S_ISLNK(mode):
                found[key] = f"-> {path.readlink()}"
            else:
                found[key] = stat.filemode(mode)[0]
    return found


def below(found: dict[str, bytes | str], name: str) -> dict[str, bytes | str]:
    """The part of a tree that is a file or folder of this name, and what is in it."""
    return {key: value for key, value in found.items() if f"{key}/".startswith(f"{name}/")}


def differing(found: dict[str, bytes | str], expected: dict[str, bytes | str]) -> list[str]:
    """What is more, less or other than expected, by name."""
    more = [f"+{name}" for name in sorted(found.keys() - expected.keys())]
    less = [f"-{name}" for name in sorted(expected.keys() - found.keys())]
    both = sorted(found.keys() & expected.keys())
    return [*more, *less, *(f"!{name}" for name in both if found[name] != expected[name])]


def first(problems: Sequence[str], few: int = 6) -> str:
    """The first problems, with how many there are."""
    lines = [f"{len(problems)} problems", *problems[:few]]
    return "\n".join(lines)
