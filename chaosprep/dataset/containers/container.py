"""What a kind of container is: how files lie in it, known from their names and sizes alone."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from chaosprep.dataset.records import File
from chaosprep.errors import REMAKE, FileError
from chaosprep.files import open_regular, read_regular

Tell = Callable[[Sequence[File], bytes], bytes]
"""Makes bytes of the files of a container, in their order and places, and of the first's head."""


class Gap(NamedTuple):
    """The bytes of a container that stand before a file of it, or behind the last one."""

    offset: int
    bytes: bytes


class Container(msgspec.Struct, frozen=True):
    """A kind of container: a file that holds others, one behind the other, as they are.

    `before(name, size)` and `after(size)` are the bytes that stand before and behind a file of so
    many bytes, `end` tells those behind the last. Nothing else is in it, so that the same files
    make the same container. `beside` are files of its own beside it, by their names.

    Some kinds take not every file: `takes(first, head, size)` tells by the head of the first file
    (nothing where this is the first), and by a file's own head and size; where it does not, the
    case is packed as `other`. A head are the first `head` bytes. `as_array` makes of a picture, by
    path and bytes, the array that stands in its place.
    """

    ending: str
    before: Callable[[str, int], bytes]
    after: Callable[[int], bytes]
    end: Tell
    beside: Mapping[str, Tell] = msgspec.field(default_factory=dict)
    head: int = 0
    takes: Callable[[bytes, bytes, int], bool] = lambda first, head, size: True
    other: "Container | None" = None
    as_array: Callable[[str, bytes], tuple[str, bytes]] | None = None

    def gaps(self, files: Sequence[File], head: bytes = b"") -> list[Gap]:
        """All bytes that are none of its files', with their places; `files` in their order."""
        gaps, laid, offset, behind = list[Gap](), list[File](), 0, b""
        for file in files:
            between = behind + self.before(file.path.rpartition("/")[2], file.bytes)
            gaps.append(Gap(offset, between))
            laid.append(file._replace(offset=offset + len(between)))
            offset += len(between) + file.bytes
            behind = self.after(file.bytes)
        return [*gaps, Gap(offset, behind + self.end(laid, head))]

    def check(self, path: Path, files: Sequence[File]) -> None:
        """See that a container holds these files and nothing else; they are not read.

        Raises:
            FileError: `container`, naming the first of them that is not where it should be; or
                what `open_regular` raises.
        """
        files = sorted(files)
        with open_regular(path) as data:
            head = self._heads(data, files)
            gaps = self.gaps(files, head)
            for gap, file in zip(gaps, [*files, files[-1]], strict=True):
                if not _holds(data, gap) or (gap is not gaps[-1] and not _begins(gap, file)):
                    raise _other_than_packed(file)
            if data.read(1):
                raise FileError("it holds more than its files", REMAKE, code="container")
        for name, tell in self.beside.items():
            if not _is(path.with_name(name), tell(files, head)):
                reason = f"{name} next to it is not the one that was written for it"
                raise FileError(reason, REMAKE, code="container")

    def _heads(self, data: BinaryIO, files: Sequence[File]) -> bytes:
        """The head of the first file; those of all of them are seen to stand together."""
        first = b""
        for file in files if self.head else ():
            data.seek(file.offset)
            head = data.read(min(self.head, file.bytes))
            if not self.takes(first, head, file.bytes):
                raise _other_than_packed(file)
            first = first or head
        return first


def _other_than_packed(file: File) -> FileError:
    name = file.path.rpartition("/")[2]
    return FileError(f"it does not hold {name} as it was packed", REMAKE, code="container")


def _is(path: Path, wanted: bytes) -> bool:
    """Whether a file holds just these bytes."""
    try:
        return read_regular(path, most=len(wanted)) == wanted
    except FileError:
        return False


def _holds(data: BinaryIO, gap: Gap) -> bool:
    data.seek(gap.offset)
    return data.read(len(gap.bytes)) == gap.bytes


def _begins(gap: Gap, file: File) -> bool:
    return file.offset == gap.offset + len(gap.bytes)
