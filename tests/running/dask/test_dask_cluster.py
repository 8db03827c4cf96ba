"""Worker processes: those of a local cluster, and what makes those of any cluster fast."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from chaosprep.running.dask.cluster import scheduler_address
from chaosprep.systems.starting import start_method
from tests.running.test_executors import alive

distributed = pytest.importorskip("distributed")
ROOT = Path(__file__).parents[3]


def in_a_process(program: str, *arguments: str, **environment: str) -> str:
    """What a program says in a process of its own: this one's workers have begun already."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


WARM = """
from distributed import Client
from chaosprep.running.dask.cluster import scheduler_address, warm_up_for

warm_up_for("local", 1, ("colorsys",))
with scheduler_address("local", 1) as address, Client(address) as client:
    (loaded,) = client.run(lambda: "colorsys" in __import__("sys").modules).values()
print(loaded)
"""


@pytest.mark.skipif(start_method() != "forkserver", reason="workers start from nothing here")
def test_local_workers_start_with_their_libraries() -> None:
    assert in_a_process(WARM) == "True"


def test_local_workers_have_ended_when_the_cluster_has() -> None:
    with scheduler_address("local", 2) as address:
        with distributed.Client(address, set_as_default=False) as client:
            pids = list(client.run(os.getpid).values())
        assert all(alive(pid) for pid in pids)
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)


FAULTS = """
import resource, sys
from pathlib import Path
from chaosprep.running.claim import make_claim
from chaosprep.running.dask.workers import seen_versions, work

def take(sizes):
    for size in sizes:
        bytearray(b"x" * size)

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

claim = make_claim(Path(sys.argv[1]))
work(take, [2**20] * 5, claim, seen_versions())
before = faults()
take([2**20] * 100)
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_a_worker_of_a_nanny_keeps_the_memory_of_a_picture_for_the_next(tmp_path: Path) -> None:
    """A hundred times 1 MB is 25,600 pages of 4 kB."""
    found = in_a_process(FAULTS, str(tmp_path), MALLOC_TRIM_THRESHOLD_="65536")
    assert int(found) < 2560
