"""Tables and descriptors that say what no stage writes, read by every verb.

Each run ends by itself, soon, with an exit code that is documented, and names what is wrong; none
shows a traceback or asks for a report.
"""

import random
import time
from collections.abc import Iterable
from itertools import cycle, product
from pathlib import Path

import pytest
from click.testing import CliRunner

import chaosprep
from chaosprep.cli.main import main
from chaosprep.phantom import Patient, write_chaos
from tests.attacks.attacker import ATTACKS, sample
from tests.attacks.hostile_descriptors import DESCRIPTORS, edit_descriptor
from tests.attacks.hostile_rows import EDITS, VERBS, hostile, typed

LIMIT = 60  # seconds; the machine may have other things to do
NAMED = ("MR00", "PPPP", "P1111", "ssss", "hostile", "fold ", "organs")
"""What a message names: a case, the directory, or what all of it lacks."""
STAGES = ("split", "images", "augmented")
SKIPPING = tuple(verb for verb, words in VERBS.items() if "OUT" in words)


def combined(edits: Iterable[str], verbs: Iterable[str]) -> list[tuple[str, str, str]]:
    """Every edit with every verb, the stages in turn."""
    return [(stage, *pair) for stage, pair in zip(cycle(STAGES), product(edits, verbs))]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What three stages made of two patients with two sequences."""
    place = tmp_path_factory.mktemp("sound")
    both = ("t1-in", "t1-out")
    patients = [Patient(id=id, slices=3, matrix=32, sequences=both) for id in (1, 2)]
    root = write_chaos(place / "root", patients)
    split = chaosprep.split(root, place / "split", val=0.5, sequence=both, jobs=1)
    livers = chaosprep.extract_liver(split, place / "livers", jobs=1)
    images = chaosprep.convert(livers, place / "images", size="40", jobs=1)
    augmented = chaosprep.augment(images, place / "augmented", jobs=1)
    found = (split, images, augmented)
    return {name: made.directory for name, made in zip(STAGES, found, strict=True)}


def check(directory: Path, sound: Path, verb: str, *more: str) -> None:
    """Type a verb: whatever is wrong is told by name, in time."""
    begun = time.monotonic()
    words = typed(verb, directory, sound, directory.parent / "made")
    result = CliRunner().invoke(main, [*words, *more])
    assert time.monotonic() - begun < LIMIT
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "unforeseen" not in result.output
    assert result.exit_code in (0, 1, 2, 3, 4)
    if result.exit_code in (1, 2):
        assert any(name in result.output for name in NAMED), result.output


@pytest.mark.parametrize(("stage", "edit", "verb"), sample(combined(EDITS, VERBS), 60, "rows"))
def test_a_hostile_row_is_read_right_or_named(
    sound: dict[str, Path], tmp_path: Path, stage: str, edit: str, verb: str
) -> None:
    check(hostile(sound[stage], tmp_path / "hostile", EDITS[edit]), sound[stage], verb)


@pytest.mark.parametrize(("stage", "edit", "verb"), sample(combined(EDITS, SKIPPING), 30, "skip"))
def test_a_hostile_row_that_may_be_left_out_is_named_too(
    sound: dict[str, Path], tmp_path: Path, stage: str, edit: str, verb: str
) -> None:
    directory = hostile(sound[stage], tmp_path / "hostile", EDITS[edit])
    check(directory, sound[stage], verb, "--on-error", "skip")


@pytest.mark.parametrize("seed", range(20 * ATTACKS))
def test_several_at_once_are_read_right_or_named(
    sound: dict[str, Path], tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    stage, verb = chance.choice(STAGES), chance.choice(list(VERBS))
    edits = [EDITS[chance.choice(list(EDITS))] for _ in range(chance.randint(2, 4))]
    check(hostile(sound[stage], tmp_path / "hostile", *edits), sound[stage], verb)


@pytest.mark.parametrize(
    ("stage", "edit", "verb"), sample(combined(DESCRIPTORS, VERBS), 30, "records")
)
def test_a_hostile_descriptor_is_read_right_or_named(
    sound: dict[str, Path], tmp_path: Path, stage: str, edit: str, verb: str
) -> None:
    directory = hostile(sound[stage], tmp_path / "hostile")
    edit_descriptor(directory, DESCRIPTORS[edit])
    check(directory, sound[stage], verb)
