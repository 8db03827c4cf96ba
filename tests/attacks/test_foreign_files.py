"""Somebody's files in a stage directory outlive every run there; our own leftovers do not."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from tests.attacks.attacker import Zygote, differing, first, sample, tree
from tests.attacks.planting import TEXT, Outputs
from tests.attacks.verbs import VERBS, World

FOREIGN = (
    "out/train/images/notes.txt",
    "out/train/images/.hidden",
    "out/train/images/MR001_t1-in_s000.txt",
    "out/train/images/MR001_t1-in_s000.png.bak",
    "out/train/images/my holiday.png",
    "out/train/images/mine/picture.png",
    "out/train/masks/notes.txt",
    "out/train/notes.txt",
    "out/notes.txt",
    "out/.hidden",
    "out/mine/picture.png",
    "out/test/images/notes.txt",
)
STATES = {
    "begun": [],
    "begun, to be done again": ["--overwrite"],
    "finished, to be done again": ["--overwrite"],
}
STAGES = ("split", "extract-liver", "convert", "augment", "merge")


@pytest.fixture
def outputs(zygote: Zygote, verb: str, world: World, tmp_path: Path) -> Outputs:
    kept = tmp_path / "kept"
    kept.mkdir()
    return Outputs(zygote, VERBS[verb], world, kept)


def named(name: str) -> tuple[str, str]:
    """How a file may be named: by itself, or by the folder that no run made."""
    return name.rpartition("/")[2], name.removeprefix("out/").rpartition("/")[0]


@pytest.mark.parametrize("verb", STAGES)
def test_somebodys_file_survives(
    outputs: Outputs, here: Path, record_property: Callable[[str, object], None]
) -> None:
    wrong = []
    chosen = sample(product(STATES, FOREIGN), 4, outputs.verb.name)
    for state, name in chosen:
        outputs.put(here, state.partition(",")[0])
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(TEXT)
        words = outputs.verb.command(outputs.world, here)
        ended = outputs.zygote.run([*words, *STATES[state]])
        problems = ended.faults([0, 1])
        if not (here / name).is_file() or (here / name).read_bytes() != TEXT:
            problems.append(f"gone, exit {ended.code}")
        elif ended.code == 1 and not any(part in ended.err for part in named(name)):
            problems.append(f"refused, but not by name: {ended.err[-200:]!r}")
        wrong += [f"{state}, {name}: {problem}" for problem in problems]
    record_property("planted", len(chosen))
    assert not wrong, first(wrong, 40)


@pytest.mark.parametrize("verb", STAGES)
def test_what_another_run_had_begun_is_cleared_away(
    outputs: Outputs, here: Path, record_property: Callable[[str, object], None]
) -> None:
    verb, zygote, world = outputs.verb, outputs.zygote, outputs.world
    new = outputs.new(here.parent / "other" / "here")
    events = zygote.run(verb.command(world, here, old=True)).events
    wrong = []
    chosen = sample(range(1, events + 1), 1, verb.name)
    for event in chosen:
        outputs.put(here, "empty")
        zygote.run(verb.command(world, here, old=True), kill=event)
        ended = zygote.run([*verb.command(world, here), "--overwrite"])
        wrong += [f"killed at {event}: {fault}" for fault in ended.faults([0])]
        wrong += [f"killed at {event}: {name}" for name in differing(tree(here), new)][:3]
    record_property("kills", len(chosen))
    assert not wrong, first(wrong)
