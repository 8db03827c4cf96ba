"""Stage directories to compare with; read only."""

from pathlib import Path

import pytest

import chaosprep
from chaosprep import Dataset


@pytest.fixture(scope="session")
def organs(pairs: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The phantom's in-phase pairs with label maps: liver 1, kidneys 2 and 3, spleen 4."""
    return chaosprep.extract_liver(pairs, tmp_path_factory.mktemp("organs"), all_organs=True)


@pytest.fixture(scope="session")
def resampled(livers: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The livers padded to 48 x 48 pixels."""
    return chaosprep.convert(livers, tmp_path_factory.mktemp("resampled"), size="48")


@pytest.fixture
def case(livers: Dataset) -> str:
    """The id of a case."""
    return livers.cases[0].id


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder to write to."""
    return tmp_path / "out"
