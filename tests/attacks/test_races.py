"""Two commands at once to one place: whole results, or one of the two is told to wait."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attacks.attacker import ATTACKS, SLOW, Ended, Run, Zygote, differing, first, tree, usual
from tests.attacks.verbs import VERBS, Verb, World

Tree = dict[str, bytes | str]
Record = Callable[[str, object], None]
PAIRS = min(100, 3 * ATTACKS) if ATTACKS > 1 else 1  # test_two_at_once has them for certain
FEW = max(1, PAIRS // 3)
USUAL = usual(VERBS, SLOW)
EXPORTS = [name for name in USUAL if VERBS[name].kind == "export" and name != "export-nnunet"]


class Race:
    """A place for two commands, and what each leaves when it is alone."""

    def __init__(self, zygote: Zygote, world: World, here: Path) -> None:
        self.zygote, self.world, self.here = zygote, world, here

    def words(self, verb: Verb, *more: str, old: bool = False) -> list[str]:
        return [*verb.command(self.world, self.here, old=old), *more, "--json"]

    def alone(self, words: list[str]) -> Tree:
        """What a command leaves in an empty place."""
        self.empty()
        ended = self.zygote.run(words)
        assert not ended.faults([0]), ended
        return tree(self.here)

    def empty(self) -> None:
        for path in self.here.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def run(self, one: list[str], other: list[str], results: list[Tree], *codes: str) -> list[str]:
        """Start both at once; what is wrong with how they ended and with what is there."""
        both = self.zygote.together(Run(one), Run(other))
        wrong = [fault for ended in both for fault in faults(ended, codes)]
        if all(ended.code for ended in both):
            wrong.append(f"both failed: {[ended.error for ended in both]}")
        found = tree(self.here)
        if found not in results:
            wrong.append(f"left: {differing(found, results[0])[:4]}")
        return wrong


def faults(ended: Ended, codes: tuple[str, ...]) -> list[str]:
    """What is wrong with how one of two ended: it may be done, or told that the other is there."""
    refused = ended.code == 1 and ended.error in codes
    return [] if refused else ended.faults([0])


@pytest.fixture
def race(zygote: Zygote, world: World, here: Path) -> Race:
    return Race(zygote, world, here)


def allowed(verb: Verb) -> tuple[str, ...]:
    """What the later of two may be told; an export that is there already is one more reason."""
    return ("locked", "output") if verb.kind == "export" else ("locked",)


@pytest.mark.parametrize("verb", USUAL)
def test_the_same_command_twice_at_once_makes_one_whole_result(
    race: Race, verb: str, record_property: Record
) -> None:
    words = race.words(VERBS[verb])
    result = race.alone(words)
    wrong = []
    pairs = FEW // 3 if verb == "train" else PAIRS
    for _ in range(pairs):
        race.empty()
        wrong += race.run(words, words, [result], *allowed(VERBS[verb]))
    record_property("races", pairs)
    assert not wrong, first(wrong)


@pytest.mark.parametrize("verb", USUAL)
def test_two_that_replace_a_finished_result_leave_a_whole_one(
    race: Race, verb: str, record_property: Record
) -> None:
    old, new = (race.words(VERBS[verb], old=old) for old in (True, False))
    more = VERBS[verb].overwrite
    results = [race.alone(old), race.alone(new)]
    wrong = []
    pairs = FEW // 3 if verb == "train" else PAIRS
    for _ in range(pairs):
        wrong += race.run([*new, *more], [*old, *more], results, "locked")
    record_property("races", pairs)
    assert not wrong, first(wrong)


@pytest.mark.parametrize("verb", EXPORTS)
def test_two_different_exports_to_one_place_leave_one_of_them_whole(
    race: Race, verb: str, record_property: Record
) -> None:
    other = EXPORTS[EXPORTS.index(verb) - 1]
    one, two = (race.words(VERBS[name]) for name in (verb, other))
    results = [race.alone(one), race.alone(two)]
    wrong = []
    for _ in range(FEW):
        race.empty()
        wrong += race.run(one, two, results, "locked", "output", "output-foreign")
    record_property("races", FEW)
    assert not wrong, first(wrong)
