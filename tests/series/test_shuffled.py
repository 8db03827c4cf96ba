"""Files of two people, moved, copied, renamed and dropped: the right cases, or a refusal."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ChaosprepError
from tests.series.scans import slices

PEOPLE, SEQUENCES, COUNT = (1, 2), ("t1-in", "t1-out", "t2-spir"), 3
WHERE = "scans/{patient}/{sequence}/{slice}.dcm"


class Truth(NamedTuple):
    """What a file really is."""

    person: int
    sequence: str
    number: int


EVERY = [Truth(p, s, n) for p in PEOPLE for s in SEQUENCES for n in range(COUNT)]
FOLDERS = [(f"p{p}", s) for p in PEOPLE for s in SEQUENCES]
Place = tuple[str, str, str]
Tree = dict[Place, Truth]
"""Folder of the patient, of the sequence, and a name -> what lies there."""

moves = st.tuples(
    st.sampled_from(["move", "copy", "drop", "rename", "swap"]),
    st.integers(0, 99),
    st.integers(0, 99),
    st.sampled_from(FOLDERS),
)


def sound() -> Tree:
    """Everything where it belongs."""
    return {(f"p{t.person}", t.sequence, f"i{t.number}"): t for t in EVERY}


def moved(tree: Tree, kind: str, one: int, other: int, folder: tuple[str, str]) -> None:
    """Do one of the things that happen to files."""
    places = sorted(tree)
    if not places:
        return
    place, second = places[one % len(places)], places[other % len(places)]
    new = (*folder, f"n{one}-{other}")
    match kind:
        case "move":
            tree[new] = tree.pop(place)
        case "copy":
            tree[new] = tree[place]
        case "drop":
            del tree[place]
        case "rename":
            tree[*place[:2], f"r{other}"] = tree.pop(place)
        case "swap":
            tree[place], tree[second] = tree[second], tree[place]


def lay(tree: Tree, root: Path) -> None:
    for (patient, sequence, name), truth in tree.items():
        file = root / "scans" / patient / sequence / f"{name}.dcm"
        file.parent.mkdir(parents=True, exist_ok=True)
        made = slices(truth.person, truth.sequence, COUNT)[truth.number]
        made.save_as(file, enforce_file_format=True)


def check(made: Dataset, tree: Tree) -> None:
    """Hold what was made against who is who."""
    patients: dict[int, set[str]] = {}
    for case in made.cases:
        truths = []
        for row in case.slices:
            _, patient, sequence, name = row.source.split("/")
            truths.append(tree[patient, sequence, name.removesuffix(".dcm")])
            patients.setdefault(truths[-1].person, set()).add(row.patient)
        assert len({(truth.person, truth.sequence) for truth in truths}) == 1
        numbers = [truth.number for truth in truths]
        assert numbers == sorted(set(numbers))
    assert all(len(ids) == 1 for ids in patients.values())


def split(tree: Tree, on_error: Literal["stop", "skip"] = "stop") -> Dataset | None:
    """What split makes of a tree, None where it refuses; what it makes is right."""
    with TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        lay(tree, root)
        try:
            made = chaosprep.split(
                root, Path(folder) / "out", images=WHERE, val=0, on_error=on_error
            )
        except ChaosprepError:
            return None
        check(made, tree)
        return made


def test_what_is_sound_is_taken() -> None:
    made = split(sound())
    assert made is not None
    assert len(made.cases) == len(FOLDERS)


@settings(max_examples=40)
@given(st.lists(moves, min_size=1, max_size=6), st.sampled_from(["stop", "skip"]))
def test_a_case_never_mixes_people_or_series(
    done: list[tuple[str, int, int, tuple[str, str]]], on_error: Literal["stop", "skip"]
) -> None:
    tree = sound()
    for one in done:
        moved(tree, *one)
    split(tree, on_error)


places = st.tuples(
    st.sampled_from(["p1", "p2"]),
    st.sampled_from(SEQUENCES[:2]),
    st.text("ab1", min_size=1, max_size=2),
)
trees = st.dictionaries(places, st.sampled_from(EVERY), min_size=1, max_size=8)


@settings(max_examples=80)
@given(trees, st.sampled_from(["stop", "skip"]))
def test_files_thrown_together_make_no_wrong_case(
    tree: Tree, on_error: Literal["stop", "skip"]
) -> None:
    split(tree, on_error)
