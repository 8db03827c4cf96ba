"""One CHAOS patient of three tiny slices to damage, and the commands that a user runs on it."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import numpy as np
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

from chaosprep.cli.main import main
from tests.formats.samples import PIXELS, dicom, png

SERIES = "Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase"
GROUND = "Train_Sets/MR/1/T1DUAL/Ground"
STEMS = ("IMG-0001-00002", "IMG-0001-00004", "IMG-0001-00006")
FIRST, IMAGE, LAST = (f"{SERIES}/{stem}.dcm" for stem in STEMS)
MASK = f"{GROUND}/{STEMS[1]}.png"
LIVER = png([b"\0\x3f\x3f\0"] * 3, cols=4)
LIMIT = 20  # seconds; only a hang takes as long

Damage = Callable[[Path], None]


def slice_at(place: int, pixels: NDArray[Any] | None = None, /, **changes: object) -> bytes:
    """A slice of the series, unlike the others; the second of the three is what `dicom` makes."""
    if pixels is None:
        pixels = PIXELS + np.uint16((1, 0, 2)[place])
    values: dict[str, Any] = {
        "ImagePositionPatient": [-10, -20, 5.5 * place],
        "InstanceNumber": 6 + place,
    }
    return dicom(pixels, **(values | changes))


def text_at(place: int, keyword: str, text: str, pixels: NDArray[Any] | None = None, /) -> bytes:
    """A slice with a value that pydicom itself would refuse to set."""
    mark = "1234567891"
    made = slice_at(place, pixels, **{keyword: mark})
    assert made.count(mark.encode()) == 1
    return made.replace(mark.encode(), text.ljust(len(mark)).encode())


def write_series(root: Path, make: Callable[[int], bytes]) -> Path:
    """Three slices as they are made, with masks of a liver."""
    (root / SERIES).mkdir(parents=True)
    (root / GROUND).mkdir()
    for place, stem in enumerate(STEMS):
        (root / SERIES / f"{stem}.dcm").write_bytes(make(place))
        (root / GROUND / f"{stem}.png").write_bytes(LIVER)
    return root


def write_patient(root: Path) -> Path:
    """Three slices 5.5 mm apart, with their masks."""
    return write_series(root, slice_at)


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def chaosprep(*arguments: str | Path) -> Said:
    """Run the command in this process, with one worker; a traceback or a hang is a failure."""
    verb, *rest = map(str, arguments)
    with _no_hang():
        result = CliRunner().invoke(main, [verb, *rest, "-j", "1"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return Said(result.exit_code, result.stdout, result.stderr)


@contextmanager
def _no_hang() -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"the command took more than {LIMIT} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True)
class Ended:
    """How the chain of commands ended: the last verb, what it said, and where each wrote to."""

    verb: str
    said: Said
    output: Path

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The table of the last stage."""
        lines = (self.output / "slices.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def image(self, row: dict[str, Any]) -> NDArray[Any]:
        """A row's image, read by other code than the toolkit's."""
        path = self.output / row["image"]
        if path.suffix == ".npy":
            stored: NDArray[Any] = np.load(path, allow_pickle=False)
            return stored
        with Image.open(path) as picture:
            return np.asarray(picture)


KEEP = ("--keep-16bit", "--format", "npy")


def run_chain(root: Path, work: Path, *convert: str, split: tuple[str, ...] = ()) -> Ended:
    """`split`, `extract-liver` and `convert`, up to the first that does not end with 0."""
    here = root
    for verb, more in (
        ("split", ("--val", "0", *split)),
        ("extract-liver", ()),
        ("convert", convert or KEEP),
    ):
        output = work / verb
        said = chaosprep(verb, here, "-o", output, *more, "-v")
        if said.code:
            break
        here = output
    return Ended(verb, said, output)


class Outcome(Protocol):
    """What is expected of a damaged dataset."""

    def check(self, ended: Ended) -> None:
        """Compare with what happened."""
        ...


@dataclass(frozen=True)
class Refused:
    """What stderr holds before the line that says that nothing was committed."""

    lines: tuple[str, ...]
    verb: str = "split"

    def check(self, ended: Ended) -> None:
        """The exact text, and exit code 1."""
        count = f"{len(self.lines)} problem{'s' * (len(self.lines) > 1)}"
        closing = (
            f"Error: {ended.verb}: {count}, nothing was committed. Resolve them and run the same "
            "command again, or leave these slices out with --on-error skip."
        )
        own = f"{ended.verb}: "  # tells of each case
        said = [line for line in ended.said.err.splitlines() if not line.startswith(own)]
        assert said == [*self.lines, closing]
        assert (ended.verb, ended.said.code) == (self.verb, 1)
        assert not (ended.output / "datapackage.json").exists()
        assert all(FORM.fullmatch(line) for line in self.lines)


# The id first, then the file; what is wrong; what to do.
FORM = re.compile(r"(CHAOS|MR[0-9a-z_-]*): [^:]+: [a-zA-Z0-9][^\n]*\. [A-Z-][^\n]*\.")


@dataclass(frozen=True)
class Kept:
    """The second slice: its stored values, its warnings, and other fields of its row."""

    pixels: NDArray[Any] = field(default_factory=lambda: PIXELS)
    warnings: tuple[str, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)

    def check(self, ended: Ended) -> None:
        """All slices are there, and this one is as it should be."""
        assert (ended.said.code, ended.verb) == (0, "convert"), ended.said.err
        assert [row["slice"] for row in ended.rows] == [0, 1, 2]
        row = ended.rows[1]
        found = ended.image(row)
        np.testing.assert_array_equal(found, self.pixels)
        assert found.dtype == self.pixels.dtype
        assert tuple(row["warnings"]) == self.warnings
        assert {name: row[name] for name in self.fields} == self.fields


def image(data: bytes) -> Damage:
    """Other bytes in the place of the second image."""
    return lambda root: void((root / IMAGE).write_bytes(data))


def mask(data: bytes) -> Damage:
    """Other bytes in the place of the second mask."""
    return lambda root: void((root / MASK).write_bytes(data))


def void(*results: object) -> None:
    """Drop results, so that a lambda can be a `Damage`."""


def bad(reason: str, remedy: str, verb: str = "split", file: str = IMAGE) -> Refused:
    """One problem, with the damaged image unless told."""
    id = "MR001_t1-in" if verb == "split" else "MR001_t1-in_s001"
    return Refused((f"{id}: {file}: {reason}. {remedy}.",), verb)
