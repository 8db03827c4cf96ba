"""The rows of a table grouped into cases, each row and their order checked on the way."""

from collections.abc import Iterable
from pathlib import Path

from chaosprep.dataset.checking import decode_row
from chaosprep.dataset.places import Groups, Lines, Places
from chaosprep.dataset.records import Slice
from chaosprep.errors import REMAKE, ManifestError


class Indexing:
    """What is gathered as the files of a table are read; `ends` has where each of them ended."""

    def __init__(self) -> None:
        self.places = Places()
        self.ends: list[int] = []
        self._groups = Groups()
        self._last: Slice | None = None
        self._start = self._stop = 0

    def read(self, lines: Iterable[bytes], path: Path) -> None:
        """Take in the lines of the next file.

        Raises:
            ManifestError: naming the file, the line and what is wrong there.
        """
        for number, line in enumerate(lines, 1):
            try:
                self._take(line)
            except ManifestError as error:
                raise ManifestError(
                    f"{path} line {number}: {error.reason}", error.remedy, error.code
                ) from error
        self._end_case()
        self.ends.append(self._stop)

    def _take(self, line: bytes) -> None:
        row, last = decode_row(line), self._last
        if last is not None and row.id == last.id:
            raise ManifestError(f"id: {row.id!r} occurs twice", REMAKE, "manifest-row")
        if last is not None and row.id < last.id:
            raise ManifestError(f"id: {row.id!r} is out of order", REMAKE, "manifest-row")
        if last is None or row.case != last.case or self._start == self._stop:
            self._begin(row)
        self._last, self._stop = row, self._stop + len(line)

    def _begin(self, row: Slice) -> None:
        """A case begins, or a file that must not go on with the last one."""
        if not self._groups.begins(row.case, row.id):
            if self._last is not None and self._last.case == row.case:
                reason = f"case: {row.case!r} continues in another file"
                raise ManifestError(reason, REMAKE, "manifest-row")
            raise ManifestError(
                f"case: {row.case!r} continues after another", REMAKE, "manifest-row"
            )
        self._end_case()

    def _end_case(self) -> None:
        if self._last is not None and self._start < self._stop:
            case, patient = self._last.case, self._last.patient
            self.places.add(Lines(case, patient, self._start, self._stop))
        self._start = self._stop
