"""The machine and the libraries that figures depend on: no names, no paths."""

import os
import platform
import shutil
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = (
    "chaosprep",
    "numpy",
    "pydicom",
    "opencv-python-headless",
    "Pillow",
    "isal",
)
PEERS = (
    "SimpleITK",
    "matplotlib",
    "Augmentor",
    "albumentations",
    "dcm2niix",
    "dicom2nifti",
    "med-imagetools",
    "frictionless",
    "torch",
    "batchgeneratorsv2",
    "monai",
    "torchio",
)
MEMORY = Path("/dev/shm")
ROOM = 25e9
"""Free bytes on a disk from which on what was written is kept until the section ends."""
_FILES, _BYTES = 200, 64 * 1024


def describe(folder: Path | None = None, *, peers: bool = False) -> list[str]:
    """Say in two lines what the figures depend on.

    Args:
        folder: where the files lie, if any do.
        peers: whether to name the versions of what ours is compared with, too.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = [
        f"{_processor()}, {cores} cores, {_memory()}load {os.getloadavg()[0]:.1f} at the start",
        f"{platform.system()} {platform.machine()}",
        *([] if folder is None else [disk(folder)]),
    ]
    libraries = (*LIBRARIES, *PEERS) if peers else LIBRARIES
    found = [f"{name} {known}" for name in libraries if (known := _version(name))]
    return [
        f"- {'; '.join(machine)}.",
        f"- Python {platform.python_version()}, {', '.join(found)}.",
    ]


def disk(folder: Path) -> str:
    """The file system of a folder, and what a new file of 64 KiB costs there."""
    content = os.urandom(_BYTES)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        start = time.perf_counter()
        for number in range(_FILES):
            (Path(place) / str(number)).write_bytes(content)
        each = 1000 * (time.perf_counter() - start) / _FILES
    kind = file_system(folder)
    name = "memory (tmpfs)" if kind == "tmpfs" else f"disk ({kind})"
    return f"files on {name}, where a new one of 64 KiB takes {each:.2f} ms"


def put_away(output: Path) -> None:
    """Take what a run wrote out of the way; deleted at once only in memory, or where room is short.

    Before ext4 takes a new inode it looks at each that was deleted in the last minutes
    (`recently_deleted` in fs/ext4/ialloc.c): after 6,400 deleted files a new one takes 0.7 ms in
    place of 0.04, and who runs next pays for who ran before.
    """
    if not output.exists():
        return
    if file_system(output) == "tmpfs" or shutil.disk_usage(output).free < ROOM:
        shutil.rmtree(output)
        return
    kept = output.parent / "measured"
    kept.mkdir(exist_ok=True)
    output.rename(kept / str(len(list(kept.iterdir()))))


def file_system(folder: Path) -> str:
    """The type of the file system that a folder is on, by the longest mount point above it."""
    try:
        lines = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return "unknown"
    mounts = {Path(where): kind for _, where, kind, *_ in (line.split() for line in lines)}
    place = folder.resolve()
    return next((mounts[up] for up in (place, *place.parents) if up in mounts), "unknown")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), "CPU")


def _memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return ""
    return f"{total / 1e9:.0f} GB memory, "


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
