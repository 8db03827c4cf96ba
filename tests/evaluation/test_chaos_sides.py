"""The challenge's folders: Ground as reference, and submissions in the order of file names."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ChaosprepError, FileError, ProblemsError
from chaosprep.phantom import Patient, write_chaos
from tests.evaluation.trees import write_png


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One MR and one CT patient; CT files go down along z. Read only."""
    patients = [
        Patient(id=1, slices=4, matrix=32),
        Patient(id=4, modality="CT", slices=5, matrix=32),
    ]
    return write_chaos(tmp_path_factory.mktemp("chaos"), patients)


def grounds(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("Ground") if path.is_dir())


def submission(root: Path, out: Path, sets: str = "CT") -> Path:
    """Ground, grey, as `Results/img000.png` in the order of its names."""
    for ground in grounds(root):
        set_folder = ground.parent.relative_to(next(root.rglob("Train_Sets")))
        if set_folder.parts[0] not in sets:
            continue
        for place, file in enumerate(sorted(ground.iterdir())):
            mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
            assert mask is not None
            if set_folder.parts[0] == "CT":
                mask = np.where(mask > 0, 63, 0).astype(np.uint8)
            write_png(out / set_folder / f"Results/img{place:03d}.png", mask)
    return out


def test_ground_against_itself_is_perfect_t1_once(root: Path) -> None:
    found = chaosprep.evaluate(root, root)
    assert [(row.case, row.organ) for row in found.results] == [
        ("CT004_ct", "liver"),
        *(
            (f"MR001_{sequence}", organ)
            for sequence in ("t1-in", "t2-spir")
            for organ in ("liver", "right-kidney", "left-kidney", "spleen")
        ),
    ]
    assert {row.score for row in found.results} == {100}


def test_a_submission_is_matched_in_the_order_of_names(root: Path, tmp_path: Path) -> None:
    found = chaosprep.evaluate(submission(root, tmp_path / "s", "CT MR"), root)
    assert found.pred == "challenge submission"
    assert len(found.results) == 9
    assert {row.score for row in found.results} == {100}


def test_a_submission_in_the_order_of_positions_is_the_wrong_way_round(
    root: Path, tmp_path: Path
) -> None:
    """CT's z falls with the file names: the pictures must follow the names, not the positions."""
    sent = submission(root, tmp_path / "s") / "CT/4/Results"
    files = sorted(sent.iterdir())
    pixels = [file.read_bytes() for file in files]
    for file, data in zip(files, reversed(pixels), strict=True):
        file.write_bytes(data)
    (row,) = chaosprep.evaluate(tmp_path / "s", root).results
    assert row.dice < 0.9


def test_results_of_ct_alone_leave_mr_aside(root: Path, tmp_path: Path) -> None:
    found = chaosprep.evaluate(submission(root, tmp_path / "s"), root)
    assert [row.case for row in found.results] == ["CT004_ct"]
    assert found.notes == ("2 cases of REF left out: PRED has nothing of t1-in, t2-spir",)


@pytest.mark.parametrize("value", [1, 63, 255])
def test_in_ct_any_single_value_is_the_liver(root: Path, tmp_path: Path, value: int) -> None:
    sent = submission(root, tmp_path / "s")
    for file in sent.rglob("*.png"):
        mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        assert mask is not None
        write_png(file, np.where(mask > 0, value, 0))
    assert chaosprep.evaluate(sent, root).score == 100


def test_a_level_of_no_organ_is_a_problem(root: Path, tmp_path: Path) -> None:
    sent = submission(root, tmp_path / "s", "MR")
    file = sent / "MR/1/T2SPIR/Results/img001.png"
    write_png(file, np.full((32, 32), 99))
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(sent, root)
    (problem,) = error.value.problems
    assert (problem.code, problem.id, problem.file) == ("mask-levels", "MR001_t2-spir", file.name)


def test_a_picture_too_few_is_a_problem(root: Path, tmp_path: Path) -> None:
    sent = submission(root, tmp_path / "s")
    next(sent.rglob("img002.png")).unlink()
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(sent, root)
    (problem,) = error.value.problems
    assert problem.reason == "it has 4 pictures, its Ground 5"


def test_results_beside_the_ground_are_taken_first(root: Path, tmp_path: Path) -> None:
    both = Path(shutil.copytree(root, tmp_path / "both"))
    submission(root, next(both.rglob("Train_Sets")))
    assert chaosprep.evaluate(both, root).pred == "challenge submission"


def test_two_tasks_at_once_are_refused(root: Path, tmp_path: Path) -> None:
    for task in ("Task1", "Task3"):
        submission(root, tmp_path / "s" / task)
    with pytest.raises(ChaosprepError, match="CT004_ct: two folders"):
        chaosprep.evaluate(tmp_path / "s", root)


@pytest.mark.parametrize("place", ["MR/1/Results", "CT/liver/Results"])
def test_a_set_that_is_not_known_by_its_folders_is_refused(
    root: Path, tmp_path: Path, place: str
) -> None:
    write_png(tmp_path / "s" / place / "img000.png", np.zeros((32, 32)))
    with pytest.raises(ChaosprepError) as error:
        chaosprep.evaluate(tmp_path / "s", root)
    assert error.value.code == "set-name"


def test_a_stage_directory_against_the_ground_that_it_was_made_from(
    root: Path, tmp_path: Path
) -> None:
    pairs = chaosprep.split(root, tmp_path / "pairs", sequence=["ct", "t2-spir"], val=0)
    livers: Dataset = chaosprep.extract_liver(pairs, tmp_path / "livers")
    found = chaosprep.evaluate(livers.directory, root, organs=["liver"])
    assert [row.case for row in found.results] == ["CT004_ct", "MR001_t2-spir"]
    assert {row.score for row in found.results} == {100}


def test_a_ground_that_is_not_whole_is_a_problem(root: Path, tmp_path: Path) -> None:
    ref = Path(shutil.copytree(root, tmp_path / "ref"))
    next(ref.glob("**/T2SPIR/Ground/*.png")).unlink()
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(root, ref)
    assert [(p.code, p.id) for p in error.value.problems] == [("mask-missing", "MR001_t2-spir")]


@pytest.fixture
def livers_alone(root: Path, tmp_path: Path) -> Path:
    """Pictures of T2-SPIR by slice ids, 255 in the liver, as extract-liver writes them."""
    pairs = chaosprep.split(root, tmp_path / "pairs", sequence=["t2-spir"], val=0)
    made = chaosprep.extract_liver(pairs, tmp_path / "livers")
    return made.directory / "train/masks"


def test_a_binary_mask_is_not_taken_for_the_spleen(root: Path, livers_alone: Path) -> None:
    """255 lies in the spleen's range."""
    with pytest.raises(FileError, match=r"PRED holds one value, 255.*organs") as error:
        chaosprep.evaluate(livers_alone, root)
    assert error.value.code == "mask-values"


def test_a_binary_mask_is_of_the_one_organ_that_is_asked_for(
    root: Path, livers_alone: Path
) -> None:
    (row,) = chaosprep.evaluate(livers_alone, root, organs=["liver"]).results
    assert (row.organ, row.dice) == ("liver", 1)


def test_a_folder_called_results_may_hold_slices_by_their_ids(
    root: Path, livers_alone: Path, tmp_path: Path
) -> None:
    results = Path(shutil.copytree(livers_alone, tmp_path / "net/results"))
    for path in (results, results.parent):
        (row,) = chaosprep.evaluate(path, root, organs=["liver"]).results
        assert (row.case, row.dice) == ("MR001_t2-spir", 1)


def test_series_that_the_root_stands_without_are_left_aside_with_a_note(
    root: Path, tmp_path: Path
) -> None:
    """A CHAOS root shows T1 once, in phase; a stage directory may have both phases."""
    pairs = chaosprep.split(root, tmp_path / "pairs", sequence=["t1-in", "t1-out"], val=0)
    found = chaosprep.evaluate(pairs.directory, root)
    assert {(row.case, row.dice) for row in found.results} == {("MR001_t1-in", 1)}
    assert "1 case of PRED left out: REF has nothing of t1-out" in found.notes


def test_ct_of_a_label_map_is_judged_by_the_liver_alone(root: Path, tmp_path: Path) -> None:
    pairs = chaosprep.split(root, tmp_path / "pairs", sequence=["ct", "t2-spir"], val=0)
    made = chaosprep.extract_liver(pairs, tmp_path / "organs", all_organs=True)
    for stage in (pairs, made):
        rows = chaosprep.evaluate(stage.directory, stage.directory).results
        assert [(row.case, row.organ) for row in rows] == [
            ("CT004_ct", "liver"),
            *(
                ("MR001_t2-spir", organ)
                for organ in ("liver", "right-kidney", "left-kidney", "spleen")
            ),
        ]
