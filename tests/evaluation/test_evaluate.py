"""A whole comparison: which cases, which organs, what is left out, and that jobs do not matter."""

import gzip
import shutil
from pathlib import Path
from typing import Any

import msgspec
import nibabel
import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import NothingFoundError, ProblemsError, UsageError
from chaosprep.formats.pictures import read_mask
from tests.evaluation.trees import dice, masks_of, volume_of, write_png, write_shifted
from tests.evaluation.truth import surface_metrics


def problems(error: pytest.ExceptionInfo[ProblemsError]) -> list[tuple[str, str]]:
    return [(problem.code, problem.id) for problem in error.value.problems]


def test_a_dataset_against_itself_is_perfect(livers: Dataset) -> None:
    found = chaosprep.evaluate(livers.directory, livers.directory)
    assert [row.case for row in found.results] == [case.id for case in livers.cases]
    assert {(r.dice, r.ravd, r.assd, r.mssd, r.hd95, r.score) for r in found.results} == {
        (1, 0, 0, 0, 0, 100)
    }
    assert found.score == 100


def test_every_metric_of_a_shifted_case_is_that_of_its_definition(
    livers: Dataset, case: str, out: Path
) -> None:
    pred = write_shifted(livers, out)
    found = chaosprep.evaluate(pred, livers.directory)
    row = next(row for row in found.results if row.case == case)
    ref = volume_of(livers, case)
    moved = np.zeros_like(ref)
    moved[:, :, 1:] = ref[:, :, :-1]
    spacing = livers.case(case).slices[0].spacing
    assert spacing is not None
    assert spacing[0] is not None
    mm = (spacing[0], spacing[1], spacing[2])
    assert row.dice == pytest.approx(dice(moved, ref))
    assert row.f1 == row.dice
    assert row.precision == pytest.approx((moved & ref).sum() / moved.sum())
    assert row.recall == pytest.approx((moved & ref).sum() / ref.sum())
    assert row.volume_difference == pytest.approx(100 * (moved.sum() / ref.sum() - 1))
    assert row.ref_ml == pytest.approx(ref.sum() * np.prod(mm) / 1000)
    assert (row.assd, row.mssd, row.hd95) == pytest.approx(surface_metrics(moved, ref, mm))


def test_the_slices_of_a_case_are_measured_as_one_volume(livers: Dataset, out: Path) -> None:
    pred = write_shifted(livers, out)
    whole = chaosprep.evaluate(pred, livers.directory)
    sliced = chaosprep.evaluate(pred, livers.directory, per="slice")
    assert (len(whole.results), len(sliced.results)) == (4, len(livers.slices))
    assert [row.case for row in sliced.results] == [row.id for row in livers.slices]


def test_a_slice_on_its_own_has_the_metrics_of_its_two_masks(
    livers: Dataset, case: str, out: Path
) -> None:
    found = chaosprep.evaluate(write_shifted(livers, out), livers.directory, per="slice")
    for id, mask in masks_of(livers, case).items():
        row = next(row for row in found.results if row.case == id)
        ref = mask != 0
        moved = np.zeros_like(ref)
        moved[:, 1:] = ref[:, :-1]
        if ref.any():
            assert row.dice == pytest.approx(dice(moved, ref))
        else:
            assert (row.dice, row.mssd, row.score) == (1, 0, 100)


def test_each_organ_has_rows_of_its_own_and_a_summary(organs: Dataset) -> None:
    found = chaosprep.evaluate(organs.directory, organs.directory)
    names = ["liver", "right-kidney", "left-kidney", "spleen"]
    assert [row.organ for row in found.results] == names * 4
    assert [(one.organ, one.cases) for one in found.summaries] == [(name, 4) for name in names]


def test_sides_with_different_organs_must_be_told_which(
    pairs: Dataset, livers: Dataset, organs: Dataset
) -> None:
    with pytest.raises(UsageError, match="Choose with organs"):
        chaosprep.evaluate(livers.directory, organs.directory)
    found = chaosprep.evaluate(livers.directory, organs.directory, organs=["liver"])
    assert {(row.organ, row.dice) for row in found.results} == {("liver", 1)}
    with pytest.raises(UsageError, match="spleen is not on both sides"):
        chaosprep.evaluate(livers.directory, organs.directory, organs=["spleen"])


def test_grey_levels_and_labels_of_the_same_organs_agree(pairs: Dataset, organs: Dataset) -> None:
    found = chaosprep.evaluate(pairs.directory, organs.directory)
    assert len(found.results) == 16
    assert {row.dice for row in found.results} == {1}


def test_only_the_splits_that_are_predicted_count_and_the_rest_is_noted(
    livers: Dataset, out: Path
) -> None:
    for row in livers.slices:
        if row.split == "val":
            mask = livers.mask(row)
            assert mask is not None
            write_png(out / f"{row.id}.png", mask)
    found = chaosprep.evaluate(out, livers.directory)
    assert {row.split for row in found.results} == {"val"}
    assert found.notes == ("3 cases of REF left out: PRED has nothing of train t1-in",)


def test_a_split_that_is_asked_for_must_be_whole(livers: Dataset, out: Path) -> None:
    pred = write_shifted(livers, out)
    train = [case for case in livers.cases if case.split == "train"]
    for file in pred.glob(f"{train[0].id}_*.png"):
        file.unlink()
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(pred, livers.directory, split="train")
    assert problems(error) == [("case-missing", train[0].id)]


def test_patients_are_chosen_and_unknown_ones_refused(livers: Dataset) -> None:
    found = chaosprep.evaluate(livers.directory, livers.directory, patients=["MR003"])
    assert [row.patient for row in found.results] == ["MR003"]
    with pytest.raises(UsageError, match="MR099"):
        chaosprep.evaluate(livers.directory, livers.directory, patients=["MR099"])


def test_where_patients_or_a_split_are_chosen_the_others_have_no_problems(
    livers: Dataset, out: Path
) -> None:
    pred = write_shifted(livers, out)
    write_png(pred / "MR077_t1-in_s000.png", np.zeros((5, 6)))
    write_png(pred / "more/MR003_t1-in_s000.png", np.zeros((40, 40)))
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(pred, livers.directory)
    assert problems(error) == [("name-twice", "MR003_t1-in"), ("case-surplus", "MR077_t1-in")]
    assert len(chaosprep.evaluate(pred, livers.directory, patients=["MR001"]).results) == 1
    assert len(chaosprep.evaluate(pred, livers.directory, split="val").results) == 1
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(pred, livers.directory, patients=["MR003"])
    assert problems(error) == [("name-twice", "MR003_t1-in")]


def test_an_organ_that_a_case_could_show_counts_where_it_does_not(
    phantom: Path, tmp_path: Path
) -> None:
    """The grey levels of `split` stand in the manifest as far as a slice shows them."""
    root = Path(shutil.copytree(phantom, tmp_path / "root"))
    for file in root.glob("**/MR/1/**/Ground/*.png"):
        mask = read_mask(file.read_bytes()).pixels
        write_png(file, np.where(mask > 200, 0, mask))  # no spleen
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0, sequence=["t1-in"])
    rows = chaosprep.evaluate(pairs.directory, pairs.directory, patients=["MR001"]).results
    assert [row.organ for row in rows] == ["liver", "right-kidney", "left-kidney", "spleen"]


def test_every_problem_is_listed_and_nothing_given(livers: Dataset, out: Path) -> None:
    pred = write_shifted(livers, out)
    first, second, third, fourth = (case.id for case in livers.cases)
    (pred / f"{first}_s001.png").unlink()
    write_png(pred / f"{second}_s000.png", np.zeros((5, 6)))
    write_png(pred / f"{third}_s001.png", np.arange(1600).reshape(40, 40) % 3)
    write_png(pred / "MR077_t1-in_s000.png", np.zeros((5, 6)))
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(pred, livers.directory)
    assert problems(error) == [
        ("slices-differ", first),
        ("size-mismatch", second),
        ("mask-values", third),
        ("case-surplus", "MR077_t1-in"),
    ]
    assert fourth not in str(error.value.problems)


def test_skip_leaves_out_the_cases_with_problems_and_lists_them(
    livers: Dataset, case: str, out: Path
) -> None:
    pred = write_shifted(livers, out)
    (pred / f"{case}_s001.png").unlink()
    found = chaosprep.evaluate(pred, livers.directory, on_error="skip")
    assert [problem.id for problem in found.skipped] == [case]
    assert len(found.results) == 3
    assert case not in {row.case for row in found.results}


def test_where_skip_leaves_nothing_the_problems_are_told(livers: Dataset, out: Path) -> None:
    pred = write_shifted(livers, out)
    for file in pred.glob("*_s001.png"):
        file.unlink()
    with pytest.raises(ProblemsError, match="no case is left") as error:
        chaosprep.evaluate(pred, livers.directory, on_error="skip")
    assert len(error.value.problems) == 4


def test_an_empty_prediction_is_named_scores_0_and_stays_out_of_the_mean_distance(
    livers: Dataset, case: str, out: Path
) -> None:
    pred = write_shifted(livers, out)
    for file in pred.glob(f"{case}_*.png"):
        write_png(file, np.zeros_like(next(iter(masks_of(livers, case).values()))))
    found = chaosprep.evaluate(pred, livers.directory)
    row = next(row for row in found.results if row.case == case)
    assert (row.dice, row.assd, row.mssd, row.hd95, row.score) == (0, None, None, None, 0)
    assert row.ravd == 100
    others = [r.assd for r in found.results if r.assd is not None]
    assd = found.summaries[0].metrics["assd"]
    assert assd.n == 3
    assert assd.mean == pytest.approx(sum(others) / 3)
    assert f"they score 0: {case} liver" in found.notes[-1]


def test_means_and_deviations_are_those_of_the_rows(livers: Dataset, out: Path) -> None:
    found = chaosprep.evaluate(write_shifted(livers, out), livers.directory)
    for name, spread in found.summaries[0].metrics.items():
        values = np.array([getattr(row, name) for row in found.results])
        assert spread.mean == pytest.approx(values.mean())
        assert spread.sd == pytest.approx(values.std(ddof=1))
        assert spread.n == 4


def test_no_number_is_infinite_or_nan(livers: Dataset, out: Path) -> None:
    """JSON has neither: encoding them would give null or fail."""
    pred = write_shifted(livers, out)
    for file in pred.glob("*.png"):
        write_png(file, np.zeros_like(next(iter(masks_of(livers, file.stem[:-5]).values()))))
    found = chaosprep.evaluate(pred, livers.directory)
    for row in found.results:
        numbers = [v for v in msgspec.structs.astuple(row) if isinstance(v, float)]
        assert np.isfinite(numbers).all()


def test_the_number_of_jobs_does_not_matter(livers: Dataset, out: Path) -> None:
    pred = write_shifted(livers, out)
    one, two = (chaosprep.evaluate(pred, livers.directory, jobs=jobs) for jobs in (1, 2))
    assert one == two


def test_sides_without_a_common_case_name_some_of_both(livers: Dataset, out: Path) -> None:
    write_png(out / "MR077_t1-in_s000.png", np.zeros((5, 6)))
    with pytest.raises(NothingFoundError, match="PRED has MR077_t1-in; REF MR001_t1-in"):
        chaosprep.evaluate(out, livers.directory)


def test_the_size_of_voxels_is_not_given_where_it_is_known(livers: Dataset) -> None:
    with pytest.raises(UsageError, match="gives the size of its voxels"):
        chaosprep.evaluate(livers.directory, livers.directory, spacing=(1, 1, 1))


def test_cases_are_told_as_they_are_done(livers: Dataset) -> None:
    told: list[tuple[str, int, int]] = []

    def listen(*event: *tuple[str, int, int]) -> None:
        told.append(event)

    chaosprep.evaluate(livers.directory, livers.directory, on_case=listen)
    count = len(livers.cases)
    assert told == [(case.id, done, count) for done, case in enumerate(livers.cases, start=1)]


@pytest.mark.parametrize("count", [4, 6])
def test_where_nobody_knows_whose_a_case_is_each_counts_as_a_patient_and_a_note_says_so(
    tmp_path: Path, count: int
) -> None:
    for number in range(count):
        square = np.zeros((9, 9))
        square[2:5, 2:6] = 1
        write_png(tmp_path / f"ref/c{number}/one.png", square)
        write_png(tmp_path / f"pred/c{number}/one.png", np.roll(square, number % 3))
    found = chaosprep.evaluate(tmp_path / "pred", tmp_path / "ref")
    interval = found.summaries[0].metrics["dice"].interval
    assert (interval.patients if interval else None) == (6 if count == 6 else None)
    assert any("which patient a case" in note for note in found.notes) == (count == 6)


@pytest.mark.parametrize(
    "given",
    [
        {"patients": "MR001"},
        {"organs": "liver"},
        {"split": "validation"},
        {"per": "patient"},
        {"on_error": "ignore"},
        {"spacing": (0, 1, 1)},
        {"spacing": (float("nan"), 1, 1)},
        {"spacing": (1, 1)},
        {"tolerance": "2"},
        {"tolerance": float("nan")},
    ],
)
def test_what_a_caller_may_not_give_is_a_usage_error(
    livers: Dataset, given: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        chaosprep.evaluate(livers.directory, livers.directory, **given)


def test_a_case_with_a_problem_of_the_reference_is_left_out_indeed(
    livers: Dataset, tmp_path: Path
) -> None:
    chaosprep.assemble(livers, tmp_path / "ref")
    masks = sorted((tmp_path / "ref" / "masks").iterdir())
    (masks[0].with_suffix("")).write_bytes(gzip.decompress(masks[0].read_bytes()))  # as .nii too
    found = chaosprep.evaluate(livers.directory, tmp_path / "ref", on_error="skip")
    (left,) = found.skipped
    assert left.code == "name-twice"
    assert left.id not in {row.case for row in found.results}
    assert found.cases == len(masks) - 1


@pytest.mark.parametrize("mm", [1e-30, 1e20])
def test_voxels_of_an_impossible_size_are_refused_not_measured(tmp_path: Path, mm: float) -> None:
    tool: Any = nibabel
    voxels = np.zeros((4, 4, 3), np.uint8)
    voxels[1:3, 1, 1] = 1
    tool.save(tool.Nifti1Image(voxels, np.diag([mm, mm, mm, 1])), tmp_path / "a.nii")
    tool.save(tool.Nifti1Image(voxels[::-1], np.diag([mm, mm, mm, 1])), tmp_path / "b.nii")
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(tmp_path / "a.nii", tmp_path / "b.nii")
    assert [problem.code for problem in error.value.problems] == ["spacing-unfit"]
