"""Nothing that identifies leaves the DICOM files: canaries in all of it, and a search of all else.

What `split` copies are the user's own files: its `.dcm` files, and its masks as they were.
"""

import shutil
import struct
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydicom import dcmread

from chaosprep.phantom import Patient, write_chaos
from tests.attacks.attacker import Zygote
from tests.formats.samples import chunk, dicom, png
from tests.hostile.canaries import VRS, canary, find, leaks, mark

IN_PHASE = "Train_Sets/MR/{patient}/T1DUAL/DICOM_anon/InPhase/{slice}.dcm"
GROUND = "Train_Sets/MR/{patient}/T1DUAL/Ground/{slice}.png"
LIMIT = 60  # seconds; only a hang takes as long


@dataclass
class Session:
    """Commands, each in a process of its own, and everything that they said."""

    forked: Zygote
    work: Path
    count: int = 0
    said: list[bytes] = field(default_factory=list)

    def run(self, *arguments: str | Path, code: int = 0, jobs: int = 1) -> Path:
        """Run a verb; `@` as the last argument is a new output, which is given back."""
        output = self.work / f"{self.count:02d}-{arguments[0]}"
        words = [str(output if word == "@" else word) for word in arguments]
        done = self.forked.run([*words, "-j", str(jobs)], LIMIT)
        self.count += 1
        self.said += [done.out.encode(), done.err.encode()]
        assert done.code == code, done.err
        assert "Traceback" not in done.err
        return output

    def check(self) -> None:
        """No canary in what was said, in the name or in the bytes of any file."""
        assert [text for text in self.said if find(text)] == []
        own = [path for path in self.work.rglob("*") if path.name.endswith(".dcm")]
        assert find(own[0].read_bytes()) if own else True
        assert leaks(self.work, skip=(".dcm",)) == {}


@pytest.fixture
def session(forked: Zygote, tmp_path: Path) -> Session:
    """Commands that write into an empty folder."""
    work = tmp_path / "work"
    work.mkdir()
    return Session(forked, work)


def with_text(mask: bytes) -> bytes:
    """The same mask with canaries beside its pixels."""
    packed = b"Comment\0\0" + zlib.compress(b"zqleak8888")
    extra = chunk(b"tEXt", b"Author\0zqleak9999") + chunk(b"zTXt", packed)
    return mask[:33] + extra + mask[33:]


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients; every DICOM file is full of canaries."""
    patients = [Patient(id=id, sequences=("t1-in",), slices=3, matrix=32) for id in (1, 2, 3)]
    root = write_chaos(tmp_path_factory.mktemp("marked") / "root", patients)
    for path in root.rglob("*.dcm"):
        path.write_bytes(mark(path.read_bytes()))
    return root


@pytest.fixture(scope="module")
def damaged(marked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with three images damaged, each where a header value could show."""
    root = Path(shutil.copytree(marked, tmp_path_factory.mktemp("damaged") / "root"))
    files = sorted(root.rglob("MR/*/T1DUAL/DICOM_anon/InPhase/*.dcm"))
    edits: dict[int, Callable[[bytes], bytes]] = {
        0: lambda data: data[:-100],
        1: lambda data: data.replace(b"MONOCHROME2 ", b"ZQLEAK12345 "),
        2: lambda data: data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.777777.1.2.3.4.5"[:20]),
        3: lambda data: data.replace(b"\x28\0\x10\0US\2\0", b"\x28\0\x10\0LO\2\0"),
        4: lambda data: b"zqleak4444" * 100,
        5: lambda data: data.replace(b"\x28\0\x30\0DS", b"\x28\0\x30\0ZZ"),
    }
    for index, edit in edits.items():
        before = files[index].read_bytes()
        files[index].write_bytes(edit(before))
        assert files[index].read_bytes() != before
    return root


def test_every_kind_of_element_carries_a_canary() -> None:
    data = mark(dicom())
    found = find(data)
    assert len(found) > 1500
    kinds = Counter(vr for vr in VRS if vr != "AS" and find(canary(1234, vr).encode()))
    assert set(kinds) == {*VRS} - {"AS"}
    assert {canary(number, "LO").encode() for number in range(1, 100)} & found


def test_the_search_finds_a_canary_wherever_it_is(tmp_path: Path) -> None:
    (tmp_path / "zqleak1").mkdir()
    (tmp_path / "text.json").write_text('{"name": "ZqLeak22"}')
    (tmp_path / "date.log").write_text("on 7001-02-03")
    (tmp_path / "pixels.png").write_bytes(png([b"zqleak3 "] * 2, cols=8))
    (tmp_path / "beside.png").write_bytes(with_text(png([b"\0\0"], cols=2)))
    (tmp_path / "clean.png").write_bytes(png([b"\0\0"], cols=2))
    assert leaks(tmp_path) == {
        "zqleak1": {b"zqleak1"},
        "text.json": {b"zqleak22"},
        "date.log": {b"7001-02-03"},
        "pixels.png": {b"zqleak3"},
        "beside.png": {b"zqleak9999", b"zqleak8888"},
    }


def test_the_search_would_find_what_the_files_hold(marked: Path) -> None:
    assert len(leaks(marked)) == len(list(marked.rglob("*.dcm")))


def test_no_stage_lets_anything_out(marked: Path, session: Session) -> None:
    session.run("inspect", marked)
    session.run("inspect", marked, "--json")
    pairs = session.run("split", marked, "--val", "0.3", "-vv", "-o", "@")
    livers = session.run("extract-liver", pairs, "-vv", "-o", "@")
    images = session.run("convert", livers, "-vv", "-o", "@")
    session.run("convert", livers, "--window", "dicom", "--json", "-o", "@")
    session.run("convert", livers, "--keep-16bit", "-o", "@")
    session.run("convert", livers, "--format", "npy", "-o", "@")
    more = session.run("augment", images, "--copies", "2", "-vv", "-o", "@")
    session.run("verify", more)
    session.run("verify", pairs, "--json")
    session.run("prepare", marked, "--val", "0.3", "-vv", "-o", "@", jobs=2)
    session.check()


def test_patients_told_apart_by_their_headers_stay_unknown(marked: Path, session: Session) -> None:
    key = session.work / "key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    where = ("--images", IN_PHASE, "--masks", GROUND, "--pseudonymize", str(key))
    session.run("split", marked, *where, "--val", "0", "-vv", "-o", "@")
    series = [word.replace("{patient}", "{sequence}") for word in where]
    name = session.run(
        "split", marked, *series, "--patient-from", "PatientName", "--test", "0", "-o", "@", code=2
    )
    assert not name.exists()  # all have one name, and a single patient cannot be divided
    session.run("split", marked, *series, "--patient-from", "PatientName", "--val", "0", "-o", "@")
    session.run("inspect", marked, *series, "--patient-from", "PatientID", "--json")
    session.check()


def test_no_error_lets_anything_out(damaged: Path, session: Session) -> None:
    session.run("inspect", damaged, "--json")
    session.run("inspect", damaged)
    session.run("split", damaged, "--val", "0.3", "-vv", "-o", "@", code=1, jobs=2)
    session.run("split", damaged, "--val", "0.3", "--json", "-o", "@", code=1)
    pairs = session.run(
        "split", damaged, "--val", "0.3", "--on-error", "skip", "-vv", "-o", "@", code=3
    )
    livers = session.run("extract-liver", pairs, "-o", "@")
    session.run("convert", livers, "-vv", "-o", "@", code=1)
    images = session.run("convert", livers, "--on-error", "skip", "-vv", "-o", "@", code=3)
    session.run("verify", images)
    assert list(session.work.rglob("journal*"))  # of the runs that failed
    session.check()


@pytest.mark.parametrize(
    ("keyword", "form"),
    [
        *(("PatientName", form) for form in ("{}", "{}_T1", "T1{}", "j{}")),
        *(("OtherPatientNames", "scan-{}"), ("PatientBirthName", "{}")),
    ],
)
def test_a_folder_that_holds_a_name_is_not_named(
    marked: Path, tmp_path: Path, session: Session, keyword: str, form: str
) -> None:
    root = Path(shutil.copytree(marked, tmp_path / "root"))
    place = root / "Train_Sets/MR/1"
    name = str(dcmread(next(place.rglob("*.dcm")))[keyword].value)
    place.rename(place.with_name(form.format(name)))
    output = session.run(
        "split", root, "--images", IN_PHASE, "--val", "0", "-vv", "-o", "@", code=2
    )
    assert b"would identify" in session.said[1]
    assert not output.exists()
    session.check()


@pytest.mark.parametrize(("keyword", "code"), [("SOPInstanceUID", 2), ("StudyID", 1)])
def test_a_file_named_after_its_header_is_not_named(
    marked: Path, tmp_path: Path, session: Session, keyword: str, code: int
) -> None:
    root = Path(shutil.copytree(marked, tmp_path / "root"))
    last = max((root / "Train_Sets/MR/1").rglob("*.dcm"))
    name = str(dcmread(last)[keyword].value)
    assert find(name.encode())
    last.rename(last.with_name(f"{name}.dcm"))
    session.run("split", root, "--images", IN_PHASE, "--val", "0", "-vv", "-o", "@", code=code)
    assert b"would identify" in session.said[1]
    session.check()


def test_masks_lose_what_stands_beside_their_pixels(
    marked: Path, tmp_path: Path, session: Session
) -> None:
    root = Path(shutil.copytree(marked, tmp_path / "root"))
    for path in root.rglob("*.png"):
        path.write_bytes(with_text(path.read_bytes()))
    pairs = session.run("split", root, "--val", "0", "-o", "@")
    livers = session.run("extract-liver", pairs, "-o", "@")
    assert len(leaks(pairs, skip=(".dcm",))) == 9
    assert leaks(livers, skip=(".dcm",)) == {}


KILLED = """
import os, signal, sys
import chaosprep

def on_event(event):
    if event.kind in ("done", "failed"):
        os.kill(os.getpid(), signal.SIGKILL)

chaosprep.split(sys.argv[1], sys.argv[2], val=0.3, on_error="skip", on_event=on_event)
"""


@pytest.mark.parametrize("kind", ["marked", "damaged"])
def test_a_killed_run_leaves_nothing_behind(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    root = request.getfixturevalue(kind)
    output = tmp_path / "out"
    command = [sys.executable, "-c", KILLED, str(root), str(output)]
    done = subprocess.run(command, capture_output=True, timeout=LIMIT, check=False)
    assert done.returncode == -9
    journal = (output / ".chaosprep/journal.jsonl").read_bytes()
    assert b"MR001_t1-in" in journal
    assert find(done.stdout + done.stderr) == set()
    assert leaks(output, skip=(".dcm",)) == {}


def test_the_length_of_a_chunk_is_that_of_its_text() -> None:
    """`with_text` makes PNG that readers take: the chunks before the pixels are whole."""
    made = with_text(png([b"\0"], cols=1))
    assert struct.unpack_from(">I", made, 33) == (len(b"Author\0zqleak9999"),)
