"""What no tool can be faster than: the same files read and written, the same pixels compressed.

One step in a process of its own, with the standard library alone: python benchmarks/floors.py
same SOURCE REFERENCE OUTPUT | hash SOURCE | zlib LEVEL PIXELS SLICES.
"""

import hashlib
import os
import sys
import zlib
from pathlib import Path


def same(source: Path, reference: Path, output: Path) -> None:
    """Read all of `source`; write files of the names and sizes of `reference`.

    What `reference` only links from `source` is linked.
    """
    origins = {}
    for path in files(source):
        path.read_bytes()
        origins[path.stat().st_ino] = path
    wanted = [(path, path.stat()) for path in files(reference)]
    content = memoryview(os.urandom(max(status.st_size for _, status in wanted)))
    made: set[Path] = set()
    for path, status in wanted:
        target = output / path.relative_to(reference)
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        if status.st_ino in origins:
            os.link(origins[status.st_ino], target)
        else:
            target.write_bytes(content[: status.st_size])


def digest(source: Path) -> None:
    """Read all of `source` and hash it."""
    for path in files(source):
        hashlib.sha256(path.read_bytes()).hexdigest()


def compress(level: int, pixels: Path, slices: int) -> None:
    """Compress the pixels of each slice, which stand one behind the other in one file."""
    data = memoryview(pixels.read_bytes())
    each = len(data) // slices
    for start in range(0, len(data), each):
        zlib.compress(data[start : start + each], level)


def files(folder: Path) -> list[Path]:
    """All files below a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    step, *values = sys.argv[1:]
    if step == "same":
        same(*map(Path, values))
    elif step == "hash":
        digest(Path(values[0]))
    else:
        compress(int(values[0]), Path(values[1]), int(values[2]))
