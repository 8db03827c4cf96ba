"""The same run on a Dask cluster: the same bytes, whatever dies on the way."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from chaosprep import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.errors import ChaosprepError, UsageError
from chaosprep.running.claim import Claim, SupersededError, end_claims, make_claim
from chaosprep.running.dask import workers as dask_workers
from chaosprep.running.dask.cluster import scheduler_address
from chaosprep.running.dask.executor import DaskExecutor, batch_size
from chaosprep.running.options import Event
from chaosprep.running.runner import run
from chaosprep.running.writer import Writer
from tests.running.dask.keys import written_keys
from tests.running.toys import (
    TOY,
    ToyCase,
    ToyParams,
    ToySource,
    make_case,
    snapshot,
    source,
    within,
)

distributed = pytest.importorskip("distributed")
# sockets of a worker that was killed
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
FAST = 60  # seconds; generous, only a hang takes as long


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Two workers of one thread each."""
    with scheduler_address("local", 2) as address:
        assert address is not None
        yield address


def toys(tmp_path: Path, **tricks: str) -> ToySource:
    """Forty cases, some with a trick, below a directory that exists."""
    (tmp_path / "root").mkdir(exist_ok=True)
    ids = [f"MR{number:03d}_t1-in" for number in range(40)]
    return source(tmp_path, *(ToyCase(id, trick=tricks.get(id[:5], "")) for id in ids))


def serial(tmp_path: Path) -> dict[str, bytes]:
    run(TOY, ToyParams(), toys(tmp_path), tmp_path / "serial")
    return snapshot(tmp_path / "serial")


def on_dask(found: ToySource, output: Path, address: str, **more: Any) -> list[Event]:
    events: list[Event] = []
    run(TOY, ToyParams(), found, output, dask=address, on_event=events.append, **more)
    return events


def test_the_bytes_and_events_are_those_of_one_process(cluster: str, tmp_path: Path) -> None:
    events = on_dask(toys(tmp_path), tmp_path / "out", cluster)
    assert snapshot(tmp_path / "out") == serial(tmp_path)
    assert [event.kind for event in events] == ["planned", *["done"] * 40, "committed"]
    assert [event.finished for event in events[1:-1]] == list(range(1, 41))
    assert {event.case for event in events[1:-1]} == {case.id for case in toys(tmp_path).cases}


def test_packed_cases_are_those_of_one_process(cluster: str, tmp_path: Path) -> None:
    on_dask(toys(tmp_path), tmp_path / "out", cluster, store="tar")
    run(TOY, ToyParams(), toys(tmp_path), tmp_path / "serial", store="tar")
    found = snapshot(tmp_path / "out")
    assert found == snapshot(tmp_path / "serial")
    assert sum(name.endswith(".tar") for name in found) == 2 * 40


def test_a_relative_output_is_the_same_place_for_the_workers(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    on_dask(toys(tmp_path), Path("out"), cluster)
    assert snapshot(tmp_path / "out") == serial(tmp_path)


def test_the_configured_scheduler_is_used(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dask

    with dask.config.set({"scheduler-address": cluster}):
        on_dask(toys(tmp_path), tmp_path / "out", "config")
    assert len(open_dataset(tmp_path / "out")) == 40


def test_without_a_configured_scheduler_config_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        on_dask(toys(tmp_path), tmp_path / "out", "config")
    assert caught.value.code == "dask-address"


def test_a_problem_of_a_case_is_its_own(cluster: str, tmp_path: Path) -> None:
    cases = (*toys(tmp_path).cases[:5], ToyCase("MR009_t1-in", (1, -1, 2)))
    found = source(tmp_path, *cases)
    on_dask(found, tmp_path / "out", cluster, on_error="skip")
    run(TOY, ToyParams(), found, tmp_path / "serial", on_error="skip")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "serial")


def test_a_worker_killed_in_the_middle_costs_only_its_batch(tmp_path: Path) -> None:
    """Killed from outside, by its process id, while cases are being done."""
    pids: list[int] = []

    def kill(event: Event) -> None:
        if event.kind == "done" and not pids:
            with distributed.Client(address, set_as_default=False) as client:
                pids.extend(client.run(os.getpid).values())
            os.kill(pids[0], signal.SIGKILL)

    tricks = {f"MR{number:03d}": "slow" for number in range(0, 40, 4)}
    with scheduler_address("local", 2) as address:
        assert address is not None
        run(
            TOY,
            ToyParams(),
            toys(tmp_path, **tricks),
            tmp_path / "out",
            dask=address,
            on_event=kill,
        )
    assert len(pids) == 2
    assert snapshot(tmp_path / "out") == serial(tmp_path)


def test_a_case_that_always_kills_its_worker_is_named_and_the_others_finish(
    tmp_path: Path,
) -> None:
    found = toys(tmp_path, MR005="die")
    events: list[Event] = []
    run(
        TOY,
        ToyParams(),
        found,
        tmp_path / "out",
        dask="local",
        jobs=2,
        on_error="skip",
        on_event=events.append,
    )
    made = open_dataset(tmp_path / "out")
    assert [(problem.id, problem.code) for problem in made.skipped] == [
        ("MR005_t1-in", "worker-died")
    ]
    assert len(made) == 39
    assert [event.finished for event in events if event.case] == list(range(1, 41))


def test_an_interrupted_run_goes_on_in_one_process(cluster: str, tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if event.finished == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(
            TOY,
            ToyParams(),
            toys(tmp_path),
            tmp_path / "out",
            dask=cluster,
            on_event=interrupt,
        )
    before = snapshot(tmp_path / "out")
    assert not list((tmp_path / "out/.chaosprep").glob("run-*"))
    with distributed.Client(cluster, set_as_default=False) as client:
        assert not any(client.processing().values())
    assert snapshot(tmp_path / "out") == before  # nobody writes any more
    events: list[Event] = []
    run(TOY, ToyParams(), toys(tmp_path), tmp_path / "out", on_event=events.append)
    assert events[0].finished >= 10
    assert snapshot(tmp_path / "out") == serial(tmp_path)


RUN = """
import sys
from pathlib import Path
from chaosprep.running.runner import run
from tests.running.dask.test_dask import toys
from tests.running.toys import TOY, ToyParams
if __name__ == "__main__":
    place = Path(sys.argv[1])
    slow = {f"MR{number:03d}": "slow" for number in range(40)}
    run(TOY, ToyParams(), toys(place, **slow), place / "out", dask=sys.argv[2],
        on_event=lambda event: print(event.kind, flush=True))
"""


def test_what_a_killed_run_left_at_work_is_stopped_by_the_next(
    cluster: str, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(RUN)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    environment |= written_keys(tmp_path)
    command = [sys.executable, str(tmp_path / "script.py"), str(tmp_path), cluster]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        next(line for line in killed.stdout if line.startswith("done"))
        killed.kill()
    assert list((tmp_path / "out/.chaosprep").glob("run-*"))
    on_dask(toys(tmp_path), tmp_path / "out", cluster)
    assert snapshot(tmp_path / "out") == serial(tmp_path)


def test_a_writer_stops_where_its_run_has_ended(tmp_path: Path) -> None:
    claim = make_claim(tmp_path)
    case, params = ToyCase("MR001_t1-in", (1,)), ToyParams()
    make_case(case, params, Writer(tmp_path / "out", claim=claim))
    before = snapshot(tmp_path / "out")
    assert [name for name in before if name.endswith(".part")] == []
    end_claims(tmp_path)
    with pytest.raises(SupersededError):
        make_case(ToyCase("MR001_t1-in", (2,)), params, Writer(tmp_path / "out", claim=claim))
    assert snapshot(tmp_path / "out") == before


def test_a_run_whose_right_to_write_was_taken_says_so(cluster: str, tmp_path: Path) -> None:
    def take(event: Event) -> None:
        if event.finished == 5:
            end_claims(tmp_path / "out/.chaosprep")

    with pytest.raises(ChaosprepError) as caught:
        run(TOY, ToyParams(), toys(tmp_path), tmp_path / "out", dask=cluster, on_event=take)
    assert caught.value.code == "dask-superseded"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers, "PATIENCE", 0.5)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("address", "code"), [("tcp://127.0.0.1:9", "dask-unreachable"), ("x://y", "dask-address")]
)
def test_an_address_without_a_scheduler_is_named(tmp_path: Path, address: str, code: str) -> None:
    with pytest.raises(ChaosprepError) as caught:
        within(FAST, lambda: on_dask(toys(tmp_path), tmp_path / "out", address))
    assert caught.value.code == code
    assert address in caught.value.reason


@pytest.mark.usefixtures("hurried")
def test_a_scheduler_without_workers_is_named(tmp_path: Path) -> None:
    with scheduler_address("local", 0) as address:
        assert address is not None
        with pytest.raises(ChaosprepError) as caught:
            on_dask(toys(tmp_path), tmp_path / "out", address)
    assert caught.value.code == "dask-no-workers"


def test_a_worker_of_another_version_is_named_before_any_case_runs(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = dask_workers.seen_versions() | {"chaosprep": "99.0", "Python": "9.9"}
    monkeypatch.setattr(dask_workers, "seen_versions", lambda: mine)
    with pytest.raises(ChaosprepError) as caught:
        on_dask(toys(tmp_path), tmp_path / "out", cluster)
    assert caught.value.code == "dask-versions"
    assert "chaosprep 0." in caught.value.reason
    assert "here 99.0" in caught.value.reason
    assert not (tmp_path / "out/train").exists()


def test_a_worker_that_comes_later_is_looked_at_too(tmp_path: Path) -> None:
    claim = make_claim(tmp_path)
    with pytest.raises(ChaosprepError) as caught:
        dask_workers.work(sum, (1, 2), claim, {"chaosprep": "99.0"})
    assert caught.value.code == "dask-versions"
    assert dask_workers.work(sum, (1, 2), claim, dask_workers.seen_versions()) == 3


@pytest.mark.parametrize("what", ["output", "source"])
def test_a_worker_that_does_not_see_the_files_is_named(
    cluster: str, tmp_path: Path, what: str
) -> None:
    """Where it sees another file than this process, or none."""
    claim = make_claim(tmp_path)
    here = dask_workers.look(claim, tmp_path)
    seen = {
        "output": dask_workers.Seen(here.versions, None, here.source),
        "source": dask_workers.Seen(here.versions, here.claim, "other"),
    }
    with pytest.raises(ChaosprepError, match=f"does not see this {what}") as caught:
        dask_workers._check_worker("tcp://w:1", seen[what], here, claim, tmp_path)
    assert caught.value.code == f"dask-{what}"


def test_a_claim_that_no_worker_can_read_is_named(cluster: str, tmp_path: Path) -> None:
    nowhere = Claim(tmp_path / "nowhere/.chaosprep/run-1")
    with (
        distributed.Client(cluster, set_as_default=False) as client,
        pytest.raises(ChaosprepError) as caught,
    ):
        dask_workers.check_workers(client, nowhere, tmp_path)
    assert caught.value.code == "dask-output"


def test_a_worker_without_chaosprep_is_named(tmp_path: Path) -> None:
    claim = make_claim(tmp_path)
    here = dask_workers.look(claim, tmp_path)
    error = ModuleNotFoundError("No module named 'chaosprep'")
    with pytest.raises(ChaosprepError, match="cannot run chaosprep") as caught:
        dask_workers._check_worker("tcp://w:1", error, here, claim, tmp_path)
    assert caught.value.code == "dask-versions"


def test_work_for_an_earlier_run_is_seen_and_waited_for(tmp_path: Path) -> None:
    earlier, now = make_claim(tmp_path), make_claim(tmp_path)
    begun, ending = threading.Event(), threading.Event()

    def wait(batch: tuple[int, ...]) -> None:
        begun.set()
        ending.wait(FAST)

    versions = dask_workers.seen_versions()
    worker = threading.Thread(target=dask_workers.work, args=(wait, (1,), earlier, versions))
    worker.start()
    assert begun.wait(FAST)
    assert dask_workers.look(now, tmp_path).busy
    assert not dask_workers.look(earlier, tmp_path).busy
    ending.set()
    worker.join()
    assert not dask_workers.look(now, tmp_path).busy


def test_a_lost_scheduler_is_named_and_the_same_command_goes_on(tmp_path: Path) -> None:
    port = 20000 + os.getpid() % 20000
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    program = (
        "import time, logging; from distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        f"    c = LocalCluster(1, scheduler_port={port}, host='127.0.0.1',"
        " dashboard_address='127.0.0.1:0', silence_logs=logging.CRITICAL)\n"
        "    print(c.scheduler_address, flush=True)\n    time.sleep(100)\n"
    )
    (tmp_path / "cluster.py").write_text(program)
    command = [sys.executable, str(tmp_path / "cluster.py")]
    slow = {f"MR{number:03d}": "slow" for number in range(40)}

    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as held:
        assert held.stdout is not None
        address = held.stdout.readline().strip()

        def end(event: Event) -> None:
            if event.finished == 3:
                held.kill()

        def work() -> None:
            run(
                TOY,
                ToyParams(),
                toys(tmp_path, **slow),
                tmp_path / "out",
                dask=address,
                on_event=end,
            )

        with pytest.raises(ChaosprepError) as caught:
            within(FAST, work)
        held.kill()
    assert caught.value.code == "dask-lost"
    run(TOY, ToyParams(), toys(tmp_path), tmp_path / "out")
    assert snapshot(tmp_path / "out") == serial(tmp_path)


@pytest.mark.parametrize(
    ("cases", "threads", "expected"),
    [(1, 2, 1), (40, 2, 5), (200, 2, 25), (10_000, 2, 64), (1000, 100, 10), (10**6, 1000, 64)],
)
def test_batches_are_sized_by_the_cases_left_and_the_threads(
    cases: int, threads: int, expected: int
) -> None:
    assert batch_size(cases, threads) == expected


def test_batches_shrink_until_all_cases_are_sent(cluster: str, tmp_path: Path) -> None:
    claim = make_claim(tmp_path)
    executor = DaskExecutor(cluster, claim, tmp_path, 20)
    sent = []
    for _ in range(8):
        sent.append(executor.batch)
        executor.submit(sum, (0,) * executor.batch)
    executor.abort()
    assert sent == [2, 2, 2, 1, 1, 1, 1, 1]


def test_workers_compute_with_one_thread_of_opencv(cluster: str, tmp_path: Path) -> None:
    on_dask(toys(tmp_path), tmp_path / "out", cluster)
    with distributed.Client(cluster, set_as_default=False) as client:
        assert set(client.run(opencv_threads).values()) == {1}


def opencv_threads() -> int:
    import cv2

    return cv2.getNumThreads()


def test_without_dask_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ChaosprepError) as caught:
        on_dask(toys(tmp_path), tmp_path / "out", "local")
    assert caught.value.code == "dask-missing"
    assert "chaosprep[dask]" in caught.value.remedy


def test_what_is_done_needs_no_cluster(tmp_path: Path) -> None:
    serial(tmp_path)
    events = on_dask(toys(tmp_path), tmp_path / "serial", "tcp://127.0.0.1:9")
    assert [event.kind for event in events] == ["already-done"]


@pytest.mark.parametrize("address", ["tcp://host", "http://127.0.0.1:1", "tls://127.0.0.1:8786"])
def test_a_wrong_address_ends_the_command(pairs: Dataset, tmp_path: Path, address: str) -> None:
    """In a process of its own: a client that is half made must not hold up its end."""
    command = ["-m", "chaosprep.cli.main", "extract-liver", str(pairs.directory), "--dask", address]
    done = subprocess.run(
        [sys.executable, *command, "-o", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "is not an address" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_failed_connection_leaves_dasks_loggers_as_they_were(tmp_path: Path) -> None:
    logger = logging.getLogger("distributed")
    before = logger.level
    with pytest.raises(UsageError):
        DaskExecutor("tcp://host", make_claim(tmp_path), tmp_path, 1)
    assert logger.level == before


def test_a_connection_that_is_lost_while_threads_are_counted_is_named() -> None:
    """To the runner, an OSError is a disk that cannot be written."""

    class Gone:
        def nthreads(self) -> dict[str, int]:
            raise OSError("connection closed")

    executor = DaskExecutor.__new__(DaskExecutor)
    executor._client = Gone()
    with pytest.raises(ChaosprepError) as caught:
        executor._workers()
    assert caught.value.code == "dask-lost"


def test_a_result_that_nobody_brings_any_more_is_named() -> None:
    class Done:
        status = "finished"

        def result(self) -> object:
            raise OSError("connection reset")

    executor = DaskExecutor.__new__(DaskExecutor)
    executor._remote = {}
    future: Future[object] = Future()
    executor._settle(future, Done())
    assert isinstance(found := future.exception(), ChaosprepError)
    assert found.code == "dask-lost"
