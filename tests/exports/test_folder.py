"""The folder of an export: new and whole, and nobody's files are lost."""

from pathlib import Path

import pytest

from chaosprep import Dataset
from chaosprep.errors import ChaosprepError
from chaosprep.exports import nifti
from chaosprep.running.options import RunOptions
from tests.exports.seen import content

AGAIN = RunOptions(overwrite=True)


@pytest.fixture
def made(livers: Dataset, tmp_path: Path) -> Path:
    return nifti.export(livers, tmp_path / "out").path


def test_overwrite_gives_the_same_again(made: Path, livers: Dataset) -> None:
    before = content(made)
    assert content(nifti.export(livers, made, options=AGAIN).path) == before
    assert [path.name for path in made.parent.iterdir()] == ["out"]


def test_a_file_that_somebody_added_is_not_deleted(made: Path, livers: Dataset) -> None:
    (made / "notes.txt").write_text("mine")
    with pytest.raises(ChaosprepError, match="did not make") as error:
        nifti.export(livers, made, options=AGAIN)
    assert error.value.code == "output-foreign"
    assert (made / "notes.txt").read_text() == "mine"


def test_the_folder_that_one_stands_in_can_be_filled(
    livers: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    nifti.export(livers, ".")
    assert (tmp_path / "here/participants.tsv").exists()


def test_a_link_to_an_export_stays_a_link(made: Path, livers: Dataset, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(made)
    nifti.export(livers, tmp_path / "link", options=AGAIN)
    assert (tmp_path / "link").is_symlink()
    assert (made / "participants.tsv").exists()
