"""The files of a table: `slices.jsonl`, or several that follow each other where it is long."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

import msgspec

from chaosprep.errors import FileError, ManifestError
from chaosprep.files import open_regular, read_part

TABLE = "slices.jsonl"
_LINE = 4096  # bytes: few lines are longer
_NUMBERED = re.compile(r"slices-[0-9]{5,}\.jsonl")


def table_names(count: int) -> tuple[str, ...]:
    """What so many files of a table are called, in the order of their rows."""
    if count == 1:
        return (TABLE,)
    return tuple(f"slices-{number:05d}.jsonl" for number in range(1, count + 1))


FIRST = (TABLE, table_names(2)[0])
"""What the first file of a table may be called."""


def is_of_table(name: str) -> bool:
    """Whether a file of a table is called so."""
    return name == TABLE or _NUMBERED.fullmatch(name) is not None


def tables_in(directory: Path) -> list[str]:
    """What a directory holds under the name of a file of a table; nothing where there is none."""
    try:
        return sorted(path.name for path in directory.iterdir() if is_of_table(path.name))
    except (FileNotFoundError, NotADirectoryError):
        return []


class Table(msgspec.Struct, frozen=True):
    """The rows of a stage directory on disk.

    A place in it is counted in bytes through all of its files; `ends` has that of each file's end.
    """

    directory: Path
    names: tuple[str, ...]
    ends: tuple[int, ...]

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from one place to another of the same file.

        Raises:
            ManifestError: the file cannot be read: it may be gone since the table was opened.
        """
        path, begin = self._at(start)
        return _read_between(path, start - begin, stop - begin)

    def line(self, start: int) -> bytes:
        """The line that begins at a place; raises a FileError where its file cannot be read."""
        path, begin = self._at(start)
        size = _LINE
        while True:
            data = read_part(path, start - begin, size)
            if (end := data.find(b"\n") + 1) or len(data) < size:
                return data[:end] if end else data
            size *= 8

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Every line with its place; raises a FileError where a file cannot be read."""
        for name, begin in zip(self.names, (0, *self.ends), strict=False):
            place = begin
            with open_regular(self.directory / name) as file:
                for line in file:
                    yield place, line
                    place += len(line)

    def _at(self, place: int) -> tuple[Path, int]:
        """The file that holds a place, and where that file begins."""
        number = bisect_right(self.ends, place)
        return self.directory / self.names[number], self.ends[number - 1] if number else 0


def _read_between(path: Path, start: int, stop: int) -> bytes:
    """Some bytes of a table, which may be gone since it was opened: made again, or away."""
    try:
        with open_regular(path) as file:
            file.seek(start)
            return file.read(stop - start)
    except FileError as error:
        raise ManifestError(f"{path}: {error.reason}", error.remedy, error.code) from error
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}", "Make it readable.", "manifest") from error
