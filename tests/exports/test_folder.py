"""The folder of an export: new and whole, and nobody's files are lost."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from chaosprep import Dataset
from chaosprep.errors import ChaosprepError, OutputError
from chaosprep.exports import croissant, huggingface, monai, nifti, nnunet, parquet, webdataset
from chaosprep.running import exchange, folder
from chaosprep.running.options import RunOptions
from chaosprep.running.standing_folder import RECORD
from tests.exports.seen import content

AGAIN = RunOptions(overwrite=True)
SKIP = RunOptions(on_error="skip", overwrite=True)
HEX = "0" * 32


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


def test_what_an_operating_system_leaves_in_a_folder_is_nobodys_file(
    livers: Dataset, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".DS_Store").touch()
    before = content(nifti.export(livers, out).path)
    for name in (".DS_Store", "Thumbs.db"):
        (out / name).touch()
    assert content(nifti.export(livers, out, options=AGAIN).path) == before


def refusal(livers: Dataset, output: Path, options: RunOptions = AGAIN) -> ChaosprepError:
    with pytest.raises(ChaosprepError) as caught:
        nifti.export(livers, output, options=options)
    return caught.value


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_killed_runs_left_is_cleared_by_the_next(made: Path, livers: Dataset) -> None:
    room = made.with_name(".out.chaosprep")
    for left in (HEX, f"{HEX}.old"):
        (room / left / "images").mkdir(parents=True)
        (room / left / "images/half.nii.gz").write_bytes(b"half")
    before = content(made)
    assert refusal(livers, made, RunOptions()).code == "output"
    assert names(made.parent) == ["out"]
    assert content(made) == before


def test_what_somebody_put_in_the_workspace_is_named_and_stays(
    livers: Dataset, tmp_path: Path
) -> None:
    (tmp_path / ".out.chaosprep").mkdir()
    (tmp_path / ".out.chaosprep/notes.txt").write_text("mine")
    error = refusal(livers, tmp_path / "out")
    assert (error.code, "notes.txt" in error.reason) == ("workspace", True)
    assert names(tmp_path) == [".out.chaosprep"]


@pytest.mark.parametrize("name", [".out.part", ".out.old"])
def test_a_hidden_folder_of_the_user_beside_it_stays(
    livers: Dataset, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "notes.txt").write_text("mine")
    nifti.export(livers, tmp_path / "out")
    nifti.export(livers, tmp_path / "out", options=AGAIN)
    assert (tmp_path / name / "notes.txt").read_text() == "mine"


def test_an_export_that_was_set_aside_is_back_before_anything_else(
    made: Path, livers: Dataset
) -> None:
    """A run was killed between its two renames, where the system knows no exchange."""
    before = content(made)
    room = made.with_name(".out.chaosprep")
    room.mkdir()
    made.rename(room / f"{HEX}.old")
    assert refusal(livers, made, RunOptions()).code == "output"
    assert content(made) == before
    assert names(made.parent) == ["out"]


def test_an_export_that_was_set_aside_is_kept_where_something_else_has_its_name(
    made: Path, livers: Dataset
) -> None:
    room = made.with_name(".out.chaosprep")
    room.mkdir()
    made.rename(room / f"{HEX}.old")
    made.mkdir()
    (made / "notes.txt").write_text("mine")
    assert refusal(livers, made).code == "workspace"
    assert (room / f"{HEX}.old/participants.tsv").exists()
    assert names(made) == ["notes.txt"]


@pytest.mark.parametrize("is_known", [True, False])
def test_the_earlier_one_is_whole_until_the_new_one_has_its_name(
    made: Path, livers: Dataset, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    before, take, seen = content(made), exchange.take_name, []

    def watched(new: Path, place: Path) -> None:
        seen.append(content(place))
        take(new, place)

    if not is_known:
        monkeypatch.setattr(exchange, "system_call", lambda name: None)
    monkeypatch.setattr(folder, "take_name", watched)
    parquet.export(livers, made, options=AGAIN)
    assert seen == [before]
    assert names(made.parent) == ["out"]
    assert "slices.parquet" in names(made)


def test_what_came_while_it_was_made_is_not_replaced(
    livers: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = folder.license_text

    def slow(dataset: Dataset) -> str:
        (tmp_path / "out").mkdir()
        (tmp_path / "out/notes.txt").write_text("mine")
        return write(dataset)

    monkeypatch.setattr(folder, "license_text", slow)
    assert refusal(livers, tmp_path / "out").code == "output-foreign"
    assert (tmp_path / "out/notes.txt").read_text() == "mine"
    assert names(tmp_path) == ["out"]


def test_it_is_on_the_disk_before_it_has_its_name(
    livers: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[bool] = []

    def settle(made: Path) -> None:
        is_whole = (made / RECORD).exists()
        flushed.append(is_whole and not (tmp_path / "out").exists())

    monkeypatch.setattr(folder, "flush_folder", settle)
    nifti.export(livers, tmp_path / "out")
    assert flushed == [True]


def test_a_stage_directory_is_never_an_output(
    livers: Dataset, images: Dataset, tmp_path: Path
) -> None:
    stage = Path(shutil.copytree(images.directory, tmp_path / "stage"))
    before = content(stage)
    assert refusal(livers, stage).code == "output-foreign"
    assert content(stage) == before
    assert names(stage.parent) == ["stage"]


def test_two_at_once_do_not_write_one_folder(livers: Dataset, tmp_path: Path) -> None:
    hold = (
        "import sys; from pathlib import Path; from chaosprep.running.workspace import Workspace\n"
        "with Workspace.beside(Path(sys.argv[1])).held(): print(flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", hold, str(tmp_path / "out")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert refusal(livers, tmp_path / "out").code == "locked"
        holder.kill()
    nifti.export(livers, tmp_path / "out")
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("export", [nifti, monai, parquet, nnunet])
def test_a_full_disk_ends_an_export_and_is_no_fault_of_a_case(
    livers: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, export: ModuleType
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    made = export.export(livers, tmp_path / "out").path
    before = content(made)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError) as caught:
        export.export(livers, tmp_path / "out", options=SKIP)
    assert caught.value.reason == f"{made}: cannot be written (No space left on device)"
    assert "skip" not in caught.value.text
    monkeypatch.undo()
    assert content(made) == before
    assert names(tmp_path) == ["out"]


def test_a_volume_that_is_short_on_a_full_disk_is_no_fault_of_its_case(
    livers: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ITK writes what there is room for, and says nothing."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    def short(file: Path, volume: object) -> None:
        file.write_bytes(b"half")
        monkeypatch.setattr(os, "write", full)

    monkeypatch.setattr("chaosprep.formats.nifti.write_nifti", short)
    error = refusal(livers, tmp_path / "out", SKIP)
    assert error.reason == f"{tmp_path}/out: cannot be written (No space left on device)"


def test_a_place_below_a_file_is_told(livers: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = refusal(livers, tmp_path / "file/out")
    assert error.reason == f"{tmp_path}/file/out: cannot be written (Not a directory)"


def test_a_name_that_is_too_long_is_told(livers: Dataset, tmp_path: Path) -> None:
    error = refusal(livers, tmp_path / ("x" * 256))
    assert error.reason.endswith("cannot be written (File name too long)")
    assert names(tmp_path) == []


def test_a_name_as_long_as_they_may_be_is_made(livers: Dataset, tmp_path: Path) -> None:
    nifti.export(livers, tmp_path / ("x" * 255))
    assert names(tmp_path) == ["x" * 255]


def test_an_empty_folder_where_a_disk_is_mounted_is_told_before_any_work(
    livers: Dataset, small: Path
) -> None:
    error = refusal(livers, small)
    assert error.reason == (
        f"{small}: a new folder is to take its name, and a disk is mounted there"
    )
    assert error.remedy == "Give the name of a new folder in it."


def test_an_empty_folder_in_a_closed_one_is_told(
    livers: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    assert refusal(livers, tmp_path / "out").reason.endswith(
        "the folder around it cannot be written"
    )
    nifti.export(livers, tmp_path / "out/in")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 16 KiB, for root."""
    place = tmp_path / "small"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(words, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("export", [nifti, parquet, huggingface, webdataset, croissant])
def test_a_disk_that_is_really_full_is_told_and_left_as_it_was(
    livers: Dataset, images: Dataset, small: Path, export: ModuleType, jobs: int
) -> None:
    (small / "full").write_bytes(bytes(8192))
    source = livers if export is nifti else images
    options = RunOptions(on_error="skip", jobs=jobs)
    with pytest.raises(OutputError) as caught:
        export.export(source, small / "out", options=options)
    assert caught.value.reason == f"{small}/out: cannot be written (No space left on device)"
    assert names(small) == ["full"]
