"""What can go wrong, as data: one exception family, and `Problem`, an error with its place."""

import errno
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import msgspec

from chaosprep.causes import by_cause
from chaosprep.words import in_python

RECOPY = "Copy or export the file again from its source."
REMAKE = "Run the stage that made it again with --overwrite."
# What pydicom, highdicom, Pillow and the decoders below them are known to raise on damaged input.
BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    StopIteration,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


class ChaosprepError(Exception):
    """An error that a user or a file can cause: what is wrong, and what to do about it.

    ``code`` is the kebab-case name of the rule that failed (``mask-missing``), ``reason`` a clause
    without the id or the file (whoever knows them puts them in front), ``remedy`` a sentence.
    Both spell parameters as the command line does (``--on-error skip``), and so does ``text``; the
    exception's own text spells them as Python does (``on_error="skip"``).
    """

    exit_code = 1
    file: str | None = None
    keywords: Mapping[str, str] = MappingProxyType({})

    def __init__(self, reason: str, remedy: str = "", code: str = "error") -> None:
        super().__init__(reason, remedy, code)
        self.reason = reason
        self.remedy = remedy
        self.code = code

    @property
    def text(self) -> str:
        """What is wrong and what to do, as the command line says it."""
        return f"{self.reason}. {self.remedy}" if self.remedy else self.reason

    def __str__(self) -> str:
        return in_python(self.text, self.keywords)


class UsageError(ChaosprepError):
    """The request itself cannot be met: a bad parameter, an unknown patient."""

    exit_code = 2


class NothingFoundError(ChaosprepError):
    """There is nothing to work on."""

    exit_code = 4


class FileError(ChaosprepError):
    """One file cannot be used: not DICOM, a mask in colour, truncated."""


class RefusedError(ChaosprepError):
    """The system refuses what a run asks of it: that is no problem of a case, and ends the run."""


class OutputError(RefusedError):
    """The system does not let a run write: a full disk, a closed folder.

    `number` is the system's for it, 0 where it has none, and `why` is what it says.
    """

    number = 0
    why = ""


class ManifestError(ChaosprepError):
    """A stage directory is unfinished, damaged or not to be trusted."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error with its place: which slice, case or patient, and which file."""

    code: str
    id: str
    file: str | None = None
    reason: str
    remedy: str = ""

    @classmethod
    def of(cls, error: ChaosprepError, id: str, file: str | None = None) -> "Problem":
        """Give an error its place; a file that the error knows itself goes before `file`.

        Raises:
            RefusedError: it is one, and no problem of any place.
        """
        if isinstance(error, RefusedError):
            raise error
        return cls(
            code=error.code,
            id=id,
            file=error.file or file,
            reason=error.reason,
            remedy=error.remedy,
        )

    def error(self) -> ChaosprepError:
        """The problem as an error, where it ends everything; its place goes before the reason."""
        place = self.id if self.file in (None, self.id) else f"{self.id}: {self.file}"
        return ChaosprepError(f"{place}: {self.reason}", self.remedy, self.code)

    @property
    def text(self) -> str:
        """The problem with its place and what to do, as the command line says it."""
        return self.error().text

    def in_python(self, keywords: Mapping[str, str] = MappingProxyType({})) -> "Problem":
        """The problem as Python spells parameters; ids and files stay what they are."""
        reason, remedy = (in_python(text, keywords) for text in (self.reason, self.remedy))
        return msgspec.structs.replace(self, reason=reason, remedy=remedy)

    def __str__(self) -> str:
        return self.in_python().text


class ProblemsError(ChaosprepError):
    """A stage finished its tries and found problems: nothing was committed, unless it says so.

    Its text holds the first of them.
    """

    def __init__(
        self, reason: str, remedy: str, problems: tuple[Problem, ...], code: str = "problems"
    ) -> None:
        super().__init__(reason, remedy, code=code)
        self.problems = problems

    def __str__(self) -> str:
        causes = list(by_cause(problem.in_python(self.keywords) for problem in self.problems))
        lines = [line for cause in causes for line in cause.lines]
        if len(lines) > _FIRST or any(cause.more for cause in causes):
            lines[_FIRST:] = ["... all of them are in the attribute `problems`"]
        return "\n  ".join([super().__str__(), *lines])


_FIRST = 9  # lines of problems in the text of an exception


def plural(count: int, noun: str) -> str:
    """`1 case`, `2 cases`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def internal(error: BaseException) -> ChaosprepError:
    """An error that nobody foresaw, as one to report: its type, and where it was raised.

    That is the innermost place in this package, and behind it the innermost of all. The error's
    own text is left out, as it may quote a header.
    """
    from traceback import extract_tb

    frames = [(Path(one.filename), one.lineno) for one in extract_tb(error.__traceback__)]
    ours = [(path, line) for path, line in frames if path.is_relative_to(_PACKAGE)]
    places = dict.fromkeys(_place(*some[-1]) for some in (ours, frames) if some)
    return ChaosprepError(
        f"an unforeseen {type(error).__name__} at {' by '.join(places)}",
        "Report it to the authors with this message, the command and, if you may share it, "
        "the file.",
        code="internal",
    )


_PACKAGE = Path(__file__).parent


def _place(path: Path, line: int | None) -> str:
    """A line of source as everybody has it: the file from the package on, or its name alone."""
    inside = path.is_relative_to(_PACKAGE)
    file = path.relative_to(_PACKAGE.parent).as_posix() if inside else path.name
    return f"{file}:{line}"


def refused(error: OSError) -> RefusedError:
    """What the system refuses, with the path that it names, as an error."""
    name = error.filename
    if name is None and error.errno == errno.ENOENT and _is_nowhere():
        reason = "the current folder is gone"
        return RefusedError(reason, "Change to another one, or give absolute paths.", "system")
    said = error.strerror or type(error).__name__
    place = f"{os.fsdecode(name)}: " if isinstance(name, str | bytes) else ""
    if error.errno in SHORT:
        return RefusedError(f"the system has no more ({said})", SHORT[error.errno], "system")
    remedy = REMEDIES.get(error.errno or 0, "Bring it back or make it accessible")
    return RefusedError(
        f"{place}the system refuses to read or write there ({said})",
        f"{remedy}, and run the same command again.",
        code="system",
    )


def _is_nowhere() -> bool:
    """Whether this process works in a folder that was removed."""
    try:
        Path.cwd()
    except OSError:
        return True
    return False


REMEDIES = {
    errno.ENAMETOOLONG: "Give it a shorter name",
    errno.EBUSY: "Close what has it open, make it writable",
    errno.ENOSPC: "Make room",
    errno.EDQUOT: "Make room",
    errno.EROFS: "Make it writable",
    errno.EIO: "Check the disk",
}
"""What helps against some of the errors of a path: error number -> the beginning of a remedy."""
_FILES = "Allow more open files (ulimit -n) or use fewer --jobs, and run the same command again."
_PROCESSES = "Allow more processes (ulimit -u) or use fewer --jobs, and run the same command again."
_MEMORY = "Free memory or use fewer --jobs, and run the same command again."
SHORT = {
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ENOMEM: _MEMORY,
    errno.EAGAIN: _PROCESSES,
}
"""What the whole machine is short of, whatever file it is asked for: error number -> remedy."""


@contextmanager
def named(but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Whatever is raised in here is raised as a `ChaosprepError`, but for these classes.

    Raises:
        ChaosprepError: `system`, `memory` or `internal`, made of something else.
    """
    kept: tuple[type[Exception], ...] = (ChaosprepError, *but)
    try:
        yield
    except kept:
        raise
    except MemoryError as error:
        raise ChaosprepError("there is not enough memory", _MEMORY, "memory") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise refused(error) from error
        raise internal(error) from error


def not_as_written(file: str) -> FileError:
    """A file of an export that is not what it should be."""
    return FileError(
        f"{file}: what was written is not what is read back",
        "Check the disk, and export again.",
        code="not-as-written",
    )


@contextmanager
def called(**keywords: str) -> Iterator[None]:
    """Decorates a function of which some keywords (the values) are not called as their options."""
    try:
        yield
    except ChaosprepError as error:
        error.keywords = keywords
        raise


class about:  # noqa: N801 - it is used as a function; a generator is slow where files are read
    """Whatever is wrong in here is wrong with this file, unless the error knows another."""

    def __init__(self, file: str) -> None:
        self._file = file

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, FileError):
            error.file = error.file or self._file
