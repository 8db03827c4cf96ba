"""Killed before any event of the file system, a command leaves what the next one finishes.

`make attack` kills at every event of every verb; otherwise a sample.
"""

import shutil
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import pytest

from tests.attacks.attacker import Ended, Zygote, below, differing, first, sample, tree, usual
from tests.attacks.verbs import VERBS, Verb, World

Tree = dict[str, bytes | str]
USUAL = usual(VERBS)


class Killer:
    """Kills one verb at an event, then runs it again, in a folder that is new each time."""

    def __init__(self, zygote: Zygote, verb: Verb, world: World, here: Path) -> None:
        self.zygote, self.verb, self.world, self.here = zygote, verb, world, here
        self.new, self.events = self._whole()

    @cached_property
    def old(self) -> Tree:
        """The older result; `here` is empty afterwards."""
        found, _ = self._whole(old=True)
        self.empty()
        return found

    def _whole(self, *, old: bool = False) -> tuple[Tree, int]:
        self.empty()
        ended = self.zygote.run(self.verb.command(self.world, self.here, old=old))
        assert not ended.faults([0]), ended
        return tree(self.here), ended.events

    def empty(self) -> None:
        for path in self.here.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def over(self) -> int:
        """Let the old result stand; how many events it takes to replace it."""
        self.stand()
        ended = self.run(*self.verb.overwrite)
        assert not ended.faults([0]), ended
        assert differing(tree(self.here), self.new) == []
        return ended.events

    def stand(self) -> None:
        """The old result alone, as its command left it."""
        old = self.old
        self.empty()
        for name, content in sorted(old.items()):
            if isinstance(content, bytes):
                (self.here / name).write_bytes(content)
            else:
                (self.here / name).mkdir()

    def run(self, *more: str, kill: int = 0) -> Ended:
        words = self.verb.command(self.world, self.here)
        return self.zygote.run([*words, *more], kill=kill)

    def half(self, *, replacing: bool) -> list[str]:
        """What has its name without being the old or the new result."""
        found = tree(self.here)
        wrong = []
        for mark in self.verb.marks:
            name = mark.rpartition("/")[0] if mark.endswith(".json") else mark
            there = without_workspace(below(found, name))
            if self.verb.kind in ("export", "page", "files"):
                # a predecessor stands until the new one has its name
                allowed = [below(self.new, name), below(self.old, name) if replacing else {}]
            elif mark in found:
                allowed = [below(self.new, name), below(self.old, name) if replacing else {}]
            else:
                continue  # unfinished, and to be seen so
            if there not in allowed:
                wrong.append(f"half: {mark}, {differing(there, allowed[0])[:4]}")
        return wrong

    def again(self, *more: str) -> list[str]:
        """Run the same command to its end; what then is not as an uninterrupted run leaves it."""
        ended = self.run(*more)
        holds = ended.code == 1 and self.verb.kind == "export" and not more
        place = self.verb.place
        if holds and below(tree(self.here), place) == below(self.new, place):
            ended = self.run("--overwrite")  # it was finished
        wrong = ended.faults([0])
        return wrong + [f"left: {name}" for name in differing(tree(self.here), self.new)[:4]]


def without_workspace(found: Tree) -> Tree:
    return {name: value for name, value in found.items() if ".chaosprep" not in name.split("/")}


@pytest.fixture
def killer(zygote: Zygote, verb: str, world: World, here: Path) -> Killer:
    return Killer(zygote, VERBS[verb], world, here)


def attack(
    killer: Killer, events: int, prepare: Callable[[], None], *more: str
) -> tuple[list[str], int]:
    """Kill at the chosen events; what went wrong, and how many kills there were."""
    wrong = []
    chosen = sample(range(1, events + 1), 1, killer.verb.name)
    for event in chosen:
        prepare()
        killed = killer.run(*more, kill=event)
        assert killed.code in (-9, 0), killed
        problems = killer.half(replacing=bool(more) or prepare == killer.stand)
        problems += killer.again(*more)
        wrong += [f"killed at {event} of {events}: {problem}" for problem in problems]
    return wrong, len(chosen)


@pytest.mark.parametrize("verb", USUAL)
def test_a_killed_command_is_finished_by_the_same_command(
    killer: Killer, record_property: Callable[[str, object], None]
) -> None:
    wrong, kills = attack(killer, killer.events, killer.empty)
    record_property("kills", kills)
    assert not wrong, first(wrong)


@pytest.mark.parametrize("verb", USUAL)
def test_killed_while_it_replaces_a_result_the_old_one_or_the_new_one_stands(
    killer: Killer, record_property: Callable[[str, object], None]
) -> None:
    wrong, kills = attack(killer, killer.over(), killer.stand, *killer.verb.overwrite)
    record_property("kills", kills)
    assert not wrong, first(wrong)
