"""Who may speak to a cluster: its own processes, and whoever has its keys."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaosprep.errors import ChaosprepError
from chaosprep.running.claim import make_claim
from chaosprep.running.dask import workers as dask_workers
from chaosprep.running.dask.cluster import scheduler_address
from chaosprep.running.dask.executor import DaskExecutor
from tests.running.dask.keys import written_keys

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with scheduler_address("local", 1) as address:
        assert address is not None
        yield address


def place(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition("/")[2].rpartition(":")
    return host, int(port)


def listening(of: set[int]) -> set[int]:
    """The ports of TCP that these processes listen on."""
    inodes = set()
    for pid in of:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes.add(str(handle.readlink()).removeprefix("socket:[").removesuffix("]"))
            except OSError:
                continue
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {
        int(one[1].rpartition(":")[2], 16) for one in lines if one[3] == "0A" and one[9] in inodes
    }


def pids_of(address: str) -> set[int]:
    with distributed.Client(address, set_as_default=False) as client:
        return {*client.run(os.getpid).values(), os.getpid()}


def test_its_own_processes_do_the_work(cluster: str) -> None:
    assert cluster.startswith("tls://127.0.0.1:")
    with distributed.Client(cluster, set_as_default=False) as client:
        assert client.submit(sum, (1, 2)).result() == 3


def test_who_does_not_encrypt_is_turned_away(cluster: str) -> None:
    plain = distributed.Security(require_encryption=False)
    with pytest.raises(OSError, match=r"(?i)closed|reset|timed out"):
        distributed.Client(
            cluster.replace("tls:", "tcp:"), security=plain, timeout=2, set_as_default=False
        )


def test_who_has_other_keys_is_turned_away(cluster: str) -> None:
    other = distributed.Security.temporary()
    with pytest.raises(OSError, match=r"certificate|Timed out"):
        distributed.Client(cluster, security=other, timeout=2, set_as_default=False)


def test_who_has_no_keys_is_turned_away(cluster: str) -> None:
    """One who believes any certificate, and shows none."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask(place(cluster), trusting)


def ask(where: tuple[str, int], trusting: ssl.SSLContext) -> None:
    """Speak to a port in TLS, until it ends."""
    with socket.create_connection(where) as bare, trusting.wrap_socket(bare) as spoken:
        spoken.sendall(b"\0" * 64)
        while spoken.recv(1024):
            pass
        raise ConnectionError("closed without a word")


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="no /proc")
def test_every_port_asks_for_keys_or_has_nothing_to_say(cluster: str) -> None:
    ports = listening(pids_of(cluster))
    assert place(cluster)[1] in ports
    for port in ports:
        with socket.create_connection(("127.0.0.1", port)) as bare:
            bare.settimeout(20)
            bare.sendall(b"GET /json/counts.json HTTP/1.0\r\n\r\n")
            try:
                said = bare.recv(200)
            except ConnectionError:
                said = b""
        # TLS answers with an alert (21), if at all; Dask's web servers are left without pages
        assert said[:1] in (b"", b"\x15") or said.startswith(b"HTTP/1.1 404"), (port, said)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc")
def test_keys_are_in_no_command_line_nor_environment(cluster: str) -> None:
    for pid in pids_of(cluster):
        for name in ("cmdline", "environ"):
            assert b"BEGIN" not in Path(f"/proc/{pid}/{name}").read_bytes()


def test_keys_leave_no_file_behind(tmp_path: Path) -> None:
    program = (
        "from chaosprep.running.dask.cluster import scheduler_address\n"
        "if __name__ == '__main__':\n"
        "    with scheduler_address('local', 1): pass\n"
    )
    (tmp_path / "program.py").write_text(program)
    (tmp_path / "t").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "t")}
    subprocess.run(
        [sys.executable, str(tmp_path / "program.py")], env=environment, check=True, timeout=60
    )
    left = [path for path in (tmp_path / "t").rglob("*") if path.is_file()]
    assert not [path for path in left if b"BEGIN" in path.read_bytes()]


def test_the_settings_of_the_process_are_as_before() -> None:
    before = dask.config.get("distributed.comm.tls")
    with scheduler_address("local", 0):
        assert "BEGIN" in dask.config.get("distributed.comm.tls.ca-file")
    assert dask.config.get("distributed.comm.tls") == before


def test_without_what_makes_keys_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ChaosprepError) as caught, scheduler_address("local", 1):
        pass
    assert caught.value.code == "dask-missing"
    assert "chaosprep[dask]" in caught.value.remedy


ELSEWHERE = """
import time
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(1, host="127.0.0.1", protocol="tls://", dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        time.sleep(100)
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A cluster in another process, with keys of its own; its address, and their folder."""
    keys, script = tmp_path / "keys", tmp_path / "cluster.py"
    keys.mkdir()
    script.write_text(ELSEWHERE)
    named = written_keys(keys, distributed.Security.temporary())
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **named}
    with subprocess.Popen(
        [sys.executable, str(script)], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), keys
        process.terminate()


def command(address: str, root: Path, output: Path, **changes: str) -> tuple[int, str]:
    words = ["-m", "chaosprep.cli.main", "split", str(root), "-o", str(output), "--dask", address]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **changes}
    done = subprocess.run(
        [sys.executable, *words, "-q"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_cluster_elsewhere_is_used_with_the_keys_that_dask_is_configured_with(
    elsewhere: tuple[str, Path], tmp_path: Path
) -> None:
    from tests.attacks.outside import small_root

    address, keys = elsewhere
    assert address.startswith("tls://")
    root = small_root(tmp_path / "root")
    names = {
        f"DASK_DISTRIBUTED__COMM__TLS__{file.stem.upper()}": str(file) for file in keys.iterdir()
    }
    assert command(address, root, tmp_path / "out", **names) == (0, "")
    code, said = command(address, root, tmp_path / "other")
    assert (code, "Traceback" in said) == (2, False)
    assert "is not an address that can be used here" in said


def test_other_keys_than_the_clusters_are_named(
    elsewhere: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_workers, "PATIENCE", 2.0)
    other = written_keys(tmp_path, distributed.Security.temporary())
    settings = {
        name.removeprefix("DASK_").lower().replace("__", ".").replace("_", "-"): path
        for name, path in other.items()
    }
    with dask.config.set(settings), pytest.raises(ChaosprepError) as caught:
        DaskExecutor(elsewhere[0], make_claim(tmp_path), tmp_path, 1)
    assert caught.value.code == "dask-unreachable"
