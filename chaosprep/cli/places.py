"""Folders and files that commands take: paths, or URLs, whose working copies they get."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from chaosprep.errors import ChaosprepError
from chaosprep.remote.location import is_url

if TYPE_CHECKING:
    from chaosprep.remote.session import Session

_SESSION, _AS_JSON = "chaosprep.remote", "chaosprep.as_json"  # keys of a context's meta


class Place(click.Path):
    """A folder or file: one that is there, or one that the command makes."""

    def __init__(self, *, makes: bool = False, **more: Any) -> None:
        super().__init__(exists=not makes, path_type=Path, **more)
        self._makes = makes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - as click has it
        """The path; of a URL that of its working copy, which is brought up to date."""
        if ctx is not None and is_url(value):
            session = _session(ctx)
            path = session.output(value) if self._makes else session.source(value)
            try:
                return super().convert(path, param, ctx)
            except click.BadParameter as error:
                self.fail(session.shown(error.message), param, ctx)
        return super().convert(value, param, ctx)


def _session(ctx: click.Context) -> "Session":
    """The session of a command, in which URLs stand for paths whatever is said."""
    from chaosprep.cli.output import say
    from chaosprep.remote.session import Session

    if _SESSION not in ctx.meta:
        quiet = ctx.params.get("quiet", 0)  # such options are eager: they are known by now
        tell = (lambda text: None) if quiet else say
        session = Session(tell, dry=ctx.params.get("dry_run", False))
        ctx.meta[_SESSION], ctx.meta[_AS_JSON] = session, ctx.params.get("as_json", False)
        sys.stdout = cast(TextIO, _Shown(sys.stdout, session, holds=True))
        sys.stderr = cast(TextIO, _Shown(sys.stderr, session))
    found: Session = ctx.meta[_SESSION]
    return found


@contextmanager
def places(ctx: click.Context) -> Iterator[None]:
    """Where URLs were given, send what the command made when it ends well; then let go of all.

    What goes to stdout is said only then.
    """
    out, err = sys.stdout, sys.stderr
    try:
        with _sent_after(ctx):
            yield
    finally:
        if session := ctx.meta.pop(_SESSION, None):
            sys.stdout, sys.stderr = out, err
            session.close()


@contextmanager
def _sent_after(ctx: click.Context) -> Iterator[None]:
    ended: click.exceptions.Exit | None = None
    try:
        yield
    except click.exceptions.Exit as error:
        ended = error
    except ChaosprepError as error:
        if session := ctx.meta.get(_SESSION):
            session.named(error)
            _let_go()
        raise
    if session := ctx.meta.get(_SESSION):
        _send(session, as_json=ctx.meta[_AS_JSON])
    if ended is not None:
        raise ended


def _send(session: "Session", *, as_json: bool) -> None:
    from chaosprep.cli.output import write_error

    try:
        session.send()
    except ChaosprepError as error:
        session.named(error)
        if as_json:
            cast(_Shown, sys.stdout).held.clear()  # the result did not come true
            write_error(error)
            _let_go()
        raise
    _let_go()


def _let_go() -> None:
    shown = cast(_Shown, sys.stdout)
    shown.stream.write("".join(shown.held))
    shown.held.clear()


class _Shown:
    """A stream with URLs for the paths of working copies; it may hold what is written."""

    def __init__(self, stream: TextIO, session: "Session", *, holds: bool = False) -> None:
        self.stream, self._session, self._holds = stream, session, holds
        self.held: list[str] = []

    def write(self, text: str) -> int:
        """Write it; hold it where the session has outputs to be sent before."""
        shown = self._session.shown(text)
        if self._holds and self._session.has_outputs:
            self.held.append(shown)
        else:
            self.stream.write(shown)
        return len(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the stream's own
        return getattr(self.stream, name)
