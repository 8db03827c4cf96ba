"""Everything that the commands say: results to stdout, talk to stderr, both also as JSON."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click
import msgspec

from chaosprep.causes import Found, by_cause
from chaosprep.dataset.left_out import told as chosen
from chaosprep.errors import ChaosprepError, Problem, ProblemsError, plural
from chaosprep.printable import printable

if TYPE_CHECKING:
    from chaosprep.cli.bar import Bar
    from chaosprep.dataset.manifest import Dataset
    from chaosprep.quality.evidence import Evidence
    from chaosprep.running.mapping import OnCase
    from chaosprep.running.options import Event


def say(text: str) -> None:
    """Talk to the person, on stderr."""
    click.echo(printable(text), err=True)


def write_json(result: object) -> None:
    """A result as JSON, on stdout."""
    from json import dumps

    click.echo(dumps(msgspec.to_builtins(result, enc_hook=str), indent=2))


def write_error(error: ChaosprepError, more: Mapping[str, Any] = MappingProxyType({})) -> None:
    """An error as JSON, on stdout, where a result would have been."""
    problems = error.problems if isinstance(error, ProblemsError) else ()
    said = {"status": "error", "code": error.code, "message": error.text}
    write_json({**said, "problems": problems, **more})


def told(lead: str, problems: Iterable[Found], whole: bool) -> Iterator[str]:
    """The lines that tell of problems, each behind its lead: of each cause a few, or the whole.

    Where hashes stand for paths, a last one says how to look them up.
    """
    every = list(problems)
    if not every:
        return
    from chaosprep.privacy.pseudonyms import is_hash

    if whole:
        yield from (f"{lead}{problem.text}" for problem in every)
    for cause in () if whole else by_cause(every):
        yield from (f"{lead}{line}" for line in cause.lines)
        if cause.more:
            yield f"{lead}{cause.code}: {cause.more} more like this; -v shows all"
    if any(is_hash(problem.file or "") for problem in every):
        yield _LOOK_UP


_LOOK_UP = (
    "To see which file a hash stands for: chaosprep inspect ROOT --file HASH; for a hash from a "
    "run, add --pseudonymize KEYFILE (chaosprep.key next to its output if you gave no other)."
)


def report_error(error: ChaosprepError, loudness: int = 0) -> None:
    """An error on stderr: its problems, of each cause a few, then what it comes to.

    With -vv, the places in the program that Python's own error below it came through go first; not
    its text, which may quote a header.
    """
    if loudness > 1 and error.__cause__ is not None:
        from traceback import format_tb

        for line in "".join(format_tb(error.__cause__.__traceback__)).splitlines():
            say(line)
    if isinstance(error, ProblemsError):
        for line in told("", error.problems, loudness > 0):
            say(line)
    say(f"Error: {error.text}")


LOUDNESS = "chaosprep.loudness"  # the key of a context's meta: 0, less with -q, more with -v
LEFT_OUT = 3  # exit code: finished, some slices left out


class Talk:
    """What a verb says while it runs: a progress bar on a terminal, plain lines otherwise.

    `loudness` is 0, less with -q, more with -v. With JSON, stdout holds one JSON value only, also
    where the verb fails.
    """

    def __init__(self, loudness: int, as_json: bool, bar: bool) -> None:
        self._loudness = loudness
        self.as_json = as_json
        self._bar = bar and loudness >= 0 and sys.stderr.isatty()
        self._shown: Bar | None = None
        self._tenths = 0
        self._next = ""
        self._finished: list[dict[str, Any]] = []
        self._check: dict[str, Any] = {}

    @property
    def loudness(self) -> int:
        """0, less with -q, more with -v."""
        return self._loudness

    @property
    def quiet(self) -> bool:
        """Whether only errors are to be said."""
        return self._loudness < 0

    @property
    def verbose(self) -> bool:
        """Whether each case is to be said."""
        return self._loudness > 0

    def each_case(self, verb: str) -> "OnCase":
        """Says each case that is done, where that is wanted."""

        def done(case: str, number: int, total: int) -> None:
            if self.verbose:
                say(f"{verb}: {case} ({number} of {total})")

        return done

    def result(self, made: object, *lines: str) -> None:
        """What came of it: as JSON, or in lines unless it is to be quiet."""
        if self.as_json:
            write_json(made)
        elif not self.quiet:
            for line in lines:
                click.echo(printable(line))

    def remarks(self, skipped: Iterable[Problem], notes: Iterable[str]) -> None:
        """Say what was left out and what else to know, unless it is to be quiet."""
        if not self.quiet:
            for line in told("Left out: ", skipped, self.verbose):
                say(line)
            for note in notes:
                say(f"Note: {note}")

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.stop_bar()
        if self.as_json and isinstance(error, ChaosprepError):
            write_error(error, self._check)

    def on_event(self, event: "Event") -> None:
        """Show an event of the runner."""
        if event.kind == "planned":
            self._tenths = 0
            self.remarks((), event.notes)
            if event.finished:
                self._line(
                    f"{event.stage}: continues, {event.finished} of {event.total} cases done"
                )
            if self._bar:
                self._start_bar(event)
        elif event.kind == "seen":
            self._learn(event)
        elif event.kind in ("done", "failed"):
            self._advance(event)
        elif event.dataset is not None:
            self._close(event, event.dataset)

    def checked(self, found: "Evidence") -> None:
        """Say what the parts of a split share; what is wrong with it is the caller's to raise."""
        self._check = {"check": found}
        if not self.quiet:
            for line in told("Warning: ", found.warnings, self.verbose):
                say(line)
        self.remarks((), found.notes)
        if self._finished:
            self._finished[0] |= self._check
        if not self.as_json:
            self.result(found, f"check: {found.text}")

    def finish(self, page: Path | None = None) -> int:
        """Write the results as JSON, or say what to look at next: a page. Gives the exit code."""
        if self.as_json:
            write_json(self._finished[0] if len(self._finished) == 1 else self._finished)
        elif self._finished and not self.quiet:
            last = self._finished[-1]["manifest"].parent
            say(self._next or f"Look at {page or f'it: chaosprep report {last} -o report.html'}")
        return LEFT_OUT if any(found["skipped"] for found in self._finished) else 0

    def _close(self, event: "Event", dataset: "Dataset") -> None:
        """The closing line of a stage."""
        self.stop_bar()
        for line in told("Left out: ", event.problems, self.verbose):
            self._line(line)
        left_out = dataset.descriptor.tool.left_out
        for line in chosen(left_out, whole=self.verbose):
            self._line(f"Left out: {line}")
        if dataset.descriptor.tool.warned:
            warned = plural(dataset.descriptor.tool.warned, "slice")
            self._line(f"{event.stage}: {warned} with warnings; verify lists them")
        for share in dataset.descriptor.tool.division if self.verbose else ():
            has = f"{share.part} has {share.patients} of {share.kind}"
            self._line(f"{event.stage}: {has} (ideal: {share.ideal:.4g})")
        self._finished.append(_summary(event, dataset))
        if dataset.shard is not None:
            part = f"{dataset.shard.index} of {dataset.shard.count}"
            self._next = f"Shard {part} is ready for chaosprep merge"
        if self.as_json or self.quiet:
            return
        click.echo(printable(event.closing))

    def _advance(self, event: "Event") -> None:
        if self.verbose:
            failed = f", {plural(len(event.problems), 'problem')}" if event.problems else ""
            self._line(f"{event.stage}: {event.case}, {plural(event.slices, 'slice')}{failed}")
        self._count(event)

    def _learn(self, event: "Event") -> None:
        if event.finished == 1:
            self._tenths = 0
            if self._bar:
                self._start_bar(event)
        if self.verbose:
            self._line(f"{event.stage}: learns from {event.case}")
        self._count(event, "learns from ")

    def _count(self, event: "Event", doing: str = "") -> None:
        if self._shown is not None:
            self._shown.advance(event.finished, event.case)
        elif self._loudness == 0 and not self._bar:
            tenths = 10 * event.finished // event.total
            if tenths > self._tenths:
                self._tenths = tenths
                of = f"{event.finished} of {plural(event.total, 'case')}"
                self._line(f"{event.stage}: {doing}{of}")

    def _line(self, text: str) -> None:
        if self.quiet:
            return
        if self._shown is not None:
            self._shown.print(text)
        else:
            say(text)

    def _start_bar(self, event: "Event") -> None:
        from rich.console import Console

        from chaosprep.cli.bar import Bar

        self.stop_bar()
        self._shown = Bar(Console(stderr=True), event.stage, event.total, event.finished)

    def stop_bar(self) -> None:
        """Take the progress bar away."""
        if self._shown is not None:
            self._shown.stop()
            self._shown = None


def _summary(event: "Event", dataset: "Dataset") -> dict[str, Any]:
    """What `--json` says of a finished stage."""
    division = dataset.descriptor.tool.division
    return {
        "status": "done" if event.kind == "committed" else event.kind,
        "stage": event.stage,
        "manifest": dataset.manifest,
        "cases": len(dataset),
        "counts": dataset.descriptor.tool.counts,
        "warned": dataset.descriptor.tool.warned,
        "skipped": dataset.skipped,
        "left_out": dataset.descriptor.tool.left_out,
        **({"division": division} if division else {}),
    }
