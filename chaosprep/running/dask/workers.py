"""The workers of a Dask cluster: what each must see before any case runs, and what it does then."""

import platform
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from chaosprep.dataset.manifest import DESCRIPTOR
from chaosprep.errors import ChaosprepError, FileError
from chaosprep.files import read_regular, sha256
from chaosprep.running.claim import Claim
from chaosprep.running.commit import versions
from chaosprep.running.process import settle_in

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 30.0
"""Seconds to wait for the scheduler, for its first worker, and for workers of an earlier run."""


@dataclass(frozen=True)
class Seen:
    """What a process sees: its versions, the claim's text, and the source as a hash."""

    versions: dict[str, str]
    claim: str | None
    source: str | None
    busy: bool = False


def check_workers(client: Any, claim: Claim, source: Path) -> None:  # noqa: ANN401 - no types
    """Look through the eyes of every worker before any case runs.

    Raises:
        ChaosprepError: `dask-no-workers`, `dask-versions`, `dask-output`, `dask-source`,
            `dask-busy`.
    """
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        raise no_workers("the scheduler has no workers") from error
    here = look(claim, source)
    end = time.monotonic() + PATIENCE
    while True:
        seen = client.run(look, claim, source, on_error="return")
        for address, one in sorted(seen.items()):
            _check_worker(address, one, here, claim, source)
        if not any(one.busy for one in seen.values()):
            return
        if time.monotonic() > end:
            raise ChaosprepError(
                "dask: a worker still works for an earlier run into this output",
                "Wait for it, or restart it; then run the same command again.",
                code="dask-busy",
            )
        time.sleep(0.1)


def _check_worker(
    address: str, seen: Seen | Exception, here: Seen, claim: Claim, source: Path
) -> None:
    if not isinstance(seen, Seen):
        raise ChaosprepError(
            f"dask: worker {address} cannot run chaosprep ({type(seen).__name__}: {seen})",
            "Install the same chaosprep there as here.",
            code="dask-versions",
        )
    _check_versions(f"worker {address}", seen.versions, here.versions)
    for what, mine, theirs, path in (
        ("output", here.claim, seen.claim, claim.path.parent.parent),
        ("source", here.source, seen.source, source),
    ):
        if mine is None or mine != theirs:
            raise ChaosprepError(
                f"{path}: worker {address} does not see this {what}",
                "Put it on a file system that every worker has under the same path.",
                code=f"dask-{what}",
            )


def _check_versions(who: str, theirs: dict[str, str], mine: dict[str, str]) -> None:
    names = [name for name in mine if mine[name] != theirs.get(name)]
    if names:
        told = ", ".join(f"{name} {theirs.get(name)}, here {mine[name]}" for name in names)
        raise ChaosprepError(
            f"dask: {who} has {told}",
            "Use one environment for the workers and for this command.",
            code="dask-versions",
        )


def look(claim: Claim, source: Path) -> Seen:
    """What this process sees; run here and on every worker."""
    return Seen(seen_versions(), _text(claim.path), _view(source), _busy_for_another(claim))


@cache
def seen_versions() -> dict[str, str]:
    """What must be the same here and on every worker."""
    return {"Python": ".".join(platform.python_version_tuple()[:2])} | versions(["SimpleITK"])


def _text(path: Path) -> str | None:
    try:
        return read_regular(path).decode(errors="replace")
    except FileError:
        return None


def _view(source: Path) -> str | None:
    """A hash that tells one source from another: of its manifest, or of the names in it."""
    try:
        if (source / DESCRIPTOR).exists():
            return sha256(read_regular(source / DESCRIPTOR))
        names = sorted(path.name for path in source.iterdir())
        return sha256("\n".join(names).encode("utf-8", "surrogateescape"))
    except (OSError, FileError):
        return None


_at_work: Counter[Path] = Counter()
_guard = threading.Lock()


def work(function: Callable[[T], R], batch: T, claim: Claim, expected: dict[str, str]) -> R:
    """Run a batch on a worker, as long as its run goes on."""
    _check_versions("a worker", seen_versions(), expected)  # it may have come after the first look
    settle_in()
    claim.check()
    with _guard:
        _at_work[claim.path] += 1
    try:
        return function(batch)
    finally:
        with _guard:
            _at_work[claim.path] -= 1


def at_work(claim: Claim) -> bool:
    """Whether this process works for a run."""
    return _at_work[claim.path] > 0


def _busy_for_another(claim: Claim) -> bool:
    with _guard:
        found = [path for path, count in _at_work.items() if count and path != claim.path]
    return any(path.parent == claim.path.parent for path in found)


def no_workers(what: str) -> ChaosprepError:
    """The error where nobody is there to work."""
    return ChaosprepError(
        f"dask: {what}",
        "Start some, and run the same command again; it continues from here.",
        code="dask-no-workers",
    )
