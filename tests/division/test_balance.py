"""Sides and folds that have the same of what is asked for."""

import itertools
import os
import random
from collections import Counter
from collections.abc import Mapping

import pytest

from chaosprep.division.balance import balance, dealt
from chaosprep.division.ranking import assign
from chaosprep.division.shares import balance_notes, shares
from chaosprep.division.sides import Side, Sides
from chaosprep.errors import UsageError
from chaosprep.layouts.root import Traits
from tests.division.tables import Kinds, by_part, params, tables, worst

TABLES = int(os.environ.get("CHAOSPREP_TABLES", "60"))


def traits(kinds: Kinds) -> Traits:
    patients = next(iter(kinds.values()))
    return {one: {wish: told[one] for wish, told in kinds.items()} for one in patients}


def of(**counts: int) -> Kinds:
    """One wish, of which so many patients have each kind."""
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    return {"site": {f"P{at:03}": kind for at, kind in enumerate(kinds)}}


def counted(sides: Mapping[str, Side], kinds: Kinds) -> dict[Side, Counter[str]]:
    told = kinds["site"]
    return {
        part: Counter(told[one] for one in sides if sides[one] == part)
        for part in {*sides.values()}
    }


def test_of_one_wish_each_part_is_less_than_one_patient_from_the_ideal() -> None:
    draw = random.Random(5)
    for table in tables(TABLES, 1, wishes=[1]):
        options: list[dict[str, float]] = [
            {"folds": table.folds},
            {"val": 0.3},
            {"val": 0.2, "test": 0.25},
        ]
        asked = draw.choice(options)
        base = assign(table.patients, params(**asked))
        sides = dealt(base, table.patients, table.kinds)
        assert Counter(sides.values()) == Counter(base.values())
        sizes = [len(part) / len(sides) for part in by_part(sides)]
        equal = [1 / len(sizes)] * len(sizes)
        assert worst(by_part(sides), table.kinds, equal if "folds" in asked else sizes) < 1


def test_of_one_wish_no_other_division_has_a_smaller_sum_of_squares() -> None:
    draw = random.Random(7)
    for _ in range(12):
        patients = [f"P{at}" for at in range(draw.randint(5, 8))]
        kinds = {"site": {one: draw.choice("aaabbc") for one in patients}}
        base = assign(patients, params(val=0.3, test=0.2))
        best = min(
            squares(dict(zip(patients, other, strict=True)), kinds)
            for other in {*itertools.permutations(base[one] for one in patients)}
        )
        assert squares(dealt(base, patients, kinds), kinds) == pytest.approx(best)


def squares(sides: Sides, kinds: Kinds) -> float:
    count, sizes = Counter(kinds["site"].values()), Counter(sides.values())
    there = counted(sides, kinds)
    return sum(
        (there[part][kind] - count[kind] * size / len(sides)) ** 2
        for part, size in sizes.items()
        for kind in count
    )


def test_of_several_wishes_no_exchange_of_two_patients_makes_it_better() -> None:
    for table in tables(8, 3, wishes=[2, 3]):
        patients = table.patients[:40]
        folds = min(table.folds, 4)
        kinds = {wish: {one: told[one] for one in patients} for wish, told in table.kinds.items()}
        sides = dealt(assign(patients, params(folds=folds)), patients, kinds)
        cost = costs(sides, kinds, folds)
        for one, other in itertools.combinations(patients, 2):
            swapped = sides | {one: sides[other], other: sides[one]}
            assert costs(swapped, kinds, folds) >= cost - 1e-9


def costs(sides: Sides, kinds: Kinds, folds: int) -> float:
    """Patients beyond the bound count as many as all deviations within it do, then the squares."""
    cost = 0.0
    weight = 4 * folds * sum(len({*told.values()}) for told in kinds.values())
    for told in kinds.values():
        for kind, count in Counter(told.values()).items():
            for fold in range(folds):
                there = sum(told[one] == kind for one in sides if sides[one][1] == fold)
                low, high = count // folds, -(-count // folds)
                cost += (there - count / folds) ** 2 + weight * max(0, low - there, there - high)
    return cost


def test_no_fold_is_empty_where_there_are_as_many_as_patients() -> None:
    kinds = of(a=2, b=2, c=1)
    patients = [*kinds["site"]]
    sides = dealt(assign(patients, params(folds=5)), patients, kinds)
    assert sorted(fold for _, fold in sides.values() if fold is not None) == [0, 1, 2, 3, 4]


def test_the_order_of_patients_changes_nothing() -> None:
    for table in tables(6, 4):
        wish, given = params(folds=2), traits(table.kinds)
        one = tried(table.patients, given, wish.seed)
        other = {patient: given[patient] for patient in reversed(list(given))}
        assert tried(table.patients[::-1], other, wish.seed) == one


def tried(patients: list[str], given: Traits, seed: int) -> Sides | str:
    try:
        return balance(patients, {}, given, params(folds=2, seed=seed))
    except UsageError as error:
        return error.code


def test_another_seed_divides_otherwise_and_as_well() -> None:
    kinds = of(a=10, b=10)
    found = [balance([*kinds["site"]], {}, traits(kinds), params(seed=seed)) for seed in range(3)]
    assert len({tuple(sorted(sides.items())) for sides in found}) == 3
    assert all(counted(sides, kinds)["val", None] == {"a": 2, "b": 2} for sides in found)


def test_who_is_known_stays_and_the_others_make_up_for_it() -> None:
    kinds = of(a=10, b=10)
    known: Sides = {"P000": ("val", None), "P001": ("val", None), "P002": ("val", None)}
    free = [one for one in kinds["site"] if one not in known]
    sides = balance(free, known, traits(kinds), params(val=0.3))
    assert known.items() <= sides.items()
    assert counted(sides, kinds)["val", None] == {"a": 3, "b": 3}


def test_who_is_named_stays() -> None:
    kinds = of(a=6, b=6)
    wish = params(val_patient=["P000", "P001"], test=0.25)
    sides = balance([*kinds["site"]], {}, traits(kinds), wish)
    assert {one for one in sides if sides[one] == ("val", None)} == {"P000", "P001"}
    assert counted(sides, kinds)["test", None] in ({"a": 1, "b": 2}, {"a": 2, "b": 1})


@pytest.mark.parametrize(
    ("count", "asked", "said_so"),
    [
        (2, {"folds": 5}, "2 patients with it cannot be in each of 5 folds; at best 2 of these"),
        (1, {}, "1 patient with it cannot be in each of 2 sides; at best 1 of these has one"),
        (2, {"test": 0.2}, "2 patients with it cannot be in each of 3 sides"),
        (3, {"folds": 3, "test": 0.2}, "in each of 3 folds and a test side"),
    ],
)
def test_a_label_that_too_few_patients_have_is_refused(
    count: int, asked: dict[str, float], said_so: str
) -> None:
    given: Traits = {f"P{at}": {"label:tumour": "yes" if at < count else "no"} for at in range(20)}
    with pytest.raises(UsageError, match="stratify label:tumour") as error:
        balance([*given], {}, given, params(**asked))
    assert error.value.code == "stratify-few"
    assert said_so in error.value.reason


def test_the_remedy_names_the_most_folds_that_go() -> None:
    given: Traits = {f"P{at}": {"label:tumour": "yes" if at < 3 else "no"} for at in range(20)}
    with pytest.raises(UsageError) as error:
        balance([*given], {}, given, params(folds=5))
    assert error.value.remedy.startswith("Use --folds 3")
    sides = balance([*given], {}, given, params(folds=3))
    assert {sides[one][1] for one in ("P0", "P1", "P2")} == {0, 1, 2}


def test_a_structure_that_few_patients_lack_is_no_error() -> None:
    given: Traits = {f"P{at}": {"label:liver": "yes" if at else "no"} for at in range(20)}
    assert len(balance([*given], {}, given, params(folds=5))) == 20


def test_kinds_of_which_only_one_can_be_everywhere_are_refused() -> None:
    kinds = of(a=18, b=1, c=1)
    with pytest.raises(UsageError) as error:
        balance([*kinds["site"]], {}, traits(kinds), params())
    assert error.value.code == "stratify-few"


def test_a_rare_kind_among_others_is_said() -> None:
    kinds = of(a=10, b=9, c=1)
    sides = balance([*kinds["site"]], {}, traits(kinds), params())
    notes = balance_notes(shares(sides, traits(kinds)), sides, traits(kinds))
    assert "--stratify site: too rare to be in each of 2 parts: c (1)" in notes


def test_who_is_unknown_is_a_kind_that_is_said_and_never_too_rare() -> None:
    given = {**traits(of(a=10, b=9)), "P100": {"site": None}}
    sides = balance([*given], {}, given, params())
    notes = balance_notes(shares(sides, given), sides, given)
    assert notes[0].startswith("--stratify site: it is not known for 1 of 20 patients")
    assert len(notes) == 2


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (1, "balanced: each part has its share of every kind"),
        (2, "balanced: each part is within 0.5 patients of its share of every kind; furthest is "),
    ],
)
def test_it_is_said_how_near_the_parts_come(first: int, said: str) -> None:
    """Of each kind one validates, or two of the first."""
    kinds = of(a=5, b=5)
    val = {*[*kinds["site"]][:first], "P005"}
    sides: Sides = {one: ("val" if one in val else "train", None) for one in kinds["site"]}
    (note,) = balance_notes(shares(sides, traits(kinds)), sides, traits(kinds))
    assert note.startswith(said)


def test_what_cannot_be_balanced_is_not_said_to_be() -> None:
    sides: Sides = {f"P{at:03}": ("val" if at == 1 else "train", None) for at in range(5)}
    given: Traits = {one: {"age": 30.0 + at} for at, one in enumerate(sides)}
    assert balance_notes(shares(sides, given), sides, given) == (
        "--stratify age: too few patients for bins of it: it is not balanced",
    )


def test_shares_are_counts_beside_ideals() -> None:
    kinds = of(a=10, b=5)
    sides = balance([*kinds["site"]], {}, traits(kinds), params(val=0.2))
    found = {
        (one.kind, one.part): (one.patients, one.ideal) for one in shares(sides, traits(kinds))
    }
    assert found == {
        ("site=a", "train"): (8, 8.0),
        ("site=a", "val"): (2, 2.0),
        ("site=b", "train"): (4, 4.0),
        ("site=b", "val"): (1, 1.0),
    }


def test_what_all_have_alike_is_said_and_nothing_is_called_balanced() -> None:
    given: Traits = {f"P{at}": {"field": "3", "volume": float(at)} for at in range(5)}
    sides: Sides = {one: ("val" if one == "P0" else "train", None) for one in given}
    assert balance_notes(shares(sides, given), sides, given) == (
        "--stratify field: all patients have the same: 3",
        "--stratify volume: too few patients for bins of it: it is not balanced",
    )
