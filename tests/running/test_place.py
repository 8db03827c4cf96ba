"""A stage writes where nothing is, or where its own stands; it takes nothing of somebody else's."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaosprep.dataset.manifest import Dataset
from chaosprep.errors import ChaosprepError, ProblemsError
from chaosprep.running.options import Event
from chaosprep.running.place import check_output
from chaosprep.running.runner import run
from tests.hostile.trees import chaosprep, write_patient
from tests.running.toys import TOY, ToyCase, ToyParams, handmade, snapshot, source

IMAGE = "train/images/MR001_t1-in_s000.png"
BROKEN = (ToyCase("MR001_t1-in"), ToyCase("MR002_t1-in", (3, -1)))
State = Callable[[Path], object]


def made(tmp_path: Path, *cases: ToyCase, name: str = "out", **options: Any) -> Dataset:
    return run(TOY, ToyParams(), source(tmp_path, *cases), tmp_path / name, **options)


def unfinished(tmp_path: Path) -> None:
    """An output with one case of two, as an interrupted run leaves it."""
    with pytest.raises(ProblemsError):
        made(tmp_path, *BROKEN)


def finished(tmp_path: Path) -> None:
    made(tmp_path)


def empty(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file of somebody, outside of every output."""
    (tmp_path / "precious").write_bytes(b"precious")
    return tmp_path / "precious"


def told(path: Path) -> tuple[bytes, int, int]:
    """All that must not change of a file."""
    return path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_nlink


def tree(directory: Path) -> dict[str, tuple[int, int, int, bytes | str]]:
    """Whatever stands below a directory: kind and mode, change, links, bytes or target."""
    found: dict[str, tuple[int, int, int, bytes | str]] = {}
    for path in directory.rglob("*"):
        stat = path.lstat()
        held: bytes | str = b""
        if path.is_symlink():
            held = str(path.readlink())
        elif path.is_file():
            held = path.read_bytes()
        name = path.relative_to(directory).as_posix()
        found[name] = (stat.st_mode, stat.st_mtime_ns, stat.st_nlink, held)
    return found


def refused(tmp_path: Path, code: str, **options: Any) -> str:
    """Why a run is refused; it changes nothing at all."""
    before = tree(tmp_path)
    with pytest.raises(ChaosprepError) as caught:
        made(tmp_path, **options)
    assert (caught.value.code, caught.value.exit_code) == (code, 1)
    assert tree(tmp_path) == before
    return caught.value.reason


KINDS: dict[str, Callable[[Path, Path], object]] = {
    "a symbolic link": lambda path, to: path.symlink_to(to),
    "a hard link": lambda path, to: path.hardlink_to(to),
    "a FIFO": lambda path, to: os.mkfifo(path),
    "a folder": lambda path, to: path.mkdir(),
}
STATES: dict[str, State] = {"empty": empty, "unfinished": unfinished, "finished": finished}


def put(path: Path, kind: str, precious: Path) -> None:
    """Put such a thing in the place of whatever stands there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    KINDS[kind](path, precious)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["lock", "journal.jsonl", "settings.json"])
def test_what_is_no_file_of_a_run_in_the_workspace_is_refused_before_anything_is_written(
    tmp_path: Path, precious: Path, state: str, kind: str, name: str
) -> None:
    STATES[state](tmp_path)
    put(tmp_path / "out/.chaosprep" / name, kind, precious)
    for overwrite in (False, True):
        reason = refused(tmp_path, "workspace", overwrite=overwrite)
        assert reason.startswith(f"{tmp_path}/out/.chaosprep/{name}: it is ")


@pytest.mark.parametrize("state", ["empty", "finished"])
def test_a_workspace_that_is_a_link_is_refused(tmp_path: Path, precious: Path, state: str) -> None:
    STATES[state](tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/journal.jsonl").hardlink_to(precious)
    (tmp_path / "out/.chaosprep").symlink_to("../elsewhere")
    for overwrite in (False, True):
        assert "it is a symbolic link" in refused(tmp_path, "workspace", overwrite=overwrite)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["slices.jsonl", "datapackage.json", "shard.json"])
def test_what_is_no_file_where_the_table_or_a_descriptor_goes_is_refused(
    tmp_path: Path, precious: Path, kind: str, name: str
) -> None:
    precious.write_bytes(b'{"chaosprep": 1}')  # which makes a descriptor known as ours
    finished(tmp_path)
    put(tmp_path / "out" / name, kind, precious)
    code = "output" if name == "slices.jsonl" or kind == "a hard link" else "output-foreign"
    assert str(tmp_path / "out") in refused(tmp_path, code, overwrite=True)


def test_a_copy_made_of_hard_links_is_made_again_as_it_says(tmp_path: Path) -> None:
    """`cp -al` before --overwrite: the copy stays what it was."""
    finished(tmp_path)
    shutil.copytree(tmp_path / "out", tmp_path / "kept", copy_function=os.link)
    before = snapshot(tmp_path / "kept")
    for name in ("datapackage.json", "slices.jsonl"):
        with pytest.raises(ChaosprepError) as caught:
            made(tmp_path, overwrite=True)
        assert caught.value.reason.startswith(f"{tmp_path}/out/{name}: it is a hard link")
        assert caught.value.remedy.startswith("Put a copy in its place")
        shutil.copyfile(tmp_path / "kept" / name, tmp_path / "copy")
        (tmp_path / "copy").replace(tmp_path / "out" / name)
    made(tmp_path, overwrite=True)
    assert snapshot(tmp_path / "kept") == before


@pytest.mark.parametrize("kind", ["a symbolic link", "a FIFO"])
@pytest.mark.parametrize("state", ["unfinished", "finished"])
@pytest.mark.parametrize("folder", ["test", "test/images", "val/masks"])
def test_what_is_no_folder_where_one_of_a_side_goes_is_refused(
    tmp_path: Path, precious: Path, kind: str, state: str, folder: str
) -> None:
    STATES[state](tmp_path)
    if (tmp_path / "out" / folder).exists():
        (tmp_path / "out" / folder).rename(tmp_path / "away")
    put(tmp_path / "out" / folder, kind, precious)
    assert str(tmp_path / "out") in refused(tmp_path, "output", overwrite=True)


FOREIGN = {
    "notes": "train/images/notes.txt",
    "a picture": "train/images/mine.png",
    "a picture of a name like ours": "train/masks/MR001_t1-in_s000_edited.png",
    "a sidecar": "train/images/MR001_t1-in_s000.json",
    "a folder": "val/masks/more/MR001_t1-in_s000.png",
    "another kind of folder": "test/labels/MR001_t1-in_s000.txt",
}


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("state", ["unfinished", "finished"])
def test_a_file_that_no_run_made_is_refused_by_name(tmp_path: Path, state: str, what: str) -> None:
    STATES[state](tmp_path)
    file = tmp_path / "out" / FOREIGN[what]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine")
    reason = refused(tmp_path, "output-foreign", overwrite=True)
    shown = "/".join(FOREIGN[what].split("/")[: 2 if "kind of" in what else 3])
    assert reason == f"{tmp_path}/out: it holds what no run made: {shown}"
    if state == "unfinished":
        assert refused(tmp_path, "output-foreign") == reason
    file.unlink()
    while file.parent != tmp_path / "out" and not any(file.parent.iterdir()):
        file = file.parent
        file.rmdir()
    made(tmp_path, overwrite=True)


def test_many_of_them_are_counted(tmp_path: Path) -> None:
    finished(tmp_path)
    for number in range(7):
        (tmp_path / f"out/train/images/{number}.png").touch()
    reason = refused(tmp_path, "output-foreign", overwrite=True)
    assert ": it holds 7 files or folders that no run made: train/images/" in reason
    assert reason.endswith(".png, ...")
    assert reason.count(".png") == 3


def test_a_finished_output_is_only_read_whatever_lies_in_it(tmp_path: Path) -> None:
    finished(tmp_path)
    (tmp_path / "out/train/images/mine.png").touch()
    before, events = tree(tmp_path), list[Event]()
    made(tmp_path, on_event=events.append)
    assert [event.kind for event in events] == ["already-done"]
    assert tree(tmp_path) == before


@pytest.mark.parametrize("state", ["unfinished", "finished"])
@pytest.mark.parametrize("name", ["README.md", "report.html", "figures/one.png", ".DS_Store"])
def test_what_lies_beside_the_sides_of_an_output_of_ours_is_kept(
    tmp_path: Path, state: str, name: str
) -> None:
    STATES[state](tmp_path)
    (tmp_path / "out" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "out" / name).write_text("mine")
    made(tmp_path, overwrite=True)
    assert (tmp_path / "out" / name).read_text() == "mine"
    assert set(snapshot(tmp_path / "out")) - {name, "figures/"} == set(
        snapshot(made(tmp_path, name="fresh").directory)
    )


LEFT = (
    "train/images/MR001_t1-in_s000.npy",
    "train/images/MR009_t2-spir_s012.dcm",
    "train/masks/MR001_t1-in_s000_a07.png",
    f"val/images/MR002_t1-in_s000.png.{'0f' * 16}.part",
    f".chaosprep/.{'0f' * 16}.part",
    f".chaosprep/run-{'0f' * 16}",
    ".chaosprep/.nfs0000000000a1",
    "slices.jsonl.part",
    "datapackage.json.part",
    "train/images/.DS_Store",
)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("state", ["unfinished", "finished"])
def test_what_runs_of_other_parameters_or_releases_left_never_stops_one(
    tmp_path: Path, state: str, overwrite: bool
) -> None:
    STATES[state](tmp_path)
    for name in LEFT:
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_bytes(b"torn")
    made(tmp_path, overwrite=overwrite)
    if state == "unfinished" or overwrite:
        left = set(snapshot(tmp_path / "out")) - {"train/images/.DS_Store"}
        kept = {".chaosprep/", ".chaosprep/.nfs0000000000a1"}
        assert left - kept == set(snapshot(made(tmp_path, name="fresh").directory))


@pytest.mark.parametrize(
    "kept", [(), ("lock",), ("settings.json",)], ids=["nothing", "lock", "settings"]
)
@pytest.mark.parametrize(
    "name", ["thesis.tex", "src/main.py", "best.pt", "datapackage.json", "train.csv"]
)
def test_a_hidden_folder_alone_makes_nobodys_folder_ours(
    tmp_path: Path, name: str, kept: tuple[str, ...]
) -> None:
    (tmp_path / "out/.chaosprep").mkdir(parents=True)
    for one in kept:
        (tmp_path / "out/.chaosprep" / one).touch()
    (tmp_path / "out" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "out" / name).write_text('{"name": "mine", "resources": []}')
    for overwrite in (False, True):
        reason = refused(tmp_path, "output-foreign", overwrite=overwrite)
        if "lock" in kept and name != "datapackage.json":
            assert reason.endswith(f"it holds what no run made: {name.partition('/')[0]}")
        else:
            assert reason.endswith("it is not empty, and not a stage directory")


def test_a_table_of_somebodys_with_an_empty_hidden_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "out/.chaosprep").mkdir(parents=True)
    (tmp_path / "out/slices.jsonl").write_text("mine")
    refused(tmp_path, "output-foreign", overwrite=True)


def test_another_descriptor_is_not_replaced_although_a_run_began_there(tmp_path: Path) -> None:
    unfinished(tmp_path)
    (tmp_path / "out/datapackage.json").write_text('{"name": "mine", "resources": []}')
    for overwrite in (False, True):
        refused(tmp_path, "output-foreign", overwrite=overwrite)


def test_a_run_that_ends_between_two_looks_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It commits and takes its workspace away after the first listing of the output."""
    unfinished(tmp_path)
    listing, times = Path.iterdir, list[Path]()

    def late(self: Path) -> object:
        found = list(listing(self))
        times.append(self)
        if self == tmp_path / "out":
            monkeypatch.undo()
            made(tmp_path)
        return iter(found)

    monkeypatch.setattr("chaosprep.running.workspace.Workspace.check", lambda self: None)
    monkeypatch.setattr(Path, "iterdir", late)
    check_output(tmp_path / "out")
    assert times == [tmp_path / "out"]


def test_the_command_line_says_it_in_one_line_and_a_dry_run_too(
    tmp_path: Path, precious: Path
) -> None:
    output = handmade(tmp_path / "out")
    (output / ".chaosprep").mkdir()
    (output / ".chaosprep/journal.jsonl").hardlink_to(precious)
    write_patient(tmp_path / "root")
    before = told(precious)
    for more in ((), ("--overwrite",), ("--dry-run",)):
        said = chaosprep("split", tmp_path / "root", "-o", output, *more)
        assert (said.code, said.err) == (
            1,
            f"Error: {output}/.chaosprep/journal.jsonl: it is a hard link to a file that has "
            "another name. Look at it, move it away, and run the same command again.\n",
        )
    assert told(precious) == before


def test_a_workspace_that_cannot_be_looked_at_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root looks everywhere")
    finished(tmp_path)
    (tmp_path / "out/.chaosprep").mkdir(mode=0)
    assert "cannot be written (Permission denied)" in refused(tmp_path, "output")
