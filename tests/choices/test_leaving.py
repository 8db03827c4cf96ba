"""What stages leave out of a stage directory: by name, by area, by emptiness, by condition."""

import json
import shutil
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chaosprep
from chaosprep import Dataset, Slice
from chaosprep.choices.leaving import chosen
from chaosprep.choices.params import ChoiceParams
from chaosprep.dataset.descriptor import LeftOut
from chaosprep.dataset.opening import open_dataset
from chaosprep.errors import ChaosprepError, NothingFoundError, UsageError
from chaosprep.params import make_params
from chaosprep.phantom import Patient, write_chaos
from chaosprep.quality.verify import verify


def left(dataset: Dataset, **fields: Any) -> Dataset:
    return chosen(dataset, make_params(ChoiceParams, fields))


def ids(dataset: Dataset) -> list[str]:
    return [row.id for row in dataset.slices]


def error_of(dataset: Dataset, **fields: Any) -> ChaosprepError:
    with pytest.raises(ChaosprepError) as caught:
        left(dataset, **fields)
    return caught.value


def counted(*found: tuple[str, str, tuple[str, ...], int]) -> tuple[LeftOut, ...]:
    return tuple(
        LeftOut(option=option, reason=reason, cases=cases, slices=slices)
        for option, reason, cases, slices in found
    )


@pytest.fixture(scope="module")
def tall(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three patients of 16 slices with masks of the liver, most of them empty."""
    place = tmp_path_factory.mktemp("tall")
    patients = [Patient(id=id, slices=16, matrix=32, sequences=("t1-in",)) for id in (1, 2, 3)]
    pairs = chaosprep.split(write_chaos(place / "root", patients), place / "pairs", val=0.34)
    return chaosprep.extract_liver(pairs, place / "livers")


ATOMS = st.sampled_from(
    [
        "slice < 3",
        "slice % 2 == 0",
        "pixels['liver'] > 20",
        "pixels['liver'] == 0",
        "patient in ('MR001', 'MR003')",
        "split != 'train'",
        "sequence == 't1-in'",
        "rows * cols >= 1024",
        "spacing[1] <= 13",
        "len(warnings) == 0",
    ]
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda one: st.builds(
        lambda a, op, b: f"({a}) {op} (not {b})", one, st.sampled_from(["and", "or"]), one
    ),
    max_leaves=3,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(texts=st.lists(CONDITIONS, min_size=1, max_size=2))
def test_the_table_that_is_left_is_what_python_would_keep(tall: Dataset, texts: list[str]) -> None:
    lines = (tall.directory / "slices.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    kept = [row["id"] for row in rows if all(eval(text, {}, row) for text in texts)]  # noqa: S307
    if not kept:
        assert error_of(tall, where=texts).code == "empty"
        return
    found = left(tall, where=texts)
    assert ids(found) == kept
    assert sum(one.slices for one in found.left_out) == len(rows) - len(kept)
    gone = {row["case"] for row in rows} - {row["case"] for row in rows if row["id"] in kept}
    assert {case for one in found.left_out for case in one.cases} == gone
    assert {*found.case_ids} == {row["case"] for row in rows} - gone


def test_each_condition_is_counted_by_itself(tall: Dataset) -> None:
    found = left(tall, where=["slice < 10", "patient != 'MR002'"])
    assert found.left_out == counted(
        ("where", "slice < 10", (), 18), ("where", "patient != 'MR002'", ("MR002_t1-in",), 10)
    )
    assert "nothing is left of 1 patient (MR002)" in found.told


def test_rows_that_lack_a_value_are_counted_apart(tall: Dataset) -> None:
    found = left(tall, where="fold == 0 or slice > 3")
    assert found.left_out == counted(
        ("where", "fold == 0 or slice > 3: a value is missing", (), 12)
    )


def test_a_side_that_loses_everything_is_named(tall: Dataset) -> None:
    assert "nothing is left of val" in left(tall, where="split == 'train'").told


def test_a_least_area_takes_the_slices_that_show_less(tall: Dataset) -> None:
    large = [row.id for row in tall.slices if row.pixels["liver"] >= 30]
    assert 0 < len(large) < len(ids(tall))
    assert ids(left(tall, min_area="30")) == large
    assert ids(left(tall, min_area="Liver=30")) == large
    (gone,) = left(tall, min_area="liver=30").left_out
    assert (gone.option, gone.reason, gone.slices) == ("min-area", "liver=30", 48 - len(large))


def test_a_least_area_in_mm2_takes_the_size_of_pixels_into_account(tall: Dataset) -> None:
    def area(row: Slice) -> Fraction:
        assert row.spacing is not None
        return row.pixels["liver"] * Fraction(row.spacing[1]) * Fraction(row.spacing[2])

    least = sorted(area(row) for row in tall.slices)[-5]
    found = left(tall, min_area=f"liver={float(least)}mm2")
    assert ids(found) == [row.id for row in tall.slices if area(row) >= least]


def test_a_structure_that_there_is_not_is_refused(tall: Dataset) -> None:
    error = error_of(tall, min_area="livre=30")
    assert error.code == "organ-unknown"
    assert "liver" in error.remedy


@pytest.mark.parametrize("text", ["", "liver", "liver=", "=5", "-3", "5cm", "1e3"])
def test_an_area_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_params(ChoiceParams, {"min_area": text})
    assert caught.value.code == "parameter"


@pytest.mark.parametrize("most", [0, 0.1, 0.3, 0.5, 0.9, 1])
def test_at_most_a_part_of_a_case_is_empty_and_no_more_goes_than_must(
    tall: Dataset, most: float
) -> None:
    found = left(tall, max_empty=most)
    for case in tall.cases:
        full = [row.slice for row in case.slices if row.pixels["liver"]]
        empty = [row.slice for row in case.slices if not row.pixels["liver"]]
        rows = found.case(case.id).slices
        kept = [row.slice for row in rows if not row.pixels["liver"]]
        assert [row.slice for row in rows if row.pixels["liver"]] == full
        part = Fraction(str(most))
        assert len(kept) <= part * len(rows)
        assert len(kept) == len(empty) or len(kept) + 1 > part * (len(rows) + 1)


def test_the_empty_slices_that_stay_are_spread_over_all(tall: Dataset) -> None:
    found = left(tall, max_empty=0.2)
    for case in tall.cases:
        empty = [row.slice for row in case.slices if not row.pixels["liver"]]
        kept = [r.slice for r in found.case(case.id).slices if not r.pixels["liver"]]
        third = len(empty) / len(kept)
        assert [int(empty.index(one) // third) for one in kept] == [*range(len(kept))]


def test_what_goes_of_val_by_its_masks_is_said(tall: Dataset) -> None:
    found = left(tall, max_empty=0.2)
    held = sum(1 for row in tall.slices if row.split != "train")
    held -= sum(1 for row in found.slices if row.split != "train")
    assert held > 0
    assert f"--max-empty also left out {held} slices of val" in " ".join(found.told)


def test_slices_without_a_mask_stay_and_that_is_said(tmp_path: Path) -> None:
    root, tests = tmp_path / "root", [Patient(id=2, slices=4, matrix=32)]
    write_chaos(root, [Patient(id=1, slices=4, matrix=32)])
    for ground in write_chaos(root, tests, sets="Test_Sets").glob("**/2/**/Ground"):
        shutil.rmtree(ground)
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0)
    without = [row.id for row in pairs.slices if row.mask is None]
    assert without
    found = left(pairs, min_area="100000", max_empty=0)
    assert ids(found) == without
    assert f"--min-area and --max-empty: {len(without)} slices without a mask stayed" in found.told


def test_a_condition_looks_into_a_column_of_names_and_values(tall: Dataset, tmp_path: Path) -> None:
    stored = chaosprep.convert(tall, tmp_path / "stored", keep_16bit=True, patient=["MR001"])
    assert ids(left(stored, where="scaling['slices'] == 16")) == ids(stored)
    assert error_of(stored, where="scaling == 1").reason.endswith(
        "a table is compared with a number (MR001_t1-in_s000)"
    )


def test_a_copy_goes_where_its_original_goes(images: Dataset, tmp_path: Path) -> None:
    copied = chaosprep.augment(images, tmp_path / "copies", copies=2)
    found = left(copied, where="copy > 0 or slice != 1")
    originals = {row.id for row in found.slices if not row.copy}
    assert {row.parent for row in copied.slices if row.copy} - originals
    assert all(f"{row.case}_s{row.slice:03}" in originals for row in found.slices if row.copy)
    assert not [row for row in found.slices if row.slice == 1]


def write(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines))
    return str(path)


def test_tables_exclude_slices_cases_and_patients(tall: Dataset, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", "id,reason", "MR001,moved", "MR002_t1-in_s003,dark", "MR9,")
    found = left(tall, exclude=file)
    gone = {row.id for row in tall.slices} - {*ids(found)}
    assert gone == {row.id for row in tall.slices if row.patient == "MR001"} | {"MR002_t1-in_s003"}
    assert found.left_out == counted(
        ("exclude", "moved", ("MR001_t1-in",), 16), ("exclude", "dark", (), 1)
    )
    assert any("1 name of its table (line 4)" in note for note in found.told)


def test_a_patient_that_is_excluded_with_a_case_that_passed_is_refused(
    tall: Dataset, tmp_path: Path
) -> None:
    file = write(tmp_path / "x.csv", "id,verdict", "MR001,fail", "MR001_t1-in,pass")
    assert error_of(tall, exclude=file).code == "exclude-differs"


def test_names_that_nothing_has_are_refused_together(tall: Dataset, tmp_path: Path) -> None:
    assert error_of(tall, exclude=write(tmp_path / "x.csv", "A", "B")).code == "exclude-unknown"


def test_of_other_patients_than_those_asked_for_nothing_is_told(tall: Dataset) -> None:
    found = left(tall, where="slice > 3 and patient != 'MR002'", patient=["MR001", "MR002"])
    (gone,) = found.left_out
    assert (gone.cases, gone.slices) == (("MR002_t1-in",), 20)


def test_a_patient_that_is_asked_for_and_loses_everything_is_no_stranger(
    tall: Dataset, tmp_path: Path
) -> None:
    made = chaosprep.convert(
        tall, tmp_path / "out", patient=["MR001", "MR002"], where="patient != 'MR002'"
    )
    assert made.patients == ("MR001",)
    with pytest.raises(NothingFoundError) as caught:
        chaosprep.convert(tall, tmp_path / "b", patient=["MR002"], where="patient != 'MR002'")
    assert caught.value.code == "empty"


def test_what_was_left_out_stays_in_the_history_and_verify_says_it(
    tall: Dataset, tmp_path: Path
) -> None:
    file = write(tmp_path / "x.csv", "case,reason", "MR001_t1-in,moved")
    images = chaosprep.convert(tall, tmp_path / "a", exclude=file, where="slice % 3 > 0")
    copies = chaosprep.augment(images, tmp_path / "b")
    tool = images.descriptor.tool
    assert tool.left_out == counted(
        ("exclude", "moved", ("MR001_t1-in",), 16), ("where", "slice % 3 > 0", (), 12)
    )
    assert copies.history[-2].left_out == tool.left_out
    assert copies.descriptor.tool.left_out == ()
    verdict = verify(copies.directory)
    assert (verdict.faults, verdict.warnings) == ((), ())
    assert "convert left out 1 case, 16 slices (exclude: moved)" in verdict.notes
    assert "convert left out 12 slices (where: slice % 3 > 0)" in verdict.notes


def test_a_manifest_tells_what_a_table_says_and_not_where_it_is(
    tall: Dataset, tmp_path: Path
) -> None:
    file = write(tmp_path / "secret.csv", "case,reason", "MR001_t1-in,moved")
    made = chaosprep.convert(tall, tmp_path / "a", exclude=file)
    assert "secret" not in (made.directory / "datapackage.json").read_text()
    same = write(tmp_path / "other.tsv", "Reason\tCase", "moved\tMR001_t1-in")
    again = chaosprep.convert(tall, tmp_path / "a", exclude=same)  # already done
    assert again.descriptor_sha256 == made.descriptor_sha256
    other = write(tmp_path / "other.csv", "case,reason", "MR001_t1-in,dark")
    with pytest.raises(ChaosprepError) as caught:
        chaosprep.convert(tall, tmp_path / "a", exclude=other)
    assert caught.value.code == "output-differs"


def test_shards_are_what_one_run_makes(tall: Dataset, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"where": "slice < 9 and patient != 'MR003'", "max_empty": 0.5}
    whole = chaosprep.convert(tall, tmp_path / "whole", **asked)
    shards = [tmp_path / f"s{n}" for n in (1, 2)]
    for n, shard in enumerate(shards, 1):
        chaosprep.convert(tall, shard, shard=f"{n}/2", **asked)
    merged = chaosprep.merge(shards, tmp_path / "merged")
    for name in ("slices.jsonl", "datapackage.json"):
        assert (merged.directory / name).read_bytes() == (whole.directory / name).read_bytes()


def test_every_stage_that_reads_a_stage_directory_leaves_out(tall: Dataset, tmp_path: Path) -> None:
    pairs = tall.directory.parent / "pairs"
    livers = chaosprep.extract_liver(pairs, tmp_path / "a", where="slice < 12")
    images = chaosprep.convert(livers, tmp_path / "b", where="slice < 10")
    copies = chaosprep.augment(images, tmp_path / "c", where="slice < 8")
    assert [len(one.slices) for one in (livers, images)] == [36, 30]
    assert Counter(row.copy for row in copies.slices)[0] == 24
    assert [len(one.left_out) for one in copies.history] == [0, 1, 1, 1]


def test_an_open_dataset_is_filtered_as_a_path_is(tall: Dataset, tmp_path: Path) -> None:
    from chaosprep.running.runner import run
    from chaosprep.stages.convert import CONVERT
    from chaosprep.stages.converting.params import ConvertParams

    params = make_params(ConvertParams, {"where": "slice == 8"})
    assert len(run(CONVERT, params, open_dataset(tall.directory), tmp_path / "a").slices) == 3


def test_shards_that_left_out_other_things_are_not_merged(tall: Dataset, tmp_path: Path) -> None:
    shards = [tmp_path / f"s{n}" for n in (1, 2)]
    for n, shard in enumerate(shards, 1):
        chaosprep.convert(tall, shard, shard=f"{n}/2", where="slice < 4")
    path = shards[1] / "shard.json"
    descriptor = json.loads(path.read_text())
    descriptor["chaosprep"]["left_out"][0]["slices"] += 1
    path.write_text(json.dumps(descriptor))
    with pytest.raises(ChaosprepError) as caught:
        chaosprep.merge(shards, tmp_path / "merged")
    assert caught.value.code == "merge-source"


def test_what_an_earlier_stage_left_out_is_no_stranger(tall: Dataset, tmp_path: Path) -> None:
    names = ("case", "MR001_t1-in", "MR002_t1-in_s001")
    file = write(tmp_path / "x.csv", *names)
    pairs = tall.directory.parent / "root"
    split = chaosprep.split(pairs, tmp_path / "a", val=0, exclude=[file])
    assert left(split, exclude=write(tmp_path / "y.csv", "MR001", "MR003_t1-in_s001")).told == ()
    assert len(left(split, exclude=write(tmp_path / "z.csv", "MR001_t1-in")).slices) == 31
    assert len(left(split, exclude=write(tmp_path / "z.csv", "MR002_t1-in_s001")).slices) == 31
