"""Full and read-only disks, outputs in odd places, two runs at once, input that changes."""

import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

import chaosprep as library
from chaosprep.errors import ProblemsError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.options import Event
from tests.formats.samples import PIXELS, chunk, dataset, encapsulated, encoded, png
from tests.hostile.trees import IMAGE, MASK, chaosprep, write_patient
from tests.running.toys import snapshot, within

PAGE = 4096  # bytes; a tmpfs takes whole pages


class Disk:
    """A small file system of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mount(self, pages: int) -> None:
        """An empty one of so many pages."""
        self.unmount()
        self._call("mount", "-t", "tmpfs", "-o", f"size={pages * PAGE}", "tmpfs", str(self.path))

    def set(self, option: str) -> None:
        """Another size, or read-only."""
        self._call("mount", "-o", f"remount,{option}", str(self.path))

    def unmount(self) -> None:
        if self.path.is_mount():
            self._call("umount", str(self.path))

    def _call(self, *command: str) -> None:
        subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    (tmp_path / "disk").mkdir()
    made = Disk(tmp_path / "disk")
    try:
        made.mount(16)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a tmpfs is not allowed here")
    yield made
    made.unmount()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients of three slices."""
    patients = [Patient(id=id, sequences=("t1-in",), slices=3, matrix=24) for id in (1, 2, 3)]
    return write_chaos(tmp_path_factory.mktemp("faults") / "root", patients)


@pytest.fixture(scope="module")
def pairs(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("pairs") / "out"
    assert chaosprep("split", root, "-o", output, "--val", "0.3").code == 0
    return output


@pytest.fixture(scope="module")
def livers(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("livers") / "out"
    assert chaosprep("extract-liver", pairs, "-o", output).code == 0
    return output


FULL = (
    "{}: cannot be written (No space left on device). Make room or choose another output; the "
    "same command continues from here."
)


@pytest.mark.parametrize("verb", ["split", "convert"])
def test_a_full_disk_is_named_and_the_same_command_goes_on_after_it(
    disk: Disk, root: Path, livers: Path, tmp_path: Path, verb: str
) -> None:
    """Every size from nothing up: it ends among the images, in the journal, table, descriptor."""
    source = {"split": root, "convert": livers}[verb]
    more = ("--val", "0.3") if verb == "split" else ()
    assert chaosprep(verb, source, "-o", tmp_path / "whole", *more).code == 0
    expected = snapshot(tmp_path / "whole")
    output, stops = disk.path / "out", set[str]()
    for pages in range(1, 100):
        disk.mount(pages)
        said = chaosprep(verb, source, "-o", output, *more)
        if said.code == 0:
            break
        assert (said.code, said.err.splitlines()[-1]) == (1, f"Error: {FULL.format(output)}")
        assert not (output / "datapackage.json").exists()
        assert [path for path in output.rglob("*") if path.name.endswith(".part")] == []
        stops.add(_last(output))
        disk.set("size=4m")
        assert chaosprep(verb, source, "-o", output, *more).code == 0
        assert snapshot(output) == expected
    assert snapshot(output) == expected
    assert stops == {"journal.jsonl", "slices.jsonl"}  # the images or the table, the descriptor


def _last(output: Path) -> str:
    """How far a run came: the last of these that there is."""
    marks = ("slices.jsonl", "journal.jsonl")
    here = {path.name for path in output.rglob("*")}
    return next((name for name in marks if name in here), "")


def test_a_full_disk_stops_worker_processes_too(disk: Disk, livers: Path) -> None:
    disk.mount(8)
    output = disk.path / "out"
    command = [sys.executable, "-m", "chaosprep.cli.main", "convert", str(livers)]
    done = subprocess.run(
        [*command, "-o", str(output), "-j", "2"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"Error: {FULL.format(output)}"
    assert "Traceback" not in done.stderr


def test_a_read_only_output_is_named(disk: Disk, livers: Path) -> None:
    disk.set("ro")
    output = disk.path / "out"
    said = chaosprep("convert", livers, "-o", output)
    assert said.code == 1
    assert said.err == (
        f"Error: {output}: cannot be written (Read-only file system). Make it writable or choose "
        "another output; the same command continues from here.\n"
    )


def test_what_is_done_on_a_read_only_disk_is_done(disk: Disk, livers: Path) -> None:
    disk.set("size=4m")
    output = disk.path / "out"
    assert chaosprep("convert", livers, "-o", output).code == 0
    disk.set("ro")
    assert "(already done)" in chaosprep("convert", livers, "-o", output).out
    assert chaosprep("verify", output).code == 0


PLACES = {
    "the input": "in",
    "inside the input": "in/out",
    "around the input": ".",
    "the input by another name": "in/../in",
    "the input through a link": "link",
    "inside the input through a link": "link/out",
}


@pytest.mark.parametrize("name", PLACES)
def test_an_output_at_the_input_is_refused_and_nothing_is_touched(
    name: str, livers: Path, tmp_path: Path
) -> None:
    source = Path(shutil.copytree(livers, tmp_path / "in"))
    (tmp_path / "link").symlink_to("in")
    before = snapshot(tmp_path)
    output = f"{tmp_path}/{PLACES[name]}"
    for more in ((), ("--overwrite",), ("--dry-run",)):
        said = chaosprep("convert", source, "-o", output, *more)
        assert said.code == 2
        assert said.err == (
            f"Error: {Path(output)}: the output must not be the input, inside it or around it. "
            "Give a directory next to the input.\n"
        )
    assert snapshot(tmp_path) == before


def test_an_output_of_somebody_else_is_not_touched(livers: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    said = chaosprep("convert", livers, "-o", tmp_path, "--overwrite")
    assert (said.code, said.err) == (
        1,
        f"Error: {tmp_path}: it is not empty, and not a stage directory. Give an empty or a new "
        "directory.\n",
    )
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_an_output_that_is_a_link_to_itself_is_named(livers: Path, tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("out")
    said = chaosprep("convert", livers, "-o", tmp_path / "out")
    assert said.code == 1
    assert said.err.startswith(f"Error: {tmp_path / 'out'}: cannot be written (")


SLOW = """
import sys
import chaosprep

def on_event(event):
    if event.kind == "planned":
        print("held", flush=True)
        sys.stdin.read()

chaosprep.convert(sys.argv[1], sys.argv[2], on_event=on_event)
"""


@pytest.fixture
def holder(livers: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run into `out` that stops before its first case, until its input ends."""
    command = [sys.executable, "-c", SLOW, str(livers), str(tmp_path / "out")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert within(30, process.stdout.readline) == b"held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_run_into_one_output_says_who_holds_it(
    holder: subprocess.Popen[bytes], livers: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    said = chaosprep("convert", livers, "-o", output)
    assert (said.code, said.err) == (
        1,
        f"Error: {output}: process {holder.pid} is writing there. Wait for it to finish, or give "
        "another output.\n",
    )
    holder.communicate(timeout=60)
    assert holder.returncode == 0
    assert "(already done)" in chaosprep("convert", livers, "-o", output).out


def replace(file: Path) -> None:
    file.unlink()  # a carried file is a hard link: others have it too
    file.write_bytes(b"something else")


def make_fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "replaced": (
        replace,
        "the file is not the one that the manifest records. Run the stage that made it again "
        "with overwrite=True",
    ),
    "removed": (Path.unlink, "the file is missing. Bring it back"),
    "a FIFO now": (
        make_fifo,
        "it is not a regular file. Move it out of the folder",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_parents_file_that_changes_after_the_planning_is_named(
    name: str, livers: Path, tmp_path: Path
) -> None:
    change, reason = CHANGES[name]
    source = Path(shutil.copytree(livers, tmp_path / "in"))
    file = "train/images/MR001_t1-in_s001.dcm"
    assert (source / file).exists()

    def on_event(event: Event) -> None:
        if event.kind == "planned":
            change(source / file)

    with pytest.raises(ProblemsError) as caught:
        library.convert(source, tmp_path / "out", on_event=on_event)
    assert [str(found) for found in caught.value.problems] == [
        f"MR001_t1-in_s001: {file}: {reason}."
    ]


def test_an_input_that_changed_after_a_stage_is_not_taken_for_done(
    root: Path, tmp_path: Path
) -> None:
    source = Path(shutil.copytree(root, tmp_path / "root"))
    output = tmp_path / "out"
    command = ("split", source, "-o", output, "--val", "0.3")
    assert chaosprep(*command).code == 0
    assert "(already done)" in chaosprep(*command).out
    image = next(source.rglob("*.dcm"))
    image.write_bytes(image.read_bytes()[:-1] + b"\1")
    before = snapshot(output)
    said = chaosprep(*command)
    assert (said.code, said.err) == (
        1,
        f"Error: {output}: its input has changed since it was made. Use --overwrite to make it "
        "again, or another output directory.\n",
    )
    assert snapshot(output) == before
    assert chaosprep(*command, "--overwrite").code == 0
    assert "(already done)" in chaosprep(*command).out


def deflated_bomb() -> bytes:
    """300 KB that inflate to 300 MB."""
    return encoded(dataset(PixelData=bytes(300 * 2**20)), DeflatedExplicitVRLittleEndian)


@cache
def packed() -> bytes:
    """1100 MB of zeros in 5 MB or less."""
    packer, zeros = zlib.compressobj(1), bytes(2**22)
    return b"".join(packer.compress(zeros) for _ in range(275)) + packer.flush()


def png_bomb() -> bytes:
    """A mask of 3 x 4 whose pixels unpack to more than a gigabyte."""
    whole = png([bytes(4)] * 3, cols=4)
    at = whole.index(b"IDAT") - 4
    return whole[:at] + chunk(b"IDAT", packed()) + whole[-12:]


def text_bomb() -> bytes:
    """A good mask with a comment of more than a gigabyte."""
    return png([bytes(4)] * 3, cols=4, extra=chunk(b"zTXt", b"Comment\0\0" + packed()))


def rle_bomb() -> bytes:
    """Runs of 128 bytes, two bytes each, for an image that announces 12 pixels."""
    segment = b"\x81\0" * 2**21
    header = np.array([1, 64, *[0] * 14], "<u4").tobytes()
    return encapsulated([header + segment], RLELossless)


def large_rle() -> bytes:
    """The largest image that is allowed, in a file of 2 MB: 8192 x 8192 of 8 bits."""
    segment = b"\x81\0" * (2**26 // 128)
    header = np.array([1, 64, *[0] * 14], "<u4").tobytes()
    shape = {"Rows": 8192, "Columns": 8192}
    return encapsulated([header + segment], RLELossless, PIXELS.astype(np.uint8), **shape)


BOMBS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "deflate": (IMAGE, deflated_bomb, f"{IMAGE}: it inflates to more than 257 MiB."),
    "RLE": (IMAGE, rle_bomb, f"{IMAGE}: its RLE data grow far beyond the image."),
    "PNG": (MASK, png_bomb, f"{MASK}: the PNG holds too much data."),
    "PNG, beside the pixels": (MASK, text_bomb, ""),
}
MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], timeout=60)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(done.returncode, usage.ru_maxrss, usage.ru_utime + usage.ru_stime, flush=True)
"""


def measured(*command: str) -> tuple[int, int, float, str]:
    """Run a command in its own process: exit code, peak memory in KiB, processor time, stderr."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    code, peak, seconds = done.stdout.splitlines()[-1].split()
    return int(code), int(peak), float(seconds), done.stderr


def chain(root: Path, work: Path) -> Iterator[tuple[int, int, float, str]]:
    """The stages up to the first that fails."""
    here = root
    for verb in ("split", "extract-liver", "convert"):
        more = ("-j", "1", *(("--val", "0") if verb == "split" else ()))
        program = (sys.executable, "-m", "chaosprep.cli.main", verb)
        done = measured(*program, str(here), "-o", str(work / verb), *more)
        yield done
        if done[0]:
            return
        here = work / verb


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_little_memory_and_time(name: str, tmp_path: Path) -> None:
    path, make, message = BOMBS[name]
    root = write_patient(tmp_path / "root")
    (root / path).write_bytes(make())
    runs = list(chain(root, tmp_path))
    assert runs[-1][0] == (1 if message else 0)
    assert message in runs[-1][3]
    assert not [said for _, _, _, said in runs if "libpng" in said]
    assert max(peak for _, peak, _, _ in runs) < 2**20
    assert max(seconds for _, _, seconds, _ in runs) < 10


def test_the_largest_image_that_is_allowed_stays_below_a_gigabyte(tmp_path: Path) -> None:
    root = write_patient(tmp_path / "root")
    for folder in (root / IMAGE).parent, (root / MASK).parent:
        shutil.rmtree(folder)
        folder.mkdir()
    (root / IMAGE).write_bytes(large_rle())
    (root / MASK).write_bytes(png([bytes(2**13)] * 2**13, cols=2**13))
    for code, peak, seconds, said in chain(root, tmp_path):
        assert code == 0, said
        assert peak < 2**20
        assert seconds < 10


def test_the_measure_sees_what_a_process_takes() -> None:
    code, peak, _, _ = measured(sys.executable, "-c", "taken = b'x' * (300 * 2**20)")
    assert code == 0
    assert 300 * 2**10 < peak < 400 * 2**10
