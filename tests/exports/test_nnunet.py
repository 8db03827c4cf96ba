"""nnU-Net's raw layout: names, channels, sides, folds, and voxels where they lie in the patient."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ChaosprepError, FileError, NothingFoundError, ProblemsError, UsageError
from chaosprep.exports import nnunet, volumes
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.options import RunOptions
from tests.exports.seen import content, files, load, same_volume, series, voxels
from tests.quality.conftest import rewrite


@pytest.fixture(scope="module")
def raw(phases: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nnunet.export(phases, tmp_path_factory.mktemp("raw"), id=7, name="Two").path


def test_the_files_are_named_as_nnunet_wants_them(raw: Path) -> None:
    assert raw.name == "Dataset007_Two"
    expected = {"dataset.json", "splits_final.json", "LICENSE-DATA.txt", "chaosprep-export.json"}
    expected |= {"METHODS.md"}
    expected.add("patients.csv")
    for patient, side in (("MR001", "Tr"), ("MR002", "Tr"), ("MR003", "Tr"), ("MR004", "Ts")):
        expected |= {f"images{side}/{patient}_t1_000{channel}.nii.gz" for channel in (0, 1)}
        expected.add(f"labels{side}/{patient}_t1.nii.gz")
    assert files(raw) == expected


def test_dataset_json_says_what_nnunet_asks_for(raw: Path) -> None:
    said = load(raw / "dataset.json")
    assert said["channel_names"] == {"0": "t1-in", "1": "t1-out"}
    assert said["labels"] == {"background": 0, "liver": 1}
    assert said["numTraining"] == 3
    assert said["file_ending"] == ".nii.gz"
    assert said["licence"].startswith("Creative Commons Zero")
    assert said["reference"] == "chaosprep phantom, synthetic"


@pytest.mark.parametrize(("channel", "phase"), [(0, "InPhase"), (1, "OutPhase")])
@pytest.mark.parametrize("patient", [1, 4])
def test_each_channel_is_the_series_that_simpleitk_reads(
    raw: Path, two_phases: Path, patient: int, channel: int, phase: str
) -> None:
    side = "Ts" if patient == 4 else "Tr"
    expected = series(two_phases / f"Train_Sets/MR/{patient}/T1DUAL/DICOM_anon/{phase}")
    file = raw / f"images{side}/MR00{patient}_t1_000{channel}.nii.gz"
    assert same_volume(file, expected)


def test_ct_is_in_hounsfield_units_where_simpleitk_finds_it(tmp_path: Path) -> None:
    patients = [Patient(id=id, modality="CT", slices=4, matrix=32) for id in (1, 2)]
    root = write_chaos(tmp_path / "root", patients)
    pairs = chaosprep.split(root, tmp_path / "s", sequence=["ct"], val_patient=["CT002"])
    made = nnunet.export(chaosprep.extract_liver(pairs, tmp_path / "l"), tmp_path / "raw")
    expected = series(root / "Train_Sets/CT/1/DICOM_anon")
    assert same_volume(made.path / "imagesTr/CT001_ct_0000.nii.gz", expected)
    assert load(made.path / "dataset.json")["channel_names"] == {"0": "CT"}


def test_the_labels_are_those_of_the_masks(raw: Path, phases: Dataset) -> None:
    for patient, side in (("MR001", "Tr"), ("MR004", "Ts")):
        label = voxels(raw / f"labels{side}/{patient}_t1.nii.gz")
        case = phases.case(f"{patient}_t1-out")
        masks = np.stack([np.asarray(case.mask(row)) for row in case.slices])
        assert set(np.unique(masks)) == {0, 255}
        assert np.array_equal(label, masks // 255)


def test_without_folds_our_split_is_nnunets_fold_0(raw: Path) -> None:
    assert load(raw / "splits_final.json") == [
        {"train": ["MR001_t1", "MR002_t1"], "val": ["MR003_t1"]}
    ]


def test_our_folds_are_nnunets_folds(folds: Dataset, tmp_path: Path) -> None:
    made = nnunet.export(folds, tmp_path)
    fold = {row.patient: row.fold for row in folds.slices if row.split != "test"}
    assert sorted(fold.values(), key=str) == [0, 1, 2]
    assert load(made.path / "splits_final.json") == [
        {
            "train": [f"{one}_t1-in" for one in sorted(fold) if fold[one] != number],
            "val": [f"{one}_t1-in" for one in sorted(fold) if fold[one] == number],
        }
        for number in range(3)
    ]
    assert made.notes[-1].startswith("train folds 0 to 2: ")


def without_label(folder: Path) -> None:
    (folder / "labelsTr/MR001_t1.nii.gz").unlink()


def without_channel(folder: Path) -> None:
    (folder / "imagesTr/MR001_t1_0001.nii.gz").unlink()


def without_fold_member(folder: Path) -> None:
    (folder / "splits_final.json").write_text('[{"train": ["MR001_t1"], "val": ["MR003_t1"]}]')


@pytest.mark.parametrize("fault", [without_label, without_channel, without_fold_member])
def test_what_nnunet_would_stumble_over_is_found(
    raw: Path, tmp_path: Path, fault: Callable[[Path], None]
) -> None:
    folder = shutil.copytree(raw, tmp_path / "copy")
    nnunet.check_training(folder)
    fault(folder)
    with pytest.raises(FileError) as error:
        nnunet.check_training(folder)
    assert error.value.code == "not-as-written"


def test_a_split_that_misses_a_case_leaves_nothing(
    livers: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nnunet, "splits", lambda *_: [{"train": ["MR001_t1-in"], "val": []}])
    with pytest.raises(FileError, match=r"splits_final\.json") as error:
        nnunet.export(livers, tmp_path)
    assert error.value.code == "not-as-written"
    assert not any(tmp_path.iterdir())


def test_all_organs_are_labels_from_one_to_four(folds: Dataset, tmp_path: Path) -> None:
    made = nnunet.export(folds, tmp_path)
    assert load(made.path / "dataset.json")["labels"] == {
        "background": 0,
        "liver": 1,
        "right-kidney": 2,
        "left-kidney": 3,
        "spleen": 4,
    }
    assert set(np.unique(voxels(made.path / "labelsTr/MR001_t1-in.nii.gz"))) <= {0, 1, 2, 3, 4}


def test_where_nobody_validates_no_split_is_made_up(two_phases: Path, tmp_path: Path) -> None:
    pairs = chaosprep.split(two_phases, tmp_path / "s", val=0)
    made = nnunet.export(chaosprep.extract_liver(pairs, tmp_path / "l"), tmp_path / "raw")
    assert not (made.path / "splits_final.json").exists()
    assert made.notes == (volumes.NOBODY_VALIDATES,)


def test_a_stage_directory_of_any_kind_gives_the_same_volumes(
    phases: Dataset, raw: Path, tmp_path: Path
) -> None:
    for format in ("png", "npy"):
        kept = chaosprep.convert(phases, tmp_path / format, keep_16bit=True, format=format)
        made = nnunet.export(kept.directory, tmp_path / f"raw-{format}", id=7, name="Two")
        for name in files(raw):
            if name not in {"chaosprep-export.json", "LICENSE-DATA.txt", "METHODS.md"}:
                assert (made.path / name).read_bytes() == (raw / name).read_bytes(), name


def test_eight_bits_are_exported_and_said(images: Dataset, tmp_path: Path) -> None:
    made = nnunet.export(images, tmp_path)
    assert "4 of 4 series are windowed to 8 bits" in made.notes[0]
    assert voxels(made.path / "imagesTr/MR001_t1-in_0000.nii.gz").dtype == np.uint8


def test_copies_are_left_out_and_said(images: Dataset, tmp_path: Path) -> None:
    copies = chaosprep.augment(images, tmp_path / "augmented", copies=2)
    made = nnunet.export(copies, tmp_path / "raw")
    extra = len(copies.slices) - len(images.slices)
    assert f"{extra} augmented slices are left out" in made.notes[0]
    assert made.slices == len(images.slices)


def test_grey_level_masks_are_refused(pairs: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ChaosprepError) as error:
        nnunet.export(pairs, tmp_path)
    assert error.value.code == "masks-grey"
    assert not any(tmp_path.iterdir())


@pytest.fixture(scope="module")
def unmasked(phases: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """MR 1 trains, 3 validates; 2, which should train, and 4, which tests, have no masks."""
    place = shutil.copytree(phases.directory, tmp_path_factory.mktemp("unmasked") / "copy")

    def edit(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if row["patient"] in {"MR002", "MR004"}:
                row |= {"mask": None, "mask_sha256": None, "mask_bytes": None}

    rewrite(place, edit)
    return chaosprep.open(place)


def test_a_training_case_without_masks_is_a_problem(unmasked: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as error:
        nnunet.export(unmasked, tmp_path)
    assert [(one.id, one.code) for one in error.value.problems] == [("MR002_t1", "mask-missing")]
    assert not any(tmp_path.iterdir())


def test_a_case_with_a_problem_can_be_left_out(unmasked: Dataset, tmp_path: Path) -> None:
    made = nnunet.export(unmasked, tmp_path, options=RunOptions(on_error="skip"))
    assert [one.id for one in made.skipped] == ["MR002_t1"]
    assert files(made.path) >= {"imagesTs/MR004_t1_0000.nii.gz", "splits_final.json"}
    assert load(made.path / "splits_final.json") == [{"train": ["MR001_t1"], "val": ["MR003_t1"]}]
    assert not (made.path / "labelsTs").exists()


def test_patients_without_the_sequence_are_named(tmp_path: Path) -> None:
    patients = [
        Patient(id=1, slices=3, matrix=32),
        Patient(id=2, slices=3, matrix=32),
        Patient(id=3, slices=3, matrix=32, sequences=("t1-in",)),
    ]
    root = write_chaos(tmp_path / "root", patients)
    pairs = chaosprep.split(
        root, tmp_path / "s", sequence=["t1-in", "t2-spir"], val_patient=["MR002"]
    )
    masks = chaosprep.extract_liver(pairs, tmp_path / "l")
    made = nnunet.export(masks, tmp_path / "raw", sequences=["t2-spir"])
    assert made.notes[0] == "left out, having none of these sequences: MR003"


def only(dataset: Dataset, patients: set[str]) -> Dataset:
    cases = {case.id for case in dataset.cases if case.patient in patients}
    return dataset.only(cases, lambda rows: rows, (), ())


def test_nobody_left_to_train_with_is_an_error(phases: Dataset, tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError) as error:
        nnunet.export(only(phases, {"MR003", "MR004"}), tmp_path)
    assert error.value.code == "no-training"
    assert not any(tmp_path.iterdir())


def test_a_fold_that_lost_its_case_is_an_error(folds: Dataset, tmp_path: Path) -> None:
    others = {row.patient for row in folds.slices if row.fold != 1}
    with pytest.raises(ChaosprepError, match="fold 1 has no case left") as error:
        nnunet.export(only(folds, others), tmp_path)
    assert error.value.code == "fold-empty"


def test_an_id_that_another_dataset_has_is_refused(livers: Dataset, tmp_path: Path) -> None:
    nnunet.export(livers, tmp_path, id=12, name="One")
    with pytest.raises(UsageError, match="012 belongs to Dataset012_One") as error:
        nnunet.export(livers, tmp_path, id=12, name="Other")
    assert error.value.code == "id-taken"
    assert nnunet.export(livers, tmp_path, id=13, name="Other").path.is_dir()


def test_what_a_killed_run_of_another_name_left_takes_no_id(
    livers: Dataset, tmp_path: Path
) -> None:
    (tmp_path / ".Dataset012_One.chaosprep").mkdir()
    assert nnunet.export(livers, tmp_path, id=12, name="Other").path.is_dir()


def test_an_id_that_is_taken_meanwhile_is_refused(
    livers: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = nnunet.check_training

    def slow(folder: Path) -> None:
        check(folder)
        (tmp_path / "Dataset012_Theirs").mkdir(exist_ok=True)

    monkeypatch.setattr(nnunet, "check_training", slow)
    with pytest.raises(UsageError, match="012 belongs to Dataset012_Theirs"):
        nnunet.export(livers, tmp_path, id=12, name="Mine")
    assert [path.name for path in tmp_path.iterdir()] == ["Dataset012_Theirs"]


@pytest.mark.parametrize("name", ["", "a/b", "../up", "-n", "a b"])
def test_a_name_that_is_no_folder_of_nnunets_is_refused(
    livers: Dataset, tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError, match="letters, digits"):
        nnunet.export(livers, tmp_path, name=name)


def test_channels_can_be_named(livers: Dataset, tmp_path: Path) -> None:
    made = nnunet.export(livers, tmp_path, channel_names=["CT"])
    assert load(made.path / "dataset.json")["channel_names"] == {"0": "CT"}
    with pytest.raises(UsageError, match="2 for the channels t1-in"):
        nnunet.export(livers, tmp_path, channel_names=["CT", "PET"])


def test_workers_and_repetition_change_no_byte(phases: Dataset, tmp_path: Path) -> None:
    one = nnunet.export(phases, tmp_path / "1")
    two = nnunet.export(phases, tmp_path / "2", options=RunOptions(jobs=2))
    assert content(one.path) == content(two.path)


def test_overwrite_makes_it_again_and_nothing_else(livers: Dataset, tmp_path: Path) -> None:
    (tmp_path / "Dataset005_Other").mkdir()
    made = nnunet.export(livers, tmp_path)
    with pytest.raises(ChaosprepError, match="overwrite=True"):
        nnunet.export(livers, tmp_path)
    nnunet.export(livers, tmp_path, options=RunOptions(overwrite=True))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Dataset005_Other", made.path.name]


def test_the_last_fold_is_missed_too(folds: Dataset, tmp_path: Path) -> None:
    last = max(row.fold for row in folds.slices if row.fold is not None)
    lost = next(row.patient for row in folds.slices if row.fold == last)
    broken = shutil.copytree(folds.directory, tmp_path / "broken")
    for row in folds.slices:
        if row.patient == lost:
            (broken / row.image).unlink()
    with pytest.raises(ChaosprepError, match=f"fold {last} has no case left"):
        nnunet.export(broken, tmp_path / "raw", options=RunOptions(on_error="skip"))


def test_an_organ_called_background_is_refused(livers: Dataset, tmp_path: Path) -> None:
    named = shutil.copytree(livers.directory, tmp_path / "named")

    def rename(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["labels"] = {"255": "background"}

    rewrite(named, rename)
    with pytest.raises(ChaosprepError, match="called background"):
        nnunet.export(named, tmp_path / "raw")
