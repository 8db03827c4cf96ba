"""A disk that is full, or may only be read: one true line, nothing left behind, no old result lost.

The disk is full from an event on, whoever runs the tests; on real ones for root.
"""

import errno
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attacks.attacker import (
    ATTACKS,
    Ended,
    Zygote,
    below,
    differing,
    first,
    sample,
    tree,
    usual,
)
from tests.attacks.planting import Outputs
from tests.attacks.verbs import VERBS, World

Record = Callable[[str, object], None]
USUAL = usual(VERBS)
FEW = USUAL if ATTACKS > 1 else ["split", "merge", "export-nifti", "assemble-seg", "report"]
SIZES = ("4k", "16k", "24k", "32k", "48k", "64k", "96k")
RESUMED = ("stage", "chain", "run")
WHOLE = [name for name in USUAL if VERBS[name].kind not in RESUMED]
ERRORS = [errno.ENOSPC, errno.EROFS, errno.EDQUOT] if ATTACKS > 1 else [errno.ENOSPC]
SPREAD = ["split", "convert", "export-nifti", "assemble", "report"] if ATTACKS > 1 else ["split"]


@pytest.fixture
def outputs(zygote: Zygote, verb: str, world: World, tmp_path: Path) -> Outputs:
    kept = tmp_path / "kept"
    kept.mkdir()
    return Outputs(zygote, VERBS[verb], world, kept)


def told(ended: Ended, here: Path) -> list[str]:
    """What is wrong with how a full disk was told of."""
    wrong = ended.faults([1])
    errors = [line for line in ended.err.splitlines() if line.startswith("Error: ")]
    if len(errors) != 1:
        wrong.append(f"{len(errors)} lines of errors: {ended.err[-300:]!r}")
    if str(here) not in "".join(errors):
        wrong.append(f"the place is not named: {ended.err[-300:]!r}")
    if "--on-error skip" in ended.err or "internal" in ended.err:
        wrong.append(f"the remedy is not true: {ended.err[-300:]!r}")
    return wrong


def leftovers(outputs: Outputs, here: Path) -> list[str]:
    """What an unfinished command left beside or in its output."""
    found = tree(here)
    if outputs.verb.kind in RESUMED:
        return [f"left: {name}" for name in found if name.endswith(".part")][:3]
    rest = set(found) - set(below(found, outputs.verb.place)) - {"out"}  # nnU-Net's own parent
    return [f"left: {name}" for name in sorted(rest) if name not in outputs.verb.outputs.values()]


@pytest.mark.parametrize("verb", USUAL)
def test_a_disk_that_fills_up_is_told_and_nothing_is_left(
    outputs: Outputs, here: Path, record_property: Record
) -> None:
    words = outputs.verb.command(outputs.world, here)
    events = outputs.zygote.run(words).events
    new, wrong = tree(here), list[str]()
    chosen = sample(range(1, events + 1), 1, outputs.verb.name)
    for event in chosen:
        outputs.put(here, "empty")
        ended = outputs.zygote.run(words, refuse=event)
        problems = []
        if ended.code != 0 or tree(here) != new:  # else nothing that was left took room
            problems = told(ended, here) + leftovers(outputs, here)
            again = outputs.zygote.run(words)
            finished = again.code == 1 and outputs.verb.kind == "export"
            problems += [] if finished else again.faults([0])
            problems += [f"then: {name}" for name in differing(tree(here), new)][:3]
        wrong += [f"full from {event} of {events}: {problem}" for problem in problems]
    record_property("full disks", len(chosen))
    assert not wrong, first(wrong, 20)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("verb", WHOLE)
def test_what_could_not_be_replaced_stands_as_before(
    outputs: Outputs, here: Path, error: int, record_property: Record
) -> None:
    verb = outputs.verb
    outputs.put(here, "finished")
    before = tree(here)
    words = [*verb.command(outputs.world, here), *verb.overwrite]
    events = outputs.zygote.run(words).events
    wrong = []
    # a disk that may only be read keeps the workspace, which lies in the parent of nnU-Net's folder
    names = (verb.place,) if verb.kind == "export" else tuple(verb.outputs.values())
    chosen = sample(range(1, events + 1), 1, verb.name)
    for event in chosen:
        outputs.put(here, "finished")
        ended = outputs.zygote.run(words, refuse=event, error=error)
        for name in names:
            if differing(below(tree(here), name), below(before, name)):
                wrong.append(f"refused from {event} of {events}: {name} is not as before")
        problems = told(ended, here) if ended.code else []
        wrong += [f"refused from {event} of {events}: {problem}" for problem in problems]
    record_property("full disks", len(chosen))
    assert not wrong, first(wrong, 20)


@contextmanager
def mounted(place: Path, size: str) -> Iterator[None]:
    """A small disk of memory; only root may."""
    place.mkdir(exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    made = subprocess.run(words, check=False, capture_output=True)
    if made.returncode:
        pytest.skip("no disk of memory can be mounted")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("verb", FEW)
def test_a_small_disk(outputs: Outputs, here: Path, record_property: Record) -> None:
    wrong = []
    chosen = sample(SIZES, 1, outputs.verb.name)
    words = outputs.verb.command(outputs.world, here)
    for size in chosen:
        with mounted(here, size):
            ended = outputs.zygote.run(words)
            problems = [*told(ended, here), *leftovers(outputs, here)] if ended.code != 0 else []
        wrong += [f"{size}: {problem}" for problem in problems]
    record_property("full disks", len(chosen))
    assert not wrong, first(wrong, 20)


@pytest.mark.parametrize("verb", FEW)
def test_a_disk_that_may_only_be_read(outputs: Outputs, here: Path) -> None:
    words = outputs.verb.command(outputs.world, here)
    with mounted(here, "1m"):
        subprocess.run(["mount", "-o", "remount,ro", str(here)], check=True)
        ended = outputs.zygote.run(words)
        wrong = told(ended, here)
    assert not wrong, first(wrong)


@pytest.mark.parametrize("verb", SPREAD)  # worker processes take long to start
def test_workers_on_a_small_disk(outputs: Outputs, here: Path, tmp_path: Path) -> None:
    words = outputs.verb.command(outputs.world, here, jobs=2)
    with mounted(here, "16k"):
        ended = outputs.zygote.run(words)
        wrong = told(ended, here) + leftovers(outputs, here)
    assert not wrong, first(wrong)
