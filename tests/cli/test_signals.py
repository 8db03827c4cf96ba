"""SIGINT and SIGTERM: the command stops within two seconds, says so, and can go on."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import chaosprep
from chaosprep.cli.main import GO_ON
from chaosprep.phantom import Patient, write_chaos


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough work for a second or two."""
    patients = [Patient(id=id, sequences=("t1-in",), slices=12, matrix=128) for id in range(1, 13)]
    return write_chaos(tmp_path_factory.mktemp("many") / "chaos", patients)


def command(root: Path, output: Path, jobs: int) -> list[str]:
    arguments = ["prepare", str(root), "-o", str(output), "-j", str(jobs), "--copies", "12"]
    return [sys.executable, "-m", "chaosprep.cli.main", *arguments, "-v"]


def heed_interrupts() -> None:
    """Shells let what runs in the background ignore SIGINT, and these tests may run there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_signal_ends_the_run_within_two_seconds_and_the_run_goes_on_later(
    many: Path, tmp_path: Path, number: signal.Signals, jobs: int
) -> None:
    output = tmp_path / "out"
    with subprocess.Popen(
        command(many, output, jobs),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509 - no threads here
    ) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if line.startswith("augment:"))
        start = time.monotonic()
        process.send_signal(number)
        said = process.stderr.read()
        assert process.wait(timeout=10) == 130
        assert time.monotonic() - start < 2
    assert said.endswith(f"{GO_ON}\n")
    assert "Traceback" not in said
    assert not (output / "augmented/datapackage.json").exists()
    again = subprocess.run(
        command(many, output, 1), capture_output=True, text=True, timeout=120, check=True
    )
    assert "augment: continues, " in again.stderr
    assert not chaosprep.verify(output / "augmented").faults


def ignore_interrupts() -> None:
    """As shells start what runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def test_in_the_background_an_interrupt_of_what_is_in_front_is_passed_over() -> None:
    heeding = "from chaosprep.cli.interrupts import heed, leave; heed(leave)"
    code = f"import signal; {heeding}; signal.raise_signal(signal.SIGINT); print('goes on')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=ignore_interrupts,
    )
    assert (done.returncode, done.stdout) == (0, "goes on\n")
