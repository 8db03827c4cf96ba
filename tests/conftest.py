"""What many tests only read, a phantom and what each stage makes of it; a process to fork from."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import chaosprep
from chaosprep import Dataset
from chaosprep.phantom import Patient, write_chaos
from tests.attacks.attacker import Zygote
from tests.stages.normalized import METHODS, Normal
from tests.stages.scanners import split_of_scanners
from tests.systems.elsewhere import NOT_ON_WINDOWS
from tests.systems.shim import VARIABLE, install, to_inherit

if os.environ.get(VARIABLE) == "windows":  # its rules for files, in every test
    os.environ.update(to_inherit())
    install()

    def pytest_runtest_setup(item: pytest.Item) -> None:
        """Leave out what there is not."""
        if reason := NOT_ON_WINDOWS.get(item.name.partition("[")[0]):
            pytest.skip(f"on Windows, {reason}")


# How long one example takes depends on what else the machine does; it is no failure.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

SMALL = (
    Patient(id=1, slices=4, matrix=32),
    Patient(id=2, slices=4, matrix=32, sequences=("t1-in", "t1-out"), implicit=True),
    Patient(id=3, slices=4, matrix=40, sequences=("t1-in", "t1-out")),
    Patient(id=5, slices=3, matrix=32, sequences=("t1-in",)),
    Patient(id=1, modality="CT", slices=5, matrix=32),
)

BOTH = ("t1-in", "t1-out")


@pytest.fixture(scope="session")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four MR patients and one of CT, all with masks. Read only."""
    return write_chaos(tmp_path_factory.mktemp("phantom"), SMALL)


@pytest.fixture(scope="session")
def pairs(phantom: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """What split makes of the phantom's in-phase series: three patients train, one val."""
    return chaosprep.split(phantom, tmp_path_factory.mktemp("pairs"), val=0.25)


@pytest.fixture(scope="session")
def livers(pairs: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The same pairs with binary masks of the liver."""
    return chaosprep.extract_liver(pairs, tmp_path_factory.mktemp("livers"))


@pytest.fixture(scope="session")
def images(livers: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The same pairs with windowed 8-bit images."""
    return chaosprep.convert(livers, tmp_path_factory.mktemp("images"))


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


@pytest.fixture(scope="session")
def scanners(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Six patients of one anatomy in two scanners, 5 and 6 on the validation side. Read only."""
    return split_of_scanners(tmp_path_factory.mktemp("scanners"))


@pytest.fixture(scope="session")
def normalized(scanners: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Normal:
    """What each way to normalize makes of them."""
    place = tmp_path_factory.mktemp("normalized")
    return {how: chaosprep.convert(scanners, place / how, normalize=how) for how in METHODS}


@pytest.fixture(scope="session")
def forked() -> Iterator[Zygote]:
    """Runs commands, each in a process of its own that has imported everything."""
    if sys.platform != "linux":
        pytest.skip("made for Linux alone")
    process = Zygote()
    yield process
    process.close()
