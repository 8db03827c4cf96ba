"""Running the command in this process, and a dataset to run it on."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chaosprep.cli.main import main
from chaosprep.phantom import Patient, write_chaos

Run = Callable[..., Result]


@pytest.fixture
def chaosprep() -> Run:
    """The command, in this process, with one worker."""

    def run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return run


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five MR patients of four small slices each."""
    root = tmp_path_factory.mktemp("chaos")
    patients = [Patient(id=id, sequences=("t1-in",), slices=5, matrix=64) for id in range(1, 6)]
    return write_chaos(root, patients)


@pytest.fixture
def root(pristine: Path, tmp_path: Path) -> Path:
    """A copy of the five patients to damage."""
    return Path(shutil.copytree(pristine, tmp_path / "root"))
