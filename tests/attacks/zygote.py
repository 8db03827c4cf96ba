"""A process that has imported everything and forks a child for each command that it is told.

It reads one JSON line for each request, the runs that begin at once, and answers with one line.
"""

import io
import json
import mmap
import os
import select
import signal
import struct
import sys
import time
import traceback
from importlib import import_module
from typing import Any

from tests.attacks.shim import Shim, install

COMMANDS = ("assemble", "augment", "evaluate", "export", "merge", "prepare", "preview", "report")
HEAVY = ("PIL.Image", "cv2", "pydicom.pixels", "nibabel", "chaosprep.quality.report.data")


def import_all(extra: list[str]) -> None:
    """Import what the commands use; what is not installed is not used."""
    from chaosprep.exports.table import EXPORTS, find_export
    from chaosprep.stage_table import STAGES, load_stage

    for name in (*(f"chaosprep.cli.{name}" for name in COMMANDS), *HEAVY, *extra):
        try:
            import_module(name)
        except ImportError:
            continue
    for name in EXPORTS:
        find_export(name)
    for name in STAGES:
        if "torch" not in STAGES[name].record:
            load_stage(name)


def begin(run: dict[str, Any], gate: int, said: tuple[int, int], counter: mmap.mmap) -> None:
    """Be the command: wait for the gate, run, end with its exit code."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for handle, target in zip(said, (1, 2), strict=True):
        os.dup2(handle, target)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = io.StringIO()
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8", write_through=True)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", write_through=True)
    os.environ.update(run["env"])
    os.chdir(run["cwd"])
    from chaosprep.cli.main import main

    os.read(gate, 1)
    install(Shim(counter, run["at"], run["refuse"]))
    code = 1
    try:
        main(run["argv"], prog_name="chaosprep")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as Python itself would tell it
        traceback.print_exc()
    finally:
        from multiprocessing import util

        util._exit_function()  # type: ignore[attr-defined]
        os._exit(code)


def start(run: dict[str, Any], gate: tuple[int, int]) -> dict[str, Any]:
    """Fork a child that waits at the gate."""
    counter = mmap.mmap(-1, 8)
    said = os.memfd_create("out"), os.memfd_create("err")
    pid = os.fork()
    if pid == 0:
        os.close(gate[1])
        begin(run, gate[0], said, counter)
    return {"pid": pid, "said": said, "counter": counter}


def finish(one: dict[str, Any], until: float) -> dict[str, Any]:
    """Wait for a child; one that hangs is killed and has no code."""
    code: int | None = None
    begun = time.monotonic()
    handle = os.pidfd_open(one["pid"])
    ready, _, _ = select.select([handle], [], [], max(0, until - time.monotonic()))
    os.close(handle)
    if not ready:
        os.killpg(one["pid"], signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(one["pid"], 0)[1])
    if ready:
        code = status
    texts = []
    for said in one["said"]:
        texts.append(os.pread(said, os.fstat(said).st_size, 0).decode(errors="replace"))
        os.close(said)
    (events,) = struct.unpack("q", one["counter"][:8])
    return {
        "code": code,
        "out": texts[0],
        "err": texts[1],
        "events": events,
        "seconds": time.monotonic() - begun,
    }


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    import_all(sys.argv[1:])
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        gate = os.pipe()
        begun = [start(run, gate) for run in request["runs"]]
        os.close(gate[0])
        os.close(gate[1])  # all begin
        until = time.monotonic() + request["limit"]
        answers.write(json.dumps([finish(one, until) for one in begun]) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
