"""Killed in a worker process, or killed again and again: the same command still finishes."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attacks.attacker import ATTACKS, Zygote, differing, first, sample, tree
from tests.attacks.verbs import VERBS, World

Record = Callable[[str, object], None]
ROOT = Path(__file__).parents[2]
SITE = "from tests.attacks.shim import install_in_worker\n\ninstall_in_worker()\n"
CHAINED = ("split", "convert", "augment", "merge", "prepare")
SPREAD = ("split", "convert", "export-nifti", "assemble") if ATTACKS > 1 else ("split",)
MOST = 40  # events of one worker


@pytest.mark.parametrize("verb", CHAINED)
def test_killed_again_and_again_it_goes_on(
    zygote: Zygote, verb: str, world: World, here: Path, record_property: Record
) -> None:
    words = VERBS[verb].command(world, here)
    whole = zygote.run(words)
    new, wrong, kills = tree(here), list[str](), 0
    for seed in range(1 if ATTACKS == 1 else 10):
        shutil.rmtree(here)
        here.mkdir()
        chance = random.Random(f"{verb} {seed}")
        for _ in range(3):
            kills += zygote.run(words, kill=chance.randint(1, whole.events)).code == -9
        wrong += zygote.run(words).faults([0])
        wrong += [f"seed {seed}: {name}" for name in differing(tree(here), new)][:3]
    record_property("kills", kills)
    assert not wrong, first(wrong)


@pytest.mark.parametrize("verb", SPREAD)
def test_killed_with_its_workers_it_is_finished_by_the_same_command(
    zygote: Zygote, verb: str, world: World, here: Path, tmp_path: Path, record_property: Record
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SITE)
    words = VERBS[verb].command(world, here)
    zygote.run(words)
    new, wrong, kills = tree(here), list[str](), 0
    chosen = sample(range(1, MOST), 1, verb)
    for event in chosen:
        shutil.rmtree(here)
        here.mkdir()
        env = {
            "PYTHONPATH": f"{tmp_path}:{ROOT}",
            "ATTACK_WORKERS": str(event),
            "TMPDIR": str(tmp_path),
        }
        ended = zygote.run(VERBS[verb].command(world, here, jobs=2), env=tuple(env.items()))
        kills += ended.code == -9
        again = zygote.run(words)
        whole = again.code == 1 and ended.code == 0  # an export that is there already
        wrong += [] if whole else again.faults([0])
        wrong += [f"event {event}: {name}" for name in differing(tree(here), new)][:3]
    record_property("kills", kills)
    assert not wrong, first(wrong)
