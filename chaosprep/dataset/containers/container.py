"""What a kind of container is: how files lie in it, known from their names and sizes alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from chaosprep.dataset.records import File
from chaosprep.errors import REMAKE, FileError
from chaosprep.files import open_regular


class Gap(NamedTuple):
    """The bytes of a container that stand before a file of it, or behind the last one."""

    offset: int
    bytes: bytes


@dataclass(frozen=True)
class Container:
    """A kind of container: a file that holds others, one behind the other, as they are.

    `before(name, size)` and `after(size)` are the bytes that stand before and behind a file of so
    many bytes, `end` those behind the last. Nothing else is in it, so that the same files make the
    same container.
    """

    ending: str
    before: Callable[[str, int], bytes]
    after: Callable[[int], bytes]
    end: bytes

    def gaps(self, files: Sequence[File]) -> list[Gap]:
        """All bytes that are none of its files', with their places; `files` in their order."""
        gaps, offset, behind = list[Gap](), 0, b""
        for file in files:
            between = behind + self.before(file.path.rpartition("/")[2], file.bytes)
            gaps.append(Gap(offset, between))
            offset += len(between) + file.bytes
            behind = self.after(file.bytes)
        return [*gaps, Gap(offset, behind + self.end)]

    def check(self, path: Path, files: Sequence[File]) -> None:
        """See that a container holds these files and nothing else; they are not read.

        Raises:
            FileError: `container`, naming the first of them that is not where it should be; or
                what `open_regular` raises.
        """
        files = sorted(files)
        gaps = self.gaps(files)
        with open_regular(path) as data:
            for gap, file in zip(gaps, [*files, files[-1]], strict=True):
                if not _holds(data, gap) or (gap is not gaps[-1] and not _begins(gap, file)):
                    name = file.path.rpartition("/")[2]
                    reason = f"it does not hold {name} as it was packed"
                    raise FileError(reason, REMAKE, code="container")
            if data.read(1):
                raise FileError("it holds more than its files", REMAKE, code="container")


def _holds(data: BinaryIO, gap: Gap) -> bool:
    data.seek(gap.offset)
    return data.read(len(gap.bytes)) == gap.bytes


def _begins(gap: Gap, file: File) -> bool:
    return file.offset == gap.offset + len(gap.bytes)
