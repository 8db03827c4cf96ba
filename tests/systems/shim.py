"""Windows' rules for files, kept on Linux: a simulation for tests, with its errors and numbers.

`install` puts them into this process; `CHAOSPREP_SHIM=windows` into a whole run of the tests, and
`tests/systems/site` on PYTHONPATH into each Python that is started. It refuses

- to remove or rename what this process has open or mapped, and what lies above it;
- to rename onto what is there, to replace a folder;
- and to the package, not to tests that lay out what they need: links, names that Windows keeps for
  itself or has not, paths above 259 letters, and a second name that differs in its case alone.

flock is gone, and a stand-in of msvcrt locks bytes; modes say nothing; folders are not flushed.
"""

# It stands in for the functions that paths call:
# ruff: noqa: ANN401, PTH100, PTH112, PTH114, PTH115, PTH119, PTH120, PTH208
import builtins
import errno
import io
import os
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).parents[2]
VARIABLE = "CHAOSPREP_SHIM"
SITE = Path(__file__).parent / "site"
Patch = Callable[[object, str, object], None]

_ACCESS, _SHARING, _EXISTS, _LONG, _NAME, _PRIVILEGE = 5, 32, 183, 206, 123, 1314
_MAKES = os.O_CREAT


def refusal(winerror: int, path: object) -> OSError:
    """What Python raises on Windows for an error of its own kind."""
    numbers = {_ACCESS: 13, _SHARING: 13, _EXISTS: 17, _LONG: 2, _NAME: 22, _PRIVILEGE: 22}
    number = numbers[winerror]
    error = OSError(number, os.strerror(number), os.fsdecode(os.fspath(path)))  # type: ignore[call-overload]
    error.winerror = winerror  # type: ignore[attr-defined, unused-ignore]
    return error


def held_open(path: object) -> bool:
    """Whether this process has a regular file open or mapped that is `path`, or lies below it."""
    place = os.path.realpath(os.fsdecode(os.fspath(path)))  # type: ignore[call-overload]
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:  # the one by which they are listed
            continue
    maps = _OPEN("/proc/self/maps", encoding="utf-8", errors="replace")
    with maps:
        text = maps.read()
    found.update(line.split(maxsplit=5)[5] for line in text.splitlines() if place in line)
    inside = place + "/"
    return any(one == place or one.startswith(inside) for one in found if not os.path.isdir(one))


class Msvcrt:
    """The part of msvcrt that locks bytes of an open file, for nobody else, in whatever process."""

    LK_UNLCK, LK_NBLCK = 0, 2

    @staticmethod
    def locking(handle: int, mode: int, count: int) -> None:
        import fcntl

        kind = fcntl.F_UNLCK if mode == Msvcrt.LK_UNLCK else fcntl.F_WRLCK
        begin = os.lseek(handle, 0, os.SEEK_CUR)
        assert begin > os.fstat(handle).st_size, "others cannot read bytes that are locked"
        asked = struct.pack("hhqqi4x", kind, os.SEEK_SET, begin, count, 0)  # struct flock
        try:
            fcntl.fcntl(handle, fcntl.F_OFD_SETLK, asked)
        except BlockingIOError as error:
            raise PermissionError(errno.EACCES, "Permission denied") from error


_OPEN = io.open


def _is_asked_by_package() -> bool:
    """Whether the innermost of our own code that asks is the package, and no test."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(str(HOUSE)) and name != __file__:
            return name.startswith(f"{HOUSE}/chaosprep/")
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _check_name(path: object) -> None:
    """Refuse what Windows would not make there."""
    from chaosprep.systems.names import why_not

    if not isinstance(path, str | bytes | os.PathLike):
        return
    text = os.fsdecode(os.fspath(path))
    if text in ("/dev/null", ".", "..", "") or not _is_asked_by_package():
        return
    name = os.path.basename(text.rstrip("/"))
    if why_not(name):
        raise refusal(_NAME, text)
    if len(os.path.abspath(text)) > 259:
        raise refusal(_LONG, text)
    try:
        beside = os.listdir(os.path.dirname(text) or ".")
    except OSError:
        return
    if name not in beside and name.casefold() in {one.casefold() for one in beside}:
        raise refusal(_EXISTS, text)


def install(patch: Patch = setattr) -> None:
    """Keep the rules in this process from now on."""
    if sys.platform != "linux":
        return
    _patch_removal(patch)
    _patch_links(patch)
    _patch_making(patch)
    _patch_systems(patch)


def _patch_removal(patch: Patch) -> None:
    unlink, rename, replace = os.unlink, os.rename, os.replace

    def is_there(path: Any) -> bool:
        return os.path.lexists(path)

    def new_unlink(path: Any, *, dir_fd: int | None = None) -> None:
        if dir_fd is None and is_there(path) and not os.path.islink(path) and held_open(path):
            raise refusal(_SHARING, path)
        unlink(path, dir_fd=dir_fd)

    def new_rename(source: Any, target: Any, **more: Any) -> None:
        if is_there(source) and held_open(source):
            raise refusal(_ACCESS if os.path.isdir(source) else _SHARING, source)
        if is_there(target):
            raise refusal(_EXISTS, target)
        _check_name(target)
        rename(source, target, **more)

    def new_replace(source: Any, target: Any, **more: Any) -> None:
        if is_there(source) and held_open(source):
            raise refusal(_SHARING, source)
        if is_there(target) and (os.path.isdir(target) or held_open(target)):
            raise refusal(_ACCESS, target)
        _check_name(target)
        replace(source, target, **more)

    patch(os, "unlink", new_unlink)
    patch(os, "remove", new_unlink)
    patch(os, "rename", new_rename)
    patch(os, "replace", new_replace)
    patch(shutil, "_use_fd_functions", False)


def _patch_links(patch: Patch) -> None:
    link, symlink = os.link, os.symlink

    def new_link(source: Any, target: Any, **more: Any) -> None:
        if _is_asked_by_package():
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), os.fspath(source))
        link(source, target, **more)

    def new_symlink(source: Any, target: Any, *more: Any, **named: Any) -> None:
        if _is_asked_by_package():
            raise refusal(_PRIVILEGE, source)
        symlink(source, target, *more, **named)

    patch(os, "link", new_link)
    patch(os, "symlink", new_symlink)


def _patch_making(patch: Patch) -> None:
    raw_open, mkdir = os.open, os.mkdir

    def new_os_open(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & _MAKES:
            _check_name(path)
        return raw_open(path, flags, *more, **named)

    def new_open(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        if not {*"wxa"}.isdisjoint(mode):
            _check_name(file)
        return _OPEN(file, mode, *more, **named)

    def new_mkdir(path: Any, *more: Any, **named: Any) -> None:
        _check_name(path)
        mkdir(path, *more, **named)

    patch(os, "open", new_os_open)
    patch(os, "mkdir", new_mkdir)
    patch(builtins, "open", new_open)
    patch(io, "open", new_open)


def _patch_systems(patch: Patch) -> None:
    """What Python does not have there, by where the package has asked for it."""
    from chaosprep.systems import flushing, locking, modes, opening, replacing

    patch(locking, "_fcntl", None)
    patch(locking, "_msvcrt", Msvcrt)
    patch(modes, "_HAS_MODES", False)
    patch(opening, "_NO_LINK", None)
    patch(replacing, "OPEN_FILES_STAY", True)
    patch(flushing, "_FOLDER", None)
    patch(flushing, "_TO_FLUSH", os.O_RDWR)

    def no_call(name: str) -> None:
        return None

    patch(flushing, "system_call", no_call)
    if "chaosprep.running.exchange" in sys.modules:  # else it takes the other one
        patch(sys.modules["chaosprep.running.exchange"], "system_call", no_call)


def to_inherit() -> dict[str, str]:
    """Variables of the environment by which each Python that is started keeps the rules, too."""
    paths = [str(SITE), os.environ.get("PYTHONPATH", "")]
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        VARIABLE: "windows",
        "CHAOSPREP_START": "spawn",
    }
