"""Repeated folds: the first time as without, each other time otherwise, numbered on."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.division.growth import grow
from chaosprep.division.params import SplitParams
from chaosprep.division.ranking import assign
from chaosprep.division.repeats import Repeated, repeat, seed_of
from chaosprep.division.sides import Sides
from chaosprep.errors import UsageError
from chaosprep.params import make_params
from chaosprep.phantom import Patient, write_chaos

PEOPLE = [f"MR{number:03d}" for number in range(1, 21)]


def params(**fields: Any) -> SplitParams:
    return make_params(SplitParams, fields)


def made(
    people: list[str],
    known: Sides | None = None,
    told: Mapping[str, tuple[int, ...]] | None = None,
    **fields: Any,
) -> Repeated:
    def divide(known: Sides, wish: SplitParams) -> Sides:
        free = [one for one in people if one not in known]
        return grow(free, known, wish) if known else assign(free, wish)

    return repeat(divide, known or {}, told or {}, params(**fields), fields.get("folds"))


def test_the_first_time_is_as_without_repeats() -> None:
    for fold in (0, 3):
        found = made(PEOPLE, folds=5, repeats=3, fold=fold, seed=7, test=0.2)
        assert found.numbered() == assign(PEOPLE, params(folds=5, fold=fold, seed=7, test=0.2))


def test_each_time_everybody_has_one_fold_and_folds_are_alike_in_size() -> None:
    found = made(PEOPLE, folds=3, repeats=4)
    sizes = Counter(fold for own in found.folds.values() for fold in own)
    assert {*sizes} == {*range(12)}
    assert {*sizes.values()} == {6, 7}
    assert all([fold // 3 for fold in own] == [0, 1, 2, 3] for own in found.folds.values())


def test_each_time_is_drawn_otherwise() -> None:
    found = made(PEOPLE, folds=5, repeats=10)
    parts = {tuple(own[time] % 5 for own in found.folds.values()) for time in range(10)}
    assert len(parts) == 10
    assert len({seed_of(0, time) for time in range(1000)}) == 1000


def test_a_time_is_drawn_as_folds_with_its_seed_are() -> None:
    found = made(PEOPLE, folds=4, repeats=3, seed=5)
    for time in range(3):
        alone = assign(PEOPLE, params(folds=4, seed=seed_of(5, time)))
        assert {one: own[time] - 4 * time for one, own in found.folds.items()} == {
            one: fold for one, (_, fold) in alone.items()
        }


def test_the_test_set_is_the_same_each_time_and_has_no_fold() -> None:
    found = made(PEOPLE, folds=2, repeats=5, test=0.3)
    tested = {one for one, (side, _) in found.sides.items() if side == "test"}
    assert len(tested) == 6
    assert {one for one, own in found.folds.items() if not own} == tested
    assert all(len(own) == 5 for one, own in found.folds.items() if one not in tested)


@pytest.mark.parametrize("fold", range(6))
def test_who_has_the_chosen_fold_validates(fold: int) -> None:
    found = made(PEOPLE, folds=2, repeats=3, fold=fold)
    sides = found.numbered()
    assert {one for one, (side, _) in sides.items() if side == "val"} == {
        one for one, own in found.folds.items() if fold in own
    }
    assert all(sides[one][1] == own[fold // 2] for one, own in found.folds.items())


def test_beside_an_earlier_split_every_time_goes_on() -> None:
    before = made(PEOPLE, folds=5, repeats=3, fold=7, test=0.1)
    after = made([*PEOPLE[2:], "CT001", "CT002"], before.numbered(), before.folds, test=0.1)
    assert {one: after.folds[one] for one in PEOPLE[2:]} == {
        one: before.folds[one] for one in PEOPLE[2:]
    }
    assert {one: after.numbered()[one] for one in PEOPLE[2:]} == {
        one: before.numbered()[one] for one in PEOPLE[2:]
    }
    assert all(len(after.folds[one]) in (0, 3) for one in ("CT001", "CT002"))


def test_an_earlier_split_without_repeats_is_the_first_time() -> None:
    before = assign(PEOPLE, params(folds=5, test=0.1))
    after = made([*PEOPLE, "CT001"], before, folds=5, repeats=2, test=0.1)
    assert {one: own[:1] for one, own in after.folds.items() if one in before} == {
        one: () if fold is None else (fold,) for one, (_, fold) in before.items()
    }
    assert Counter(map(len, after.folds.values())) == {0: 2, 2: 19}


def test_more_repeats_may_be_asked_for_than_there_were() -> None:
    before = made(PEOPLE, folds=2, repeats=2)
    after = made(PEOPLE, before.numbered(), before.folds, folds=2, repeats=4)
    assert after.folds == made(PEOPLE, folds=2, repeats=4).folds


def test_other_folds_than_the_earlier_split_has_are_refused() -> None:
    before = made(PEOPLE, folds=5, repeats=2)
    with pytest.raises(UsageError, match="other folds") as caught:
        made(PEOPLE, before.numbered(), before.folds, folds=4, repeats=2)
    assert caught.value.code == "like-conflict"
    with pytest.raises(UsageError, match="0 to 9") as caught:
        made(PEOPLE, before.numbered(), before.folds, fold=10)
    assert caught.value.code == "fold-unknown"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"repeats": 2}, "repeats needs"),
        ({"folds": 3, "repeats": 2, "fold": 6}, "0 to 5"),
        ({"folds": 3, "repeats": 1}, "repeats"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        params(**fields)


# What is written


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    people = [Patient(id=n, sequences=("t1-in",), slices=1, matrix=16) for n in range(1, 9)]
    folder = tmp_path_factory.mktemp("root")
    write_chaos(folder, people)
    return folder


@pytest.fixture(scope="module")
def repeated(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    place = tmp_path_factory.mktemp("repeated") / "split"
    return chaosprep.split(root, place, folds=2, repeats=3, fold=3, test=0.25)


def folds_of(dataset: Dataset) -> dict[str, tuple[int, ...]]:
    return {row.patient: tuple(row.folds or ()) for row in dataset.slices}


def test_a_row_has_the_folds_of_all_times(repeated: Dataset) -> None:
    assert Counter(map(len, folds_of(repeated).values())) == {3: 6, 0: 2}
    for row in repeated.slices:
        assert (row.split == "val") == (3 in (row.folds or ()))
        assert row.fold == (row.folds[1] if row.folds else None)


def test_every_stage_carries_them_and_verify_finds_nothing(
    repeated: Dataset, tmp_path: Path
) -> None:
    liver = chaosprep.extract_liver(repeated.directory, tmp_path / "liver")
    images = chaosprep.convert(liver.directory, tmp_path / "images")
    assert folds_of(images) == folds_of(repeated)
    assert chaosprep.verify(images.directory).faults == ()


def test_without_repeats_no_row_has_the_column(root: Path, tmp_path: Path) -> None:
    chaosprep.split(root, tmp_path / "out", folds=2)
    assert b'"folds":' not in (tmp_path / "out/slices.jsonl").read_bytes()


def test_like_keeps_the_folds_of_all_times(root: Path, repeated: Dataset, tmp_path: Path) -> None:
    again = chaosprep.split(root, tmp_path / "like", like=str(repeated.directory), test=0.25)
    assert [row.folds for row in again.slices] == [row.folds for row in repeated.slices]
    assert [row.split for row in again.slices] == [row.split for row in repeated.slices]


def test_nnunet_gets_every_fold_of_every_time(repeated: Dataset, tmp_path: Path) -> None:
    liver = chaosprep.extract_liver(repeated.directory, tmp_path / "liver").directory
    chaosprep.export("nnunet", liver, tmp_path / "raw", id=7, name="Liver")
    splits = json.loads((tmp_path / "raw/Dataset007_Liver/splits_final.json").read_text())
    folds = folds_of(repeated)
    assert len(splits) == 6
    for fold, one in enumerate(splits):
        assert {name[:5] for name in one["val"]} == {p for p, own in folds.items() if fold in own}
        assert {name[:5] for name in one["train"]} == {
            p for p, own in folds.items() if own and fold not in own
        }


def test_a_parquet_file_has_them_as_numbers(repeated: Dataset, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    chaosprep.export("parquet", repeated.directory, tmp_path / "out")
    (file,) = (tmp_path / "out").rglob("*.parquet")
    table = parquet.read_table(file)
    assert str(table.schema.field("folds").type) == "list<element: int64>"
    assert table["folds"].to_pylist() == [list(row.folds or ()) for row in repeated.slices]


def test_croissant_says_that_they_are_whole_numbers(repeated: Dataset, tmp_path: Path) -> None:
    liver = chaosprep.extract_liver(repeated.directory, tmp_path / "liver").directory
    images = chaosprep.convert(liver, tmp_path / "images").directory
    chaosprep.export("croissant", images, tmp_path / "out")
    described = json.loads((tmp_path / "out/croissant.json").read_text())
    fields = {one["name"]: one for part in described["recordSet"] for one in part["field"]}
    assert (fields["folds"]["dataType"], fields["folds"]["repeated"]) == ("sc:Integer", True)


def test_monai_gets_the_folds_of_the_chosen_time_from_0(repeated: Dataset, tmp_path: Path) -> None:
    liver = chaosprep.extract_liver(repeated.directory, tmp_path / "liver").directory
    chaosprep.export("monai", liver, tmp_path / "monai")
    found = json.loads((tmp_path / "monai/dataset.json").read_text())["training"]
    folds = {item["image"].rpartition("/")[2][:5]: item["fold"] for item in found}
    assert folds == {one: own[1] - 2 for one, own in folds_of(repeated).items() if own}
