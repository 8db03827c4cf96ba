"""What works for a run is killed: it goes on, or says so, and the same command ends as it would."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chaosprep.systems.starting import start_method
from tests.attacks.attacker import sample
from tests.attacks.outside import COMMAND, LIMIT, environment, shell, small_root
from tests.attacks.test_first_moments import children, gone
from tests.running.toys import snapshot

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
NAMED = "Error: worker processes cannot be started: the process that starts them has ended ("


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_root(tmp_path_factory.mktemp("killed") / "root", 10)


@pytest.fixture(scope="module")
def made(root: Path) -> dict[str, bytes]:
    output = root.parent / "made"
    assert shell('"$@"', "split", root, "-o", output, "-j", "1").returncode == 0
    return snapshot(output)


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def helpers(pid: int, kind: str) -> set[int]:
    """The process that starts workers (`server`), the workers, or the one that tidies up."""
    lines = {child: command_line(child) for child in children(pid)}
    if start_method() == "spawn":
        workers = {child for child, line in lines.items() if "spawn_main" in line}
        servers = {0, *workers}
    else:
        servers = {child for child, line in lines.items() if "forkserver" in line}
    first = min(servers, default=0)
    return {
        "server": {first} & servers - {0},
        "worker": set(sorted(servers - {first})[:1]),
        "workers": servers - {first},
        "tracker": {child for child, line in lines.items() if "resource_tracker" in line},
    }[kind]


@pytest.mark.parametrize("kind", ["server", "worker", "workers", "tracker"])
@pytest.mark.parametrize("again", [False, True])
def test_killed_once_or_for_a_second(
    kind: str, again: bool, root: Path, made: dict[str, bytes], tmp_path: Path
) -> None:
    words = ["split", str(root), "-o", str(tmp_path / "out"), "-j", "2"]
    for delay in sample([0.05 * step for step in range(12)], 1, f"{kind} {again}"):
        with subprocess.Popen(
            [*COMMAND, *words, "--overwrite"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        ) as process:
            time.sleep(0.2 + delay)
            end, seen, killed = time.monotonic() + 1, set[int](), False
            while time.monotonic() < end and process.poll() is None and not (killed and not again):
                seen |= children(process.pid)
                for pid in helpers(process.pid, kind):
                    os.kill(pid, signal.SIGKILL)
                    killed = True
            _, said = process.communicate(timeout=LIMIT)
        assert gone(seen)
        assert process.returncode in (0, 1), said
        assert "Aborted" not in said
        assert kind == "tracker" or "Traceback" not in said  # Python's own tells of what it lost
        if process.returncode == 1 and kind in ("server", "tracker"):
            assert said.splitlines()[-1].startswith(NAMED)
        if process.returncode == 1:
            done = shell('exec "$@"', *words)
            assert done.returncode == 0, done.stderr
        assert snapshot(tmp_path / "out") == made
