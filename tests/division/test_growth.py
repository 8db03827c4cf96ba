"""Who is known stays; new patients bring the parts as near to what is asked as they can."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations_with_replacement
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.division.growth import grow, grown
from chaosprep.division.params import SplitParams
from chaosprep.division.ranking import assign
from chaosprep.division.sides import Side, Sides
from chaosprep.errors import UsageError
from chaosprep.params import make_params

Part = str | int
HISTORIES = 1000
MOST = 300
SMALL = 6  # new patients: all their placings are tried
LETTERS = "abcxyzABC0123456789._-"


def params(**fields: Any) -> SplitParams:
    return make_params(SplitParams, fields)


def step(people: Iterable[str], known: Sides, wish: SplitParams) -> Sides:
    """One command: with `--like` where there is an earlier split of somebody who is here."""
    people = set(people)
    known = {patient: side for patient, side in known.items() if patient in people}
    if known:
        return grow(people - known.keys(), known, wish)
    return assign(people, wish)


def sizes(sides: Mapping[str, Side]) -> Counter[Part]:
    return Counter(side if fold is None else fold for side, fold in sides.values())


def ideals(count: int, wish: SplitParams) -> dict[Part, float]:
    """What is asked of so many patients, where they come at once."""
    if wish.folds is not None:
        each = count * (1 - wish.test) / wish.folds
        return {"test": count * wish.test, **dict.fromkeys(range(wish.folds), each)}
    val, test = count * wish.val, count * wish.test
    return {"val": val, "test": test, "train": count - val - test}


def worst(sizes: Mapping[Part, float], ideal: Mapping[Part, float]) -> float:
    return max(abs(sizes.get(part, 0) - size) for part, size in ideal.items())


def best_by_trying(fixed: Counter[Part], ideal: Mapping[Part, float], new: int) -> float:
    """The smallest worst distance of all ways to place the new ones."""
    placings = combinations_with_replacement(ideal, new)
    return min(worst(fixed + Counter(one), ideal) for one in placings)


def bound(fixed: Counter[Part], ideal: Mapping[Part, float], new: int) -> float:
    """What no placing falls below, by halving: of parts of patients too (the linear program)."""
    surplus = max(0.0, *(fixed[part] - size for part, size in ideal.items()))
    low, high = 0.0, float(max(ideal.values()) + new + 1)
    for _ in range(60):
        deep = (low + high) / 2
        needed = sum(max(0.0, size - deep - fixed[part]) for part, size in ideal.items())
        low, high = (deep, high) if needed > new else (low, deep)
    return max(surplus, low)


def a_name(draw: random.Random) -> str:
    if draw.random() < 0.5:
        return f"MR{draw.randrange(2000):03d}"
    return "P" + "".join(draw.choices(LETTERS, k=draw.randrange(1, 12)))


def a_wish(draw: random.Random) -> SplitParams:
    seed, test = draw.randrange(4), draw.choice((0, 0, 0.1, 0.2, draw.uniform(0.05, 0.3)))
    if draw.random() < 0.4:
        folds = draw.randrange(2, 11)
        return params(seed=seed, test=test, folds=folds, fold=draw.choice((None, folds - 1)))
    return params(seed=seed, test=test, val=draw.choice((0.1, 0.2, 1 / 3, draw.uniform(0.05, 0.6))))


def a_first(draw: random.Random, wish: SplitParams) -> tuple[set[str], Sides]:
    """As few patients as the wish can be met with, or more."""
    people = {a_name(draw) for _ in range(draw.choice((1, 1, 20, 100)))}
    while True:
        try:
            return people, assign(people, wish)
        except UsageError:
            people.add(a_name(draw))


def history(seed: int) -> tuple[int, float]:
    """Patients come and go; how many there were in the end, and the worst distance of a step."""
    draw = random.Random(seed)
    wish = a_wish(draw)
    people, sides = a_first(draw, wish)
    excess = 0.0
    for _ in range(draw.randrange(1, 10)):
        leave = draw.randrange(len(people)) if draw.random() < 0.3 else 0
        people -= set(draw.sample(sorted(people), leave))
        come = min(MOST - len(people), draw.choice((1, 1, 2, 3, 5, draw.randrange(200))))
        if all(sides[one][0] == "test" for one in people):
            come = max(come, wish.folds or 0)
        people |= {a_name(draw) for _ in range(come)}
        known = {patient: side for patient, side in sides.items() if patient in people}
        shuffled = draw.sample(sorted(people), len(people))
        sides, before = step(shuffled, sides, wish), sides
        assert sides == step(reversed(shuffled), before, wish)
        assert sides.keys() == people
        assert {patient: sides[patient] for patient in known} == known
        ideal, fixed, new = ideals(len(people), wish), sizes(known), len(people) - len(known)
        best = best_by_trying if new <= SMALL and len(ideal) <= 4 else bound
        if known:
            excess = max(excess, worst(sizes(sides), ideal) - best(fixed, ideal, new))
    return len(people), excess


def test_in_a_thousand_histories_nobody_moves_and_the_parts_are_within_one_patient() -> None:
    ends = [history(seed) for seed in range(HISTORIES)]
    assert max(excess for _, excess in ends) < 1
    assert min(count for count, _ in ends) < 5
    assert max(count for count, _ in ends) > 290


def test_a_placing_is_as_good_as_the_best_of_all_that_there_are() -> None:
    """Nobody known is over the ideal of a part that asks for more than one: no patient is spare."""
    draw = random.Random(0)
    for _ in range(300):
        wish = params(val=draw.uniform(0.1, 0.4), test=draw.choice((0, draw.uniform(0.1, 0.4))))
        parts: list[Any] = draw.choices(("train", "val", "test"), (3, 2, wish.test > 0), k=30)
        known: Sides = {f"MR{n:03d}": (side, None) for n, side in enumerate(["train", *parts])}
        new = draw.randrange(1, SMALL + 1)
        sides = grow([f"CT{n:03d}" for n in range(new)], known, wish)
        ideal = ideals(len(sides), wish)
        best = best_by_trying(sizes(known), ideal, new)
        assert worst(sizes(sides), ideal) == pytest.approx(best, abs=1e-9)


OLD: Sides = {f"MR{n:03d}": ("val" if n < 2 else "train", None) for n in range(10)}
FOLDED: Sides = {f"MR{n:03d}": ("val" if n % 5 == 2 else "train", n % 5) for n in range(10)}


def test_new_patients_go_where_they_are_wanted() -> None:
    sides = grow(["CT1", "CT2", "CT3", "CT4", "CT5"], OLD, params(test=0.2))
    assert sizes(sides) == {"train": 9, "val": 3, "test": 3}
    sides = grow(["CT1", "CT2", "CT3"], FOLDED | {"MR010": ("train", 0)}, params())
    assert sizes(sides) == {0: 3, 1: 3, 2: 3, 3: 3, 4: 2}


@given(st.permutations(["CT1", "CT2", "CT3", "CT4", "CT5", "CT6"]), st.permutations(list(OLD)))
def test_the_order_of_new_and_of_known_patients_does_not_matter(
    new: list[str], known: list[str]
) -> None:
    wish = params(test=0.2, seed=3)
    assert grow(new, {one: OLD[one] for one in known}, wish) == grow(sorted(new), OLD, wish)


def test_the_seed_chooses_among_new_patients() -> None:
    new = [f"CT{n}" for n in range(10)]
    made = [grow(new, OLD, params(seed=seed)) for seed in range(8)]
    assert {tuple(sorted(sizes(sides).items())) for sides in made} == {(("train", 16), ("val", 4))}
    assert len({tuple(sorted(sides.items())) for sides in made}) > 4


def test_a_part_of_nobody_gets_a_new_patient_first() -> None:
    only_val: Sides = {"MR001": ("val", None)}
    assert grow(["MR002"], only_val, params(val=0.9))["MR002"] == ("train", None)
    only_fold: Sides = {"MR001": ("val", 1)}
    assert grow(["MR002"], only_fold, params(folds=2))["MR002"] == ("train", 0)
    assert sizes(
        grow(["MR003"], {"MR001": ("train", None), "MR002": ("train", None)}, params())
    ) == {
        "train": 2,
        "val": 1,
    }


def test_where_nobody_is_new_nothing_is_asked() -> None:
    everybody: Sides = {"MR001": ("val", None), "MR002": ("test", None)}
    assert grow([], everybody, params()) == everybody


def test_folds_go_on_and_the_same_one_validates() -> None:
    sides = grow(["CT1", "CT2", "CT3", "CT4", "CT5"], FOLDED, params())
    assert sizes(sides) == dict.fromkeys(range(5), 3)
    assert all((side == "val") == (fold == 2) for side, fold in sides.values())


def test_another_fold_may_be_chosen_for_validation() -> None:
    sides = grow(["CT1"], FOLDED, params(fold=4))
    assert {patient: sides[patient][1] for patient in FOLDED} == {
        patient: fold for patient, (_, fold) in FOLDED.items()
    }
    assert all((side == "val") == (fold == 4) for side, fold in sides.values())


def test_a_fold_whose_patients_are_gone_is_filled_and_validates_still() -> None:
    left = {patient: side for patient, side in FOLDED.items() if side[1] != 2}
    sides = grow(["CT1", "CT2"], left, params(folds=5))
    assert (sides["CT1"], sides["CT2"]) == (("val", 2), ("val", 2))


def test_folds_are_made_beside_a_test_set() -> None:
    known: Sides = {"MR001": ("test", None), "MR002": ("test", None)}
    sides = grow([f"CT{n}" for n in range(6)], known, params(folds=3, test_patient=["MR002"]))
    assert sizes(sides) == {"test": 2, 0: 2, 1: 2, 2: 2}


def test_named_patients_are_alone_in_their_side() -> None:
    sides = grow(
        ["CT1", "CT2", "CT3"], OLD, params(val_patient=["CT1", "MR001"], test_patient=["CT2"])
    )
    assert (sides["CT1"][0], sides["CT2"][0], sides["CT3"][0]) == ("val", "test", "train")


@pytest.mark.parametrize(
    ("known", "fields", "code", "says"),
    [
        (OLD, {"val_patient": ["MR009"]}, "like-conflict", ["val_patient", "MR009"]),
        (OLD, {"test_patient": ["MR000"]}, "like-conflict", ["test_patient", "MR000"]),
        (OLD, {"folds": 5}, "like-conflict", ["folds", "no folds"]),
        (FOLDED, {"folds": 4}, "like-conflict", ["folds=4", "5 folds"]),
        (FOLDED, {"val": 0.3}, "like-conflict", ["val", "folds"]),
        (FOLDED, {"val_patient": ["CT1"]}, "like-conflict", ["val_patient", "folds"]),
        (FOLDED, {"fold": 5}, "fold-unknown", ["0 to 4"]),
        (OLD, {"fold": 1}, "fold-unknown", ["no folds"]),
        (OLD, {"val_patient": ["MR099"]}, "split", ["MR099"]),
        ({"MR001": ("test", None)}, {"folds": 2}, "split", ["2 folds", "there are 1"]),
        ({"MR001": ("val", None)}, {"val_patient": ["CT1"]}, "split", ["none of the 2 patients"]),
    ],
)
def test_what_contradicts_the_earlier_split_is_refused(
    known: Sides, fields: dict[str, Any], code: str, says: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        grow(["CT1"], known, params(**fields))
    assert caught.value.code == code
    for words in says:
        assert words in str(caught.value)


def test_where_new_patients_went_is_said_and_what_is_not_as_asked() -> None:
    wish = params(val=0.5)
    assert grown(OLD, grow(["CT1", "CT2"], OLD, wish), wish) == (
        "2 new patients: 2 val",
        "of 12 patients, train has 8 (asked: 6), val has 4 (asked: 6): those of the earlier split "
        "do not move",
    )
    assert grown(OLD, grow([], OLD, params()), params()) == ()
