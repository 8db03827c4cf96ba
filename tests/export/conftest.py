"""Patients with both phases, ready to be exported; read only."""

from pathlib import Path

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.phantom import Patient, write_chaos

BOTH = ("t1-in", "t1-out")


@pytest.fixture(scope="session")
def two_phases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four patients with in- and out-phase, as downloaded."""
    patients = [Patient(id=id, slices=4, matrix=32, sequences=BOTH) for id in (1, 2, 3, 4)]
    return write_chaos(tmp_path_factory.mktemp("phases"), patients)


@pytest.fixture(scope="session")
def phases(two_phases: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Both phases with masks of the liver: 1 and 2 train, 3 validates, 4 tests."""
    place = tmp_path_factory.mktemp("stages")
    pairs = chaosprep.split(
        two_phases,
        place / "pairs",
        sequence=BOTH,
        val_patient=["MR003"],
        test_patient=["MR004"],
    )
    return chaosprep.extract_liver(pairs, place / "livers")


@pytest.fixture(scope="session")
def folds(two_phases: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The same patients in three folds, in-phase alone, all four organs."""
    place = tmp_path_factory.mktemp("folds")
    pairs = chaosprep.split(two_phases, place / "pairs", folds=3, test_patient=["MR004"])
    return chaosprep.extract_liver(pairs, place / "organs", all_organs=True)
