"""Work on locations: their working copies first, and in the end what was made goes back."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from chaosprep.errors import ChaosprepError, Problem, ProblemsError, RefusedError, UsageError
from chaosprep.remote.claim import claim, release
from chaosprep.remote.copy import UNSENT, Copy
from chaosprep.remote.location import check_apart, local_path, locate
from chaosprep.remote.sending import send


class Session:
    """The working copies of one command or call.

    `tell` is called with what takes time; with `dry`, outputs are looked at and never written.
    """

    def __init__(self, tell: Callable[[str], None], *, dry: bool = False) -> None:
        self._tell, self._dry = tell, dry
        self._sources: dict[str, Copy] = {}
        self._outputs: dict[str, Copy] = {}
        self._stack = ExitStack()

    def source(self, url: str) -> Path:
        """The working copy of an input, up to date.

        Raises what `locate`, `check_apart` and `Copy.read` raise.
        """
        return local_path(url) or self._opened(url, self._sources, self._outputs)

    def output(self, url: str) -> Path:
        """The working copy of an output; nobody else writes it, here or elsewhere, until `close`.

        Raises what `locate`, `check_apart`, `claim` and `Copy.write` raise.
        """
        return local_path(url) or self._opened(url, self._outputs, self._sources)

    def _opened(self, url: str, own: dict[str, Copy], others: dict[str, Copy]) -> Path:
        place, is_output = locate(url), own is self._outputs
        if place.shown in own:
            return own[place.shown].path
        for other in others.values():
            check_apart(*((place, other.place) if is_output else (other.place, place)))
        if is_output and "/" not in place.shown.partition("://")[2]:
            reason = f"{place.shown}: an output cannot be a whole bucket"
            raise UsageError(reason, "Give a folder in it.", "remote-url")
        copy = own[place.shown] = Copy(place, self._tell)
        self._stack.callback(copy.leave)
        if not is_output:
            return copy.read()
        copy.hold()
        if not self._dry:
            claim(copy)
            self._stack.callback(release, copy)
        return copy.write()

    @property
    def has_outputs(self) -> bool:
        """Whether anything is to be sent."""
        return bool(self._outputs)

    def send(self) -> None:
        """Send what was made.

        Raises what `sending.send` raises.
        """
        for copy in () if self._dry else self._outputs.values():
            send(copy)

    def close(self) -> None:
        """Let others have the locations and their copies."""
        self._stack.close()

    def shown(self, text: str) -> str:
        """A text with URLs instead of the paths of their working copies."""
        for copy in (*self._sources.values(), *self._outputs.values()):
            path = str(copy.path)
            text = text.replace(path, copy.place.shown)
            text = text.replace(msgspec.json.encode(path).decode()[1:-1], copy.place.shown)
        return text

    def named(self, error: BaseException) -> None:
        """Let an error speak of URLs; what this machine's disk refuses is of the copy itself."""
        if not isinstance(error, ChaosprepError) or isinstance(error, RefusedError):
            return
        if error.code == UNSENT:
            return
        error.reason, error.remedy = self.shown(error.reason), self.shown(error.remedy)
        if isinstance(error, ProblemsError):
            error.problems = tuple(map(self._problem, error.problems))

    def _problem(self, problem: Problem) -> Problem:
        file = problem.file and self.shown(problem.file)
        reason, remedy = self.shown(problem.reason), self.shown(problem.remedy)
        return msgspec.structs.replace(problem, file=file, reason=reason, remedy=remedy)
