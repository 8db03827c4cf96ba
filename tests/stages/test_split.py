"""split: patients go to train, val or test; the pairs are copied as they are."""

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import chaosprep
from chaosprep import Dataset
from chaosprep.chaos import SequenceName
from chaosprep.dataset.records import Slice
from chaosprep.dataset.store import Link
from chaosprep.division.params import SplitParams
from chaosprep.division.ranking import assign
from chaosprep.errors import NothingFoundError, ProblemsError, UsageError
from chaosprep.layouts.names import make_ids
from chaosprep.params import make_params
from chaosprep.phantom import Patient, write_chaos

CHAOS_IDS = (1, 2, 3, 5, 8, 10, 13, 15, 19, 20, 21, 22, 31, 32, 33, 34, 36, 37, 38, 39)
CHAOS = [f"MR{number:03d}" for number in CHAOS_IDS]
FOLDER = st.one_of(st.integers(0, 2000).map(str), st.integers(0, 2000).map("case {}".format))
PEOPLE = st.sets(st.integers(1, 999), min_size=3, max_size=40).map(
    lambda numbers: [f"MR{number:03d}" for number in sorted(numbers)]
)


def params(**fields: Any) -> SplitParams:
    return make_params(SplitParams, fields)


def sides(patients: list[str], **fields: Any) -> dict[str, str]:
    return {name: side for name, (side, _) in assign(patients, params(**fields)).items()}


def folds(patients: list[str], count: int, **fields: Any) -> dict[str, int]:
    made = assign(patients, params(folds=count, **fields))
    return {name: fold for name, (_, fold) in made.items() if fold is not None}


def numbered(count: int) -> list[str]:
    return [f"MR{number:03d}" for number in range(1, count + 1)]


# Who goes where


def test_chaos_splits_into_sixteen_and_four() -> None:
    assert Counter(sides(CHAOS).values()) == {"train": 16, "val": 4}
    assert Counter(sides(CHAOS, test=0.1).values()) == {"train": 14, "val": 4, "test": 2}


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.25, 0.3, 0.5, 1 / 3])
def test_counts_are_exactly_the_rounded_parts(fraction: float) -> None:
    for count in range(10, 200):
        found = Counter(sides(numbered(count), val=fraction, test=0.2).values())
        assert found["val"] == round(count * fraction)
        assert found["test"] == round(count * 0.2)


def test_no_part_asks_for_nobody() -> None:
    assert set(sides(CHAOS, val=0, test=0).values()) == {"train"}


@given(st.permutations(CHAOS), st.integers())
def test_the_order_of_the_input_does_not_matter(shuffled: list[str], seed: int) -> None:
    assert sides(shuffled, seed=seed, test=0.2) == sides(CHAOS, seed=seed, test=0.2)


@given(PEOPLE, st.integers(1, 999), st.integers(0, 3))
def test_a_new_patient_moves_at_most_one_across_each_border(
    patients: list[str], newcomer: int, seed: int
) -> None:
    new = f"MR{newcomer:03d}"
    assume(new not in patients)
    before = sides(patients, val=0.3, test=0.3, seed=seed)
    after = sides([*patients, new], val=0.3, test=0.3, seed=seed)
    moved = Counter((before[name], after[name]) for name in patients if before[name] != after[name])
    assert moved["train", "val"] + moved["val", "train"] <= 1
    assert moved["train", "test"] + moved["test", "train"] <= 1
    assert moved["val", "test"] + moved["test", "val"] == 0


@given(st.sets(FOLDER, min_size=5, max_size=60), st.sets(FOLDER, max_size=60), st.integers(0, 9))
def test_newcomers_change_no_id_and_no_place_in_the_ranking(
    folders: set[str], newcomers: set[str], seed: int
) -> None:
    def ranked(id: str | None) -> bytes:
        return hashlib.sha256(f"chaosprep.split.1\n{seed}\n{id}".encode()).digest()

    before, after = (make_ids(names, "P", 3) for names in (folders, folders | newcomers))
    assert before.items() <= after.items()
    for ids in (before, after):
        people = sorted(map(str, set(ids.values())))
        made = sides(people, val=0.2, seed=seed)
        first = sorted(people, key=ranked)[: round(len(people) * 0.2)]
        assert {name for name in people if made[name] == "val"} == set(first)


def test_the_hundredth_patient_draws_no_other_split() -> None:
    """99 and then 100: where numbers were padded to the longest, this re-drew everything."""
    folders = [f"case {number}" for number in range(1, 101)]
    before, after = (
        sides([str(id) for id in make_ids(folders[:count], "P", 3).values()]) for count in (99, 100)
    )
    assert sum(side != after[name] for name, side in before.items()) <= 1


@given(PEOPLE, st.integers(1, 999), st.integers(2, 3))
def test_a_new_patient_moves_at_most_one_across_each_border_of_folds(
    patients: list[str], newcomer: int, count: int
) -> None:
    new = f"MR{newcomer:03d}"
    assume(new not in patients)
    before, after = folds(patients, count), folds([*patients, new], count)
    moved = Counter(frozenset({before[p], after[p]}) for p in patients if before[p] != after[p])
    assert all(n <= 1 for n in moved.values())
    assert all(max(both) - min(both) == 1 for both in moved)


@given(PEOPLE, st.integers(2, 3), st.integers())
def test_folds_are_balanced_and_every_patient_has_one(
    patients: list[str], count: int, seed: int
) -> None:
    sizes = Counter(folds(patients, count, seed=seed).values())
    assert set(sizes) == set(range(count))
    assert max(sizes.values()) - min(sizes.values()) <= 1
    assert sum(sizes.values()) == len(patients)


def test_the_chosen_fold_is_the_validation_side() -> None:
    for chosen in range(5):
        made = assign(CHAOS, params(folds=5, fold=chosen))
        assert {fold for side, fold in made.values() if side == "val"} == {chosen}
    first = assign(CHAOS, params(folds=5))
    assert first == assign(CHAOS, params(folds=5, fold=0))


def test_each_patient_validates_once_over_all_folds() -> None:
    rounds = [assign(CHAOS, params(folds=5, fold=chosen)) for chosen in range(5)]
    validated = [name for made in rounds for name, (side, _) in made.items() if side == "val"]
    assert sorted(validated) == CHAOS


def test_folds_leave_test_patients_without_a_fold() -> None:
    made = assign(CHAOS, params(folds=3, test_patient=["MR001", "MR039"]))
    assert {name for name, place in made.items() if place == ("test", None)} == {"MR001", "MR039"}
    assert Counter(fold for _, fold in made.values()) == {0: 6, 1: 6, 2: 6, None: 2}


def test_two_seeds_differ() -> None:
    assert len({tuple(sorted(sides(CHAOS, seed=seed).items())) for seed in range(8)}) > 6


def test_named_patients_reproduce_a_published_split() -> None:
    found = sides(CHAOS, val_patient=["MR005", "MR036"], test_patient=["MR001"])
    assert {name for name, side in found.items() if side == "val"} == {"MR005", "MR036"}
    assert {name for name, side in found.items() if side == "test"} == {"MR001"}


@given(st.sets(st.sampled_from(CHAOS), min_size=1, max_size=4), st.integers(0, 50))
def test_a_named_validation_patient_is_never_drawn_for_testing(named: set[str], seed: int) -> None:
    found = sides(CHAOS, val_patient=sorted(named), test=0.3, seed=seed)
    assert {name for name, side in found.items() if side == "val"} == named
    assert Counter(found.values())["test"] == 6


@pytest.mark.parametrize(
    ("fields", "count", "says"),
    [
        ({"val_patient": ["MR007"]}, 3, ["MR007", "MR001, MR002, MR003"]),
        ({"test_patient": ["MR007"]}, 3, ["MR007", "MR001, MR002, MR003"]),
        ({"val": 0.1}, 4, ["0.1 of 4 patients rounds to no patient", "val=0"]),
        ({"test": 0.01}, 20, ["0.01 of 20 patients rounds to no patient", "test_patient"]),
        ({"folds": 5}, 4, ["5 folds", "there are 4", "folds=4"]),
        ({"val": 0.9}, 3, ["none of the 3 patients for training"]),
        ({"val_patient": ["MR001", "MR002"], "test": 0}, 2, ["none of the 2 patients"]),
    ],
)
def test_what_cannot_be_done_says_what_there_is(
    fields: dict[str, Any], count: int, says: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        assign(numbered(count), params(**fields))
    assert caught.value.exit_code == 2
    for words in says:
        assert words in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"val": 1.0},
        {"val": -0.1},
        {"folds": 1},
        {"folds": 3, "fold": 3},
        {"folds": 3, "val_patient": ["MR001"]},
        {"val_patient": ["MR001"], "test_patient": ["MR001"]},
        {"link": "soft"},
        {"vals": 0.2},
    ],
)
def test_parameters_that_make_no_sense_are_usage_errors(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        params(**fields)
    assert next(iter(fields)) in str(caught.value)


# What is written


def by_id(dataset: Dataset) -> dict[str, Slice]:
    return {row.id: row for row in dataset.slices}


def test_pairs_are_bit_exact_copies(phantom: Path, pairs: Dataset) -> None:
    assert len(pairs.slices) == 4 + 4 + 4 + 3
    for row in pairs.slices:
        source = phantom / row.source
        mask = source.parents[2] / "Ground" / f"{source.stem}.png"  # CHAOS: equal stems
        assert (pairs.directory / row.image).read_bytes() == source.read_bytes()
        assert row.mask is not None
        assert (pairs.directory / row.mask).read_bytes() == mask.read_bytes()


def test_rows_tell_what_the_header_and_the_mask_say(phantom: Path, pairs: Dataset) -> None:
    import cv2
    import numpy as np
    import pydicom

    for row in pairs.slices:
        header = pydicom.dcmread(phantom / row.source)
        source = phantom / row.source
        mask = cv2.imread(
            str(source.parents[2] / "Ground" / f"{source.stem}.png"), cv2.IMREAD_UNCHANGED
        )
        assert mask is not None
        assert (row.rows, row.cols) == (header.Rows, header.Columns) == mask.shape
        assert (row.dtype, row.bits_stored) == ("uint16", header.BitsStored)
        assert row.spacing == (5.5, *header.PixelSpacing)
        assert row.position == tuple(header.ImagePositionPatient)
        assert row.orientation == tuple(header.ImageOrientationPatient)
        assert row.pixels["liver"] == np.count_nonzero((mask >= 55) & (mask <= 70))
        assert row.pixels["spleen"] == np.count_nonzero(mask >= 240)
        assert set(row.labels) == set(np.unique(mask).tolist()) - {0}


def test_all_sequences_of_a_patient_stay_on_one_side(phantom: Path, tmp_path: Path) -> None:
    everything = get_args(SequenceName)
    made = chaosprep.split(phantom, tmp_path / "out", sequence=everything, val=0.4, test=0.2)
    found: dict[str, set[str]] = {}
    for row in made.slices:
        found.setdefault(row.patient, set()).add(row.split)
        assert row.image.startswith(f"{row.split}/images/")
    assert all(len(split) == 1 for split in found.values())
    assert Counter(next(iter(split)) for split in found.values()) == {
        "train": 2,
        "val": 2,
        "test": 1,
    }
    assert {row.sequence for row in made.slices} == set(everything)


def test_only_the_wanted_sequence_is_taken(pairs: Dataset) -> None:
    assert {row.sequence for row in pairs.slices} == {"t1-in"}
    assert pairs.patients == ("MR001", "MR002", "MR003", "MR005")


def test_ct_slices_keep_their_ranks_mask_and_count_from_below(
    phantom: Path, tmp_path: Path
) -> None:
    made = chaosprep.split(phantom, tmp_path / "out", sequence=["ct"], val=0)
    rows = made.slices
    ground = phantom / "Train_Sets/CT/1/Ground"
    for row, name in zip(rows, [4, 3, 2, 1, 0], strict=True):
        assert row.source.endswith(f"i000{name},0000b.dcm")
        assert row.mask is not None
        copied = (made.directory / row.mask).read_bytes()
        assert copied == (ground / f"liver_GT_00{name}.png").read_bytes()
        assert row.labels == {1: "liver"}
        assert (row.slope, row.intercept) == (1.0, -1000.0)
        assert row.spacing is not None
        assert row.spacing[0] == 2.0
    heights = [row.position[2] for row in rows if row.position]
    assert heights == sorted(heights)
    assert sum(row.pixels["liver"] for row in rows) > 0


def test_test_sets_are_test_and_take_no_part_in_the_division(phantom: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(phantom, root)
    before = chaosprep.split(root, tmp_path / "a")
    write_chaos(root, [Patient(id=4, slices=2, matrix=16)], sets="Test_Sets")
    after = chaosprep.split(root, tmp_path / "b")
    assert {row.id: row.split for row in before.slices}.items() <= {
        row.id: row.split for row in after.slices
    }.items()
    new = [row for row in after.slices if row.patient == "MR004"]
    assert [(row.split, row.mask, row.labels, row.pixels) for row in new] == [
        ("test", None, {}, {})
    ] * 2


def test_a_test_set_alone_needs_no_division(tmp_path: Path) -> None:
    write_chaos(tmp_path / "root", [Patient(id=4, slices=2, matrix=16)], sets="Test_Sets")
    made = chaosprep.split(tmp_path / "root", tmp_path / "out", val=0.2)
    assert {row.split for row in made.slices} == {"test"}


def test_file_names_and_copy_order_change_nothing_but_the_source(
    phantom: Path, tmp_path: Path
) -> None:
    """The same slices under reversed names: the same ids, bytes and sides."""
    root = tmp_path / "root"
    shutil.copytree(phantom / "Train_Sets/MR/1/T1DUAL", root / "MR/1/T1DUAL")
    for folder in (root / "MR/1/T1DUAL/DICOM_anon/InPhase", root / "MR/1/T1DUAL/Ground"):
        files = sorted(folder.iterdir())
        for number, file in enumerate(files):
            file.rename(folder / f"new-{10 - number:05d}{file.suffix}")
    made = by_id(chaosprep.split(root, tmp_path / "new", val=0))
    first = by_id(chaosprep.split(phantom, tmp_path / "old", val=0, patient=["MR001"]))
    assert {id: (row.image_sha256, row.mask_sha256) for id, row in made.items()} == {
        id: (row.image_sha256, row.mask_sha256) for id, row in first.items()
    }


@pytest.mark.parametrize("link", ["hard", "sym", "copy"])
def test_links_are_made_on_request_only(phantom: Path, tmp_path: Path, link: Link) -> None:
    made = chaosprep.split(phantom, tmp_path / "out", link=link)
    row = made.slices[0]
    copied, source = made.directory / row.image, phantom / row.source
    assert copied.is_symlink() == (link == "sym")
    assert copied.samefile(source) == (link != "copy")
    assert copied.read_bytes() == source.read_bytes()
    assert made.image(row).shape == (32, 32)


def test_the_default_shares_nothing_with_the_users_files(phantom: Path, pairs: Dataset) -> None:
    for row in pairs.slices:
        assert not (pairs.directory / row.image).samefile(phantom / row.source)


def test_same_seed_same_bytes_and_two_seeds_differ(phantom: Path, tmp_path: Path) -> None:
    tables = [
        chaosprep.split(phantom, tmp_path / name, val=0.5, seed=seed).directory
        for name, seed in (("a", 0), ("b", 0), ("c", 1), ("d", 2), ("e", 3))
    ]
    texts = [(table / "slices.jsonl").read_bytes() for table in tables]
    assert texts[0] == texts[1]
    assert len(set(texts)) > 1
    descriptors = [(table / "datapackage.json").read_bytes() for table in tables]
    assert descriptors[0] == descriptors[1]
    assert descriptors[0] not in descriptors[2:]


def test_nothing_that_identifies_reaches_the_manifest(phantom: Path, pairs: Dataset) -> None:
    import pydicom

    texts = [(pairs.directory / name).read_text() for name in ("slices.jsonl", "datapackage.json")]
    text = "".join(texts)
    assert str(pairs.directory) not in text
    assert str(phantom) not in text
    for row in pairs.slices:
        header = pydicom.dcmread(phantom / row.source)
        secrets = [header.StudyInstanceUID, header.SeriesInstanceUID, header.SOPInstanceUID]
        assert not [secret for secret in [*secrets, str(header.PatientName)] if secret in text]


def test_a_problem_stops_the_stage_or_leaves_its_slice_out(phantom: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(phantom, root)
    lost = root / "Train_Sets/MR/1/T1DUAL/Ground/IMG-0005-00004.png"
    lost.unlink()
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(root, tmp_path / "out")
    (problem,) = caught.value.problems
    assert (problem.code, problem.id) == ("mask-missing", "MR001_t1-in")
    assert str(problem.file).endswith("InPhase/IMG-0005-00004.dcm")
    assert not (tmp_path / "out" / "datapackage.json").exists()

    made = chaosprep.split(root, tmp_path / "out", on_error="skip")
    assert [row.id for row in made.slices if row.patient == "MR001"] == [
        f"MR001_t1-in_s00{place}" for place in (0, 2, 3)
    ]
    assert [skipped["code"] for skipped in descriptor(made)["skipped"]] == ["mask-missing"]


def descriptor(dataset: Dataset) -> Any:  # noqa: ANN401
    return json.loads((dataset.directory / "datapackage.json").read_bytes())["chaosprep"]


def test_a_colour_mask_is_copied_with_a_warning(phantom: Path, tmp_path: Path) -> None:
    from PIL import Image

    root = tmp_path / "root"
    shutil.copytree(phantom, root)
    file = root / "Train_Sets/MR/1/T1DUAL/Ground/IMG-0005-00004.png"
    Image.open(file).convert("RGB").save(file)
    row = by_id(chaosprep.split(root, tmp_path / "out"))["MR001_t1-in_s001"]
    assert "RGB" in row.warnings[0]
    assert row.labels == {}
    assert row.mask is not None
    assert (tmp_path / "out" / row.mask).read_bytes() == file.read_bytes()


def test_an_unknown_patient_is_a_usage_error(phantom: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"MR007.*There are: .*MR001, MR002"):
        chaosprep.split(phantom, tmp_path / "out", patient=["MR007"])
    assert not (tmp_path / "out").exists()


def test_a_sequence_that_is_not_there_is_nothing_found(phantom: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError, match="There are: t1-in"):
        chaosprep.split(phantom / "Train_Sets/MR/5", tmp_path / "out", sequence=["t2-spir"], val=0)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("t1", r"sequence: there is no t1\. There are: .*t1-in, .* mean t1-in or t1-out"),
        (["ct", "T2-SPIR"], r"no T2-SPIR\. .* Did you mean t2-spir\?"),
    ],
)
def test_a_sequence_that_there_is_not_is_answered_with_what_may_be(
    phantom: Path, tmp_path: Path, wanted: str | list[str], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        chaosprep.split(phantom, tmp_path / "out", sequence=wanted)


def test_named_patients_go_before_a_part() -> None:
    params = SplitParams(val=0.5, val_patient=("MR002",))
    sides = assign(["MR001", "MR002", "MR003", "MR004"], params)
    assert [patient for patient, (side, _) in sides.items() if side == "val"] == ["MR002"]


def test_what_is_given_as_nothing_excludes_nothing() -> None:
    assert sides(CHAOS, folds=None, val=0.3) == sides(CHAOS, val=0.3)
    assert sides(CHAOS, folds=4, val_patient=[]) == sides(CHAOS, folds=4)
    assert sides(CHAOS, val=0.3, val_patient=()) == sides(CHAOS, val=0.3)


def test_one_patient_is_no_patients() -> None:
    with pytest.raises(UsageError, match=r"0\.2 of 1 patient rounds to no patient"):
        sides(CHAOS[:1])


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"fold": 3, "folds": 3}, r"fold: the folds are 0 to 2 \(given: 3\)"),
    ],
)
def test_a_wrong_parameter_is_answered_with_what_may_be(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        sides(CHAOS, **fields)
