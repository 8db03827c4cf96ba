"""Folders and files that commands take: paths, or URLs, whose working copies they get."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from chaosprep.remote.location import is_url

if TYPE_CHECKING:
    from chaosprep.remote.session import Session

_SESSION = "chaosprep.remote"  # the key of a context's meta


class Place(click.Path):
    """A folder or file: one that is there, or one that the command makes."""

    def __init__(self, *, makes: bool = False, **more: Any) -> None:
        super().__init__(exists=not makes, path_type=Path, **more)
        self._makes = makes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - as click has it
        """The path; of a URL that of its working copy, which is brought up to date."""
        if ctx is not None and is_url(value):
            session = _session(ctx)
            value = session.output(value) if self._makes else session.source(value)
        return super().convert(value, param, ctx)


def _session(ctx: click.Context) -> "Session":
    """The session of a command, in which URLs stand for paths whatever is said."""
    from chaosprep.cli.output import say
    from chaosprep.remote.session import Session

    if _SESSION not in ctx.meta:
        quiet = ctx.params.get("quiet", 0)  # both options are eager: they are known by now
        tell = (lambda text: None) if quiet else say
        session = Session(tell, dry=ctx.params.get("dry_run", False))
        ctx.meta[_SESSION] = session
        sys.stdout = cast(TextIO, _Shown(sys.stdout, session, holds=True))
        sys.stderr = cast(TextIO, _Shown(sys.stderr, session))
    found: Session = ctx.meta[_SESSION]
    return found


@contextmanager
def places(ctx: click.Context) -> Iterator[None]:
    """Where URLs were given, send what the command made when it ends well; then let go of all.

    What goes to stdout is said once that is done.
    """
    out, err = sys.stdout, sys.stderr
    try:
        try:
            yield
        except click.exceptions.Exit:
            _send(ctx, sys.stdout)
            raise
        _send(ctx, sys.stdout)
    except Exception as error:
        if session := ctx.meta.get(_SESSION):
            session.named(error)
        raise
    finally:
        sys.stdout, sys.stderr = out, err
        if session := ctx.meta.pop(_SESSION, None):
            session.close()


def _send(ctx: click.Context, out: object) -> None:
    if session := ctx.meta.get(_SESSION):
        session.send()
        cast(_Shown, out).let_go()


class _Shown:
    """A stream with URLs for the paths of working copies; it may hold what is written."""

    def __init__(self, stream: TextIO, session: "Session", *, holds: bool = False) -> None:
        self._stream, self._session, self._holds = stream, session, holds
        self._held: list[str] = []

    def write(self, text: str) -> int:
        """Write it, or hold it."""
        shown = self._session.shown(text)
        if self._holds:
            self._held.append(shown)
        else:
            self._stream.write(shown)
        return len(text)

    def let_go(self) -> None:
        """Write what was held."""
        self._stream.write("".join(self._held))
        self._held.clear()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the stream's own
        return getattr(self._stream, name)
