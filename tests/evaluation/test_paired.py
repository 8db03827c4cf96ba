"""Two predictions beside one reference: the differences, over patients, and what is left out."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import NothingFoundError, ProblemsError, UsageError
from chaosprep.evaluation.paired.comparison import Comparison
from chaosprep.evaluation.paired.differences import Difference, by_patient, differences
from chaosprep.evaluation.paired.tables import paired_csv, paired_table
from chaosprep.evaluation.results import OrganResult
from tests.evaluation.reading import drawn, write_volumes
from tests.evaluation.test_tables import row
from tests.evaluation.trees import write_png, write_shifted


@pytest.fixture
def nets(livers: Dataset, tmp_path: Path) -> tuple[Path, Path]:
    """Every mask one column to the right, and two."""
    return write_shifted(livers, tmp_path / "a"), write_shifted(livers, tmp_path / "b", 2)


def of(found: Comparison, metric: str) -> Difference:
    return next(one for one in found.differences if one.metric == metric)


def problems(error: pytest.ExceptionInfo[ProblemsError]) -> list[tuple[str, str, str]]:
    return [(one.code, one.id, one.reason) for one in error.value.problems]


def pair(
    patient: str, a: float | None, b: float | None, case: str = ""
) -> tuple[OrganResult, OrganResult]:
    """Two rows of one case, with these for ASSD."""
    of = msgspec.structs.replace(row(case or patient), patient=patient)
    return msgspec.structs.replace(of, assd=a), msgspec.structs.replace(of, assd=b)


def test_means_and_their_difference_are_those_of_both_evaluations(
    livers: Dataset, nets: tuple[Path, Path]
) -> None:
    found = chaosprep.compare_predictions(*nets, livers.directory)
    a, b = (chaosprep.evaluate(net, livers.directory) for net in nets)
    assert (found.a, found.b) == (a, b)
    assert (found.cases, found.patients, found.skipped) == (4, 4, ())
    for one in found.differences:
        values = np.array(
            [[getattr(row, one.metric) for row in side.results] for side in (a, b)], float
        )
        assert (one.organ, one.cases, one.patients) == ("liver", 4, 4)
        assert (one.a, one.b) == pytest.approx(tuple(values.mean(axis=1)))
        assert one.difference == pytest.approx((values[0] - values[1]).mean())
    assert of(found, "dice").difference > 0
    assert of(found, "dice").p == 2 / 16
    assert of(found, "dice").interval is None  # fewer than 5 patients


def test_each_shown_metric_is_a_test_and_all_are_adjusted_for_together(
    livers: Dataset, nets: tuple[Path, Path]
) -> None:
    found = chaosprep.compare_predictions(*nets, livers.directory, tolerance=2)
    named = [one.metric for one in found.differences]
    shown = ["dice", "precision", "recall", "ravd", "assd", "mssd", "hd95", "score", "nsd"]
    assert named == shown
    assert of(found, "dice").p_holm == 1  # 2 / 16 of nine tests


def test_cases_of_a_patient_are_averaged_first() -> None:
    pairs = [pair("p1", 1.0, 2.0), pair("p1", 3.0, 2.0, case="p1 again"), pair("p2", 5.0, 1.0)]
    assert by_patient(pairs, "assd") == {"p1": (2.0, 2.0), "p2": (5.0, 1.0)}
    (found,), lost = differences(pairs, ["assd"])
    assert (found.cases, found.patients, found.difference, found.p) == (3, 2, 2.0, 1.0)
    assert lost == ()


def test_the_interval_is_that_of_the_differences_of_patients() -> None:
    apart = 1 + np.array([-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6]) / 10
    pairs = [pair(f"p{place}", 5 + value, 5.0) for place, value in enumerate(apart)]
    (found,), _ = differences(pairs, ["assd"])
    assert found.interval is not None
    error = apart.std(ddof=1) / np.sqrt(12)
    assert found.interval.patients == 12
    assert found.interval.low == pytest.approx(apart.mean() - 2.2 * error, abs=0.1 * error)
    assert found.interval.high == pytest.approx(apart.mean() + 2.2 * error, abs=0.1 * error)


def test_a_value_that_one_side_lacks_is_not_compared_and_its_case_is_named() -> None:
    pairs = [pair("p1", 1.0, 2.0), pair("p2", None, 2.0), pair("p3", None, None)]
    tests, lost = differences(pairs, ["dice", "assd"])
    assert [(one.metric, one.cases) for one in tests] == [("dice", 3), ("assd", 1)]
    assert lost == (("liver", ("assd",), ("p2", "p3")),)


def test_a_metric_that_no_case_has_is_no_test() -> None:
    pairs = [pair("p1", None, None), pair("p2", None, None)]
    tests, lost = differences(pairs, ["dice", "assd"])
    assert [(one.metric, one.p_holm) for one in tests] == [("dice", 1.0)]
    assert lost == ()
    tests, lost = differences([pair("p1", None, 1.0)], ["assd"])
    assert tests == ()
    assert lost == (("liver", ("assd",), ("p1",)),)


def test_a_prediction_beside_itself_differs_in_nothing(
    livers: Dataset, nets: tuple[Path, Path]
) -> None:
    found = chaosprep.compare_predictions(nets[0], nets[0], livers.directory)
    assert {(one.difference, one.p, one.p_holm) for one in found.differences} == {(0, 1, 1)}


def test_a_case_of_one_side_alone_is_a_problem_that_says_which(
    livers: Dataset, case: str, nets: tuple[Path, Path]
) -> None:
    for file in nets[1].glob(f"{case}_*.png"):
        file.unlink()
    with pytest.raises(ProblemsError) as error:
        chaosprep.compare_predictions(*nets, livers.directory)
    assert problems(error) == [("case-missing", case, "B: the prediction lacks this case")]
    found = chaosprep.compare_predictions(*nets, livers.directory, on_error="skip")
    assert [one.id for one in found.skipped] == [case]
    assert (found.cases, of(found, "dice").cases, len(found.a.results)) == (3, 3, 4)


def test_a_split_of_one_side_alone_is_named_too(livers: Dataset, nets: tuple[Path, Path]) -> None:
    val = [one.id for one in livers.cases if one.split == "val"]
    for one in livers.cases:
        for file in nets[0].glob(f"{one.id}_*.png") if one.split == "train" else ():
            file.unlink()
    with pytest.raises(ProblemsError) as error:
        chaosprep.compare_predictions(*nets, livers.directory)
    assert problems(error) == [
        ("case-missing", one.id, "B has this case, but A does not")
        for one in livers.cases
        if one.id not in val
    ]
    found = chaosprep.compare_predictions(*nets, livers.directory, split="val")
    assert found.cases == len(val)


def test_every_problem_of_both_sides_is_listed(livers: Dataset, nets: tuple[Path, Path]) -> None:
    first, second = (one.id for one in livers.cases[:2])
    (nets[0] / f"{first}_s001.png").unlink()
    (nets[1] / f"{second}_s001.png").write_bytes(b"no PNG")
    with pytest.raises(ProblemsError, match="2 problems") as error:
        chaosprep.compare_predictions(*nets, livers.directory, per="slice")
    assert [(one.id, one.reason[:3]) for one in error.value.problems] == [
        (first, "A: "),
        (second, "B: "),
    ]


def test_where_no_case_is_left_the_problems_are_told(
    livers: Dataset, nets: tuple[Path, Path]
) -> None:
    for one in livers.cases:
        side = nets[one.split == "val"]
        (side / f"{one.id}_s001.png").unlink()
    with pytest.raises(ProblemsError, match="no case is left"):
        chaosprep.compare_predictions(*nets, livers.directory, on_error="skip")


def test_an_error_says_which_prediction_it_is_about(
    livers: Dataset, organs: Dataset, nets: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"^B: the two sides show different organs"):
        chaosprep.compare_predictions(organs.directory, livers.directory, organs.directory)
    write_png(tmp_path / "c/MR077_t1-in_s000.png", np.zeros((5, 6)))
    with pytest.raises(NothingFoundError, match=r"^A: no case is on both sides"):
        chaosprep.compare_predictions(tmp_path / "c", nets[1], livers.directory)


def compared(*tests: Difference) -> Comparison:
    side: Any = None
    return Comparison(per="case", cases=1, patients=1, differences=tests, a=side, b=side)


def test_an_unknown_choice_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    choice: Any = "ignore"
    with pytest.raises(UsageError, match="on_error"):
        chaosprep.compare_predictions(tmp_path, tmp_path, tmp_path, on_error=choice)


def test_two_names_for_the_one_structure_of_an_unnamed_reference_are_refused(
    tmp_path: Path,
) -> None:
    """Each side alone is taken for what REF shows, so nothing says that both show the same."""
    voxels = drawn(0, "a") // 2
    ref = write_volumes(tmp_path / "ref", {"a": voxels}, legend=None)
    a = write_volumes(tmp_path / "a", {"a": voxels}, {"liver": 1})
    b = write_volumes(tmp_path / "b", {"a": voxels}, {"Leber": 1})
    with pytest.raises(UsageError, match="A shows liver, B Leber") as error:
        chaosprep.compare_predictions(a, b, ref)
    assert error.value.code == "organ"


def test_a_note_on_the_reference_is_of_no_side(tmp_path: Path) -> None:
    """A is right everywhere, so that it has no interval and no such note itself."""
    right = {f"c{n}": drawn(0, "a") // 2 for n in range(5)}
    wrong = {case: np.roll(voxels, n, axis=0) for n, (case, voxels) in enumerate(right.items())}
    ref = write_volumes(tmp_path / "ref", right, {"tumour": 1})
    a = write_volumes(tmp_path / "a", right, {"tumour": 1})
    b = write_volumes(tmp_path / "b", wrong, {"tumour": 1})
    found = chaosprep.compare_predictions(a, b, ref)
    assert [note.partition(" does")[0] for note in found.notes if "which patient" in note] == [
        "REF"
    ]


def test_slices_of_a_case_with_a_problem_in_a_folder_of_a_folder_are_told_once(
    tmp_path: Path,
) -> None:
    plane = np.eye(6, dtype=np.uint8)
    for side in ("ref", "a", "b"):
        for case in ("site/x", "site/y"):
            write_png(tmp_path / side / case / "1.png", plane)
    write_png(tmp_path / "b/site/x/2.png", plane)
    found = chaosprep.compare_predictions(
        *(tmp_path / side for side in ("a", "b", "ref")), per="slice", on_error="skip"
    )
    assert [(one.id, one.code) for one in found.skipped] == [("site/x", "slices-differ")]


def test_the_table_has_a_line_for_each_test() -> None:
    apart = (0.1, 0.2, 0.3, 0.4, 0.5, -0.01)
    pairs = [pair(f"p{place}", 5 + value, 5.0) for place, value in enumerate(apart)]
    (assd, dice), _ = differences(pairs, ["assd", "dice"])
    assert assd.interval is not None
    named = msgspec.structs.replace(assd, organ="left-adrenal-gland-and-its-tumor")
    low, high = f"+{assd.interval.low:.2f}", f"+{assd.interval.high:.2f}"
    assert paired_table(compared(assd, dice)) == [
        "Organ Metric      A      B     A-B     low    high      p   Holm    n",
        f"liver ASSD     5.25   5.00   +0.25   {low}   {high} 0.0625 0.1250    6",
        "liver Dice    0.750  0.750   0.000       -       - 1.0000 1.0000    6",
    ]
    assert max(map(len, paired_table(compared(named, dice)))) == 80


def test_the_csv_has_every_number_of_every_test() -> None:
    (test,), _ = differences([pair("p1", 5.25, 5.0)], ["assd"])
    lines = paired_csv(compared(test)).splitlines()
    assert lines == [
        "organ,metric,cases,patients,a,b,difference,low,high,p,p_holm",
        "liver,assd,1,1,5.250000,5.000000,0.250000,,,1.000000,1.000000",
    ]
    strange = msgspec.structs.replace(test, organ="=cmd()")
    assert paired_csv(compared(strange)).splitlines()[1].startswith("'=cmd(),")


def test_rows_are_of_the_same_case_and_organ(livers: Dataset, organs: Dataset) -> None:
    found = chaosprep.compare_predictions(organs.directory, organs.directory, organs.directory)
    assert list(dict.fromkeys(one.organ for one in found.differences)) == [
        *("liver", "right-kidney", "left-kidney", "spleen")
    ]
    assert all(isinstance(one, OrganResult) for one in found.a.results)
