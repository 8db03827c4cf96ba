"""Links and other strange things where a command keeps its own: nobody's file is touched."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from tests.attacks.attacker import SLOW, Zygote, differing, first, sample, tree, usual
from tests.attacks.planting import KINDS, TEXT, Outputs, Theirs, plant, remove
from tests.attacks.verbs import VERBS, World

SOON = 30  # seconds; nothing here takes as long but to wait for a FIFO
ID = "0123456789abcdef" * 2
WORKSPACE = ("", "/lock", "/journal.jsonl", "/settings.json", f"/run-{ID}", f"/{ID}")
STAGE = (
    *(f"out/.chaosprep{name}" for name in WORKSPACE),
    *(f"out/{name}{end}" for name in ("slices.jsonl", "datapackage.json") for end in ("", ".part")),
    "out",
    "out/train",
    "out/train/images",
    "out/train/images/MR001_t1-in_s000.png",
    "out/train/masks/MR001_t1-in_s000.png",
)
RUN = (
    *(f"out/.chaosprep{name}" for name in WORKSPACE[:2]),
    *(
        f"out/{name}{end}"
        for name in ("best.pt", "last.pt", "curves.csv", "curves.png", "run.json")
        for end in ("", ".part")
    ),
)
EXPORT = ("out", ".out.part", ".out.old", *(f".out.chaosprep{name}" for name in WORKSPACE))
PLACES = {
    **dict.fromkeys(("split", "convert", "augment", "merge"), STAGE),
    "train": RUN,
    **dict.fromkeys(("export-nifti", "export-parquet", "assemble"), EXPORT),
    **{
        verb: tuple(
            name
            for file in VERBS[verb].outputs.values()
            for name in (
                file,
                f"{file}.part",
                f".{file}.part",
                f".{file}.old",
                *(f".{file}.chaosprep{name}" for name in WORKSPACE),
            )
        )
        for verb in ("report", "preview", "augment-preview", "evaluate")
    },
}
USUAL = usual(PLACES, SLOW)


@pytest.fixture
def outputs(zygote: Zygote, verb: str, world: World, tmp_path: Path) -> Outputs:
    kept = tmp_path / "kept"
    kept.mkdir()
    return Outputs(zygote, VERBS[verb], world, kept)


def attack(outputs: Outputs, here: Path, state: str, place: str, kind: str) -> list[str]:
    """Plant one thing and run the command; what went wrong."""
    theirs = Theirs.made(here.parent / "theirs")
    outputs.put(here, state)
    plant(here / place, kind, theirs)
    before = theirs.seen()
    more = outputs.verb.overwrite if state == "finished" else []
    ended = outputs.zygote.run([*outputs.verb.command(outputs.world, here), *more], SOON)
    wrong = ended.faults([0, 1, 2])
    after = theirs.seen()
    is_output = place in outputs.verb.outputs.values()  # a link there was given by the user
    for name in before.keys() | after.keys():
        if after.get(name) != before.get(name) and not (is_output and name not in before):
            wrong.append(f"their {name} was touched")
    is_run = place.endswith(ID)  # a folder of this name in a workspace is a run's
    if kind == "folder" and not is_run and not holds(here / place / "mine.txt"):
        wrong.append("their file in the folder is gone")
    if ended.code == 0 and not is_output:
        other = differing(tree(here), outputs.new(here.parent / "other" / "here"))
        kept = {f"+{name}" for name in (place, *map(str, Path(place).parents))}
        wrong += [f"exit 0: {one}" for one in other if not {one, one.rpartition("/")[0]} & kept][:3]
    elif ended.code in (1, 2) and not ended.err.strip():
        wrong.append("nothing said")
    return [f"{outputs.verb.name}, {state}, {kind} at {place}: {one}" for one in wrong]


def holds(path: Path) -> bool:
    return path.is_file() and path.read_bytes() == TEXT


@pytest.mark.parametrize("verb", USUAL)
def test_what_is_not_ours_is_never_written_through_or_waited_for(
    outputs: Outputs, here: Path, record_property: Callable[[str, object], None]
) -> None:
    cases = product(("empty", "begun", "finished"), PLACES[outputs.verb.name], KINDS)
    chosen = sample(cases, 4, outputs.verb.name)
    wrong = []
    for state, place, kind in chosen:
        wrong += attack(outputs, here, state, place, kind)
    remove(here)
    record_property("planted", len(chosen))
    assert not wrong, first(wrong, 40)
