"""NIfTI volumes with BIDS-like names, their tables, and their places in the patient."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ChaosprepError, UsageError
from chaosprep.exports import nifti
from chaosprep.exports.channels import singles
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.options import RunOptions
from tests.exports.seen import content, files, load, same_volume, series, voxels

SEQUENCES = ("t1-in", "t1-out", "t2-spir", "ct")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    oblique = (0.8, 0.6, 0.0, 0.0, 0.0, -1.0)
    patients = [
        Patient(id=1, slices=3, matrix=32, orientation=oblique),
        Patient(id=3, modality="CT", slices=3, matrix=32),
    ]
    root = tmp_path_factory.mktemp("root")
    write_chaos(root, [Patient(id=2, slices=3, matrix=32)], sets="Test_Sets")
    return write_chaos(root, patients)


@pytest.fixture(scope="module")
def made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("nifti")
    pairs = chaosprep.split(root, place / "s", sequence=SEQUENCES, val_patient=["CT003"])
    masks = chaosprep.extract_liver(pairs, place / "l")
    return nifti.export(masks, place / "out").path


def test_the_files_are_named_like_those_of_bids(made: Path) -> None:
    volumes = {name for name in files(made) if name.endswith(".nii.gz")}
    expected = {
        f"sub-{patient}/anat/sub-{patient}_acq-{name}.nii.gz"
        for patient in ("MR001", "MR002")
        for name in ("t1in_T1w", "t1out_T1w", "t2spir_T2w")
    }
    expected |= {
        f"sub-MR001/anat/sub-MR001_acq-{name}_dseg.nii.gz" for name in ("t1in", "t1out", "t2spir")
    }
    expected |= {f"sub-CT003/anat/sub-CT003_acq-ct_{end}.nii.gz" for end in ("ct", "dseg")}
    assert volumes == expected


def test_names_are_made_of_entities_with_letters_and_digits(made: Path) -> None:
    name = r"sub-[A-Za-z0-9]+_acq-[A-Za-z0-9]+_(T1w|T2w|ct|dseg)\.nii\.gz"
    for file in made.glob("sub-*/anat/*"):
        assert re.fullmatch(name, file.name)
        assert file.name.startswith(f"{file.parents[1].name}_")


@pytest.mark.parametrize(
    ("file", "folder"),
    [
        ("sub-MR001/anat/sub-MR001_acq-t1in_T1w", "Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase"),
        ("sub-MR001/anat/sub-MR001_acq-t1out_T1w", "Train_Sets/MR/1/T1DUAL/DICOM_anon/OutPhase"),
        ("sub-MR002/anat/sub-MR002_acq-t2spir_T2w", "Test_Sets/MR/2/T2SPIR/DICOM_anon"),
        ("sub-CT003/anat/sub-CT003_acq-ct_ct", "Train_Sets/CT/3/DICOM_anon"),
    ],
)
def test_each_volume_is_the_series_that_simpleitk_reads(
    made: Path, root: Path, file: str, folder: str
) -> None:
    assert same_volume(made / f"{file}.nii.gz", series(root / folder))


def test_the_tables_say_who_is_on_which_side_and_what_a_label_is(made: Path) -> None:
    assert (made / "participants.tsv").read_text() == (
        "participant_id\tsplit\tfold\n"
        "sub-CT003\tval\tn/a\n"
        "sub-MR001\ttrain\tn/a\n"
        "sub-MR002\ttest\tn/a\n"
    )
    assert (made / "dseg.tsv").read_text() == "index\tname\n0\tbackground\n1\tliver\n"
    assert set(load(made / "participants.json")) == {"participant_id", "split", "fold"}
    assert set(voxels(made / "sub-CT003/anat/sub-CT003_acq-ct_dseg.nii.gz").flat) == {0, 1}


def test_the_description_has_what_bids_requires_of_derivatives(made: Path) -> None:
    said = load(made / "dataset_description.json")
    assert said["BIDSVersion"] == "1.10.0"
    assert said["DatasetType"] == "derivative"
    assert said["GeneratedBy"][0]["Name"] == "chaosprep"
    assert said["License"].startswith("Creative Commons Zero")
    assert (made / ".bidsignore").read_text().split() == [
        "LICENSE-DATA.txt",
        "METHODS.md",
        "chaosprep-export.json",
    ]


def test_folds_stand_in_the_table(folds: Dataset, tmp_path: Path) -> None:
    made = nifti.export(folds, tmp_path / "out").path
    rows = [line.split("\t") for line in (made / "participants.tsv").read_text().splitlines()[1:]]
    assert {row[2] for row in rows} == {"0", "1", "2", "n/a"}
    assert rows[-1] == ["sub-MR004", "test", "n/a"]


def test_sequences_can_be_chosen(phases: Dataset, tmp_path: Path) -> None:
    made = nifti.export(phases, tmp_path / "out", sequences=["t1-out"])
    assert made.cases == 4
    with pytest.raises(UsageError, match="There are: t1-in, t1-out"):
        nifti.export(phases, tmp_path / "other", sequences=["ct"])


def test_ids_that_differ_only_in_what_bids_forbids_are_named(
    livers: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = singles(livers)
    pair = (
        replace(first, id="p-1_t1-in", patient="p-1"),
        replace(second, id="p1_t1-in", patient="P1"),
    )
    monkeypatch.setattr(nifti, "singles", lambda *_: pair)
    with pytest.raises(ChaosprepError, match="P1: without points and hyphens") as error:
        nifti.export(livers, tmp_path / "out")
    assert error.value.code == "name-twice"
    assert not (tmp_path / "out").exists()


def test_workers_change_no_byte(phases: Dataset, tmp_path: Path) -> None:
    one = nifti.export(phases, tmp_path / "1")
    two = nifti.export(phases, tmp_path / "2", options=RunOptions(jobs=2))
    assert content(one.path) == content(two.path)
