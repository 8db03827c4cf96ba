"""Compressed frames are decoded in a process of their own, which ends where it takes too long.

No decoder written in C can be stopped from inside, and damaged data have made some run for minutes
or crash. The process is started for the first compressed file, stays for the next ones, and ends
with the process that uses it. Where none can be started (in a frozen or embedded interpreter, say),
files are decoded here, without a limit.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.dicom.faults import broken, guarded
from chaosprep.systems.processes import OUT_OF_TIME, limit_time

SECONDS = 2.0
"""Of processor time that a file may take, and as many more as its pixels have MiB.

RLE takes the longest, half of that at worst; a slow machine may take twice as long.
"""
_UNDECODED = "the pixel data cannot be decoded"
_BEGIN = "import json,sys;sys.path[:]=json.loads(sys.argv[1]);import {0};{0}.serve()"
_READY, _DONE, _FAILED = b"!", b"+", b"-"


class _NoProcessError(Exception):
    """There is no process that decodes."""


def decode(frames: Sequence[bytes], uid: str, options: Mapping[str, Any]) -> NDArray[Any]:
    """Decode the compressed frames of a file: (frames, rows, cols), with all bits as they come.

    Args:
        frames: each whole.
        uid: of their transfer syntax.
        options: of pydicom's decoders, those that describe the pixels.

    Raises:
        FileError: `dicom-broken`, or `too-slow` above `SECONDS` and a second more for each MiB.
    """
    rows, cols = options["rows"], options["columns"]
    kind = "i" if options["pixel_representation"] else "u"
    shape = len(frames), rows, cols
    array = np.empty(shape, np.dtype(f"{kind}{options['bits_allocated'] // 8}"))
    sizes, seconds = [*map(len, frames)], _seconds(array)
    request = {"uid": uid, "options": options, "seconds": seconds, "frames": sizes}
    try:
        if _decoder(os.getpid()).fill(array, request, frames):
            return array
    except _NoProcessError:
        with guarded(_UNDECODED):
            return np.stack([_decoded(frame, uid, options) for frame in frames])
    raise broken(_UNDECODED)


class _Decoder:
    """The process that decodes, one file after the other, for all threads of this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._user = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._can_start = bool(sys.executable) and not getattr(sys, "frozen", False)
        atexit.register(self._end)

    def fill(self, array: NDArray[Any], request: object, frames: Sequence[bytes]) -> bool:
        """Fill an array with the decoded frames; False where they cannot be decoded.

        Raises `FileError`: ``too-slow``, or ``dicom-broken`` where the decoder crashes; and
        `_NoProcessError`.
        """
        with self._lock:
            process = self._running()
            try:
                return self._fill(process, array, request, frames)
            except BaseException:  # what is left in its pipe must not be the next answer
                self._stop()
                raise

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            if not self._can_start:
                raise _NoProcessError
            try:
                self._process, self._is_ready = _start(), False
            except OSError:  # no more processes
                raise _NoProcessError from None
        return self._process

    def _fill(
        self,
        process: "subprocess.Popen[bytes]",
        array: NDArray[Any],
        request: object,
        frames: Sequence[bytes],
    ) -> bool:
        results = cast("BinaryIO", process.stdout)
        with suppress(BrokenPipeError):
            _send(cast("BinaryIO", process.stdin), json.dumps(request).encode(), *frames)
        if not self._is_ready:
            self._is_ready = self._can_start = results.read(1) == _READY
        if not self._is_ready:  # it ended before it looked at the file, and would again
            raise _NoProcessError
        done = results.read(1)
        if done == _DONE and _filled(results, array):
            return True
        if done == _FAILED:
            return False
        ended = -process.wait()
        if ended and ended == OUT_OF_TIME:
            raise _too_slow(array)
        raise broken("the pixel data crash their decoder")

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # of what was not sent
                cast("BinaryIO", stream).close()

    def _end(self) -> None:
        if self._user == os.getpid():  # and no fork of it
            self._stop()


def _seconds(array: NDArray[Any]) -> float:
    return SECONDS + array.nbytes / 2**20


def _too_slow(array: NDArray[Any]) -> FileError:
    seconds = _seconds(array)
    return FileError(
        f"its pixels are not decoded after {seconds:.3g} s of processor time",
        "Copy the file again, rewrite it uncompressed (`gdcmconv --raw`), or leave it out with "
        "--on-error skip.",
        code="too-slow",
    )


@lru_cache(maxsize=1)  # by process: a fork must not speak to the decoder of its parent
def _decoder(pid: int) -> _Decoder:
    return _Decoder()


def _start() -> "subprocess.Popen[bytes]":
    package = Path(__file__).parents[3]
    path = json.dumps([*filter(None, sys.path), str(package)])
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _BEGIN.format(__name__), path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(sys.executable).anchor,  # the current one may be gone
    )


def _send(stream: BinaryIO, *parts: bytes) -> None:
    stream.write(len(parts[0]).to_bytes(8, "little"))
    for part in parts:
        stream.write(part)
    stream.flush()


def _filled(stream: BinaryIO, array: NDArray[Any]) -> bool:
    view, at = array.data.cast("B"), 0
    while at < len(view) and (size := cast("BufferedReader", stream).readinto(view[at:])):
        at += size
    return at == len(view)


def serve() -> None:
    """Decode what comes in at stdin, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    from pydicom.pixels.decoders import base as _  # noqa: F401  # the clock does not count this

    requests, results = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what decoders print is no result
    results.write(_READY)
    results.flush()
    while head := requests.read(8):
        request = json.loads(requests.read(int.from_bytes(head, "little")))
        frames = [requests.read(size) for size in request["frames"]]
        _answer(results, frames, request)


def _answer(results: BinaryIO, frames: Sequence[bytes], request: Mapping[str, Any]) -> None:
    limit_time(request["seconds"])
    try:
        with guarded(_UNDECODED):
            arrays = [_decoded(frame, request["uid"], request["options"]) for frame in frames]
    except FileError:
        arrays = []
    limit_time(0)
    results.write(_DONE if arrays else _FAILED)
    for array in arrays:
        results.write(array.tobytes())
    results.flush()


def _decoded(frame: bytes, uid: str, options: Mapping[str, Any]) -> NDArray[Any]:
    """Decode one frame, (rows, cols), as pydicom does, but leave the bits above BitsStored."""
    from pydicom.pixels.decoders.base import get_decoder

    item = b"\xfe\xff\x00\xe0"
    whole = b"".join((item, bytes(4), item, len(frame).to_bytes(4, "little"), frame))
    all_bits: Any = {**options, "raw": True, "correct_unused_bits": False}
    array, _ = get_decoder(uid).as_array(whole, **all_bits)
    shape, size = (options["rows"], options["columns"]), options["bits_allocated"] // 8
    if array.shape != shape or array.dtype.itemsize != size:
        raise broken("the decoded pixels are not what the header announces")
    return array.astype(array.dtype.newbyteorder("="), copy=False)
