"""A stand-in source and stages, and stage directories made by hand, with other code than ours."""

import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
from msgspec import Meta

from chaosprep.dataset.case import Case
from chaosprep.dataset.descriptor import DataSource, LabelMap, LeftOut, License, PastStage
from chaosprep.dataset.opening import open_parent
from chaosprep.dataset.records import Slice, Split, file_columns
from chaosprep.errors import FileError, Problem
from chaosprep.facts import Label
from chaosprep.formats.codecs import PngParams
from chaosprep.params import P, Params
from chaosprep.running.fitting import Expected
from chaosprep.running.planning import Plan, compare, fresh_plan
from chaosprep.running.shards import Part
from chaosprep.running.stage import C, CaseResult, Source, Stage
from chaosprep.running.writer import Writer

T = TypeVar("T")


def make_plan(
    stage: Stage[C, P],
    params: P,
    source: Source[C],
    output: Path,
    *,
    overwrite: bool = False,
    part: Part | None = None,
) -> Plan[C]:
    """What `run` would do."""
    plan = fresh_plan(stage, params, source, output, part)
    return plan if overwrite else compare(stage, params, plan)


@dataclass(frozen=True)
class ToyCase:
    """A case of constant images: one per grey level; -1 stands for a file that cannot be read.

    `trick` is what its worker does first: `die`, `die-once PATH` (where PATH remembers), `memory`
    (runs out of it), `unforeseen` (raises what no code expects) or `slow`.
    """

    id: str
    levels: tuple[int, ...] = (1, 2)
    split: Split = "train"
    held: str = ""
    trick: str = ""

    @property
    def patient(self) -> str:
        return self.id.partition("_")[0]

    def content(self) -> bytes:
        return json.dumps([self.id, self.levels, self.split]).encode()

    def inputs(self) -> str:
        return hashlib.sha256(self.content() + self.held.encode()).hexdigest()


@dataclass(frozen=True)
class ToySource:
    """A source that exists only in memory."""

    directory: Path
    cases: tuple[ToyCase, ...]
    problems: tuple[Problem, ...] = ()
    history: tuple[PastStage, ...] = ()
    licenses: tuple[License, ...] = (License(name="CC0-1.0", title="Zero"),)
    sources: tuple[DataSource, ...] = (DataSource(title="made up"),)
    label_map: LabelMap = field(default_factory=lambda: {1: Label("toy")})
    left_out: tuple[LeftOut, ...] = ()
    told: tuple[str, ...] = ()

    @property
    def patients(self) -> tuple[str, ...]:
        return tuple(sorted({case.patient for case in self.cases}))


class ToyParams(PngParams, frozen=True, kw_only=True):
    add: Annotated[int, Meta(description="Added to every level.")] = 0
    seed: Annotated[int, Meta(description="Not used.")] = 7


def make_case(case: ToyCase, params: ToyParams, writer: Writer) -> CaseResult:
    """Write each level as an image (2, 3) and a mask of the same shape."""
    play_trick(case.trick)
    rows, problems = [], []
    for index, level in enumerate(case.levels):
        if level < 0:
            error = FileError("it is broken", "Mend it.", "broken")
            problems.append(Problem.of(error, f"{case.id}_s{index:03d}", f"raw/{index}.dcm"))
        else:
            rows.append(make_row(case, index, level + params.add, writer))
    return CaseResult(tuple(rows), tuple(problems))


def play_trick(trick: str) -> None:
    name, _, path = trick.partition(" ")
    if name == "die" or (name == "die-once" and not Path(path).exists()):
        if path:
            Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "slow":
        time.sleep(0.2)
    if name == "memory":
        raise MemoryError
    if name == "unforeseen":
        raise KeyError("John Smith")


def make_row(case: ToyCase, index: int, level: int, writer: Writer) -> Slice:
    id = f"{case.id}_s{index:03d}"
    pixels = np.full((2, 3), level, np.uint8)
    image = writer.image(case.split, id, pixels, ".png")
    mask = writer.mask(case.split, id, pixels % 2)
    return Slice(
        id=id,
        case=case.id,
        patient=case.patient,
        sequence="t1-in",
        slice=index,
        split=case.split,
        **file_columns(image, mask),
        rows=2,
        cols=3,
        dtype="uint8",
        bits_stored=8,
        spacing=(5.5, 1.25, 1.5),
        labels={1: "liver"},
        pixels={"liver": 6 * (level % 2)},
        source=f"raw/{index}.dcm",
    )


def no_path(path: Path, params: ToyParams, bench: object) -> ToySource:
    raise AssertionError("the toy stage is given its source")


def toy_rows(case: ToyCase, params: Params) -> list[Expected]:
    """A row for each level that can be read."""
    return [
        {"id": f"{case.id}_s{index:03d}", "case": case.id, "split": case.split}
        for index, level in enumerate(case.levels)
        if level >= 0
    ]


TOY = Stage(
    name="toy", version=1, params=ToyParams, run_case=make_case, open=no_path, rows=toy_rows
)


@dataclass
class Counted:
    """A `run_case` that keeps the ids of the cases it was called with (for `jobs=1`)."""

    calls: list[str] = field(default_factory=list)

    def __call__(self, case: ToyCase, params: ToyParams, writer: Writer) -> CaseResult:
        self.calls.append(case.id)
        return make_case(case, params, writer)

    @property
    def stage(self) -> Stage[ToyCase, ToyParams]:
        return msgspec.structs.replace(TOY, run_case=self)


def carry_case(case: Case, params: ToyParams, writer: Writer) -> CaseResult:
    """Keep the images, write the masks anew."""
    rows = []
    for row in case.slices:
        writer.carry(case, row.image_file)
        mask = writer.mask(row.split, row.id, np.full((2, 3), params.add, np.uint8))
        made = row.with_mask(mask, pixels=row.pixels)
        rows.append(msgspec.structs.replace(made, parent=row.id))
    return CaseResult(tuple(rows))


SECOND = Stage(
    name="second",
    version=3,
    params=ToyParams,
    run_case=carry_case,
    open=open_parent,
    needs=("toy",),
)


def source(tmp_path: Path, *cases: ToyCase, **more: Any) -> ToySource:
    """A source of these cases, or of two patients with two slices each."""
    found = cases or (ToyCase("MR001_t1-in"), ToyCase("MR002_t1-in", split="val"))
    return ToySource(tmp_path / "root", found, **more)


def snapshot(directory: Path) -> dict[str, bytes]:
    """Every file below a directory with its bytes, every folder as a name ending in `/`."""
    return {
        path.relative_to(directory).as_posix() + "/" * path.is_dir(): b""
        if path.is_dir()
        else path.read_bytes()
        for path in directory.rglob("*")
    }


def within(seconds: float, function: Callable[[], T]) -> T:
    """The function's result, or a failure where it hangs."""
    results: list[T | BaseException] = []

    def work() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - raised again below
            results.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    assert results, f"still not done after {seconds} s"
    if isinstance(results[0], BaseException):
        raise results[0]
    return results[0]


IMAGE = b"not really a PNG"


def handmade_row(id: str = "MR001_t1-in_s000", /, **changes: Any) -> dict[str, Any]:
    """A row as a plain dictionary, its image holding `IMAGE`, without a mask."""
    case = id.rpartition("_")[0]
    row = {
        "id": id,
        "case": case,
        "patient": case.partition("_")[0],
        "sequence": "t1-in",
        "slice": 0,
        "split": "train",
        "image": f"train/images/{id}.png",
        "image_sha256": hashlib.sha256(IMAGE).hexdigest(),
        "image_bytes": len(IMAGE),
        "rows": 2,
        "cols": 3,
        "dtype": "uint8",
        "bits_stored": 8,
        "labels": {},
        "pixels": {},
        "source": "MR/1/IMG-0001.dcm",
    }
    return row | changes


def handmade_descriptor(table: bytes, **changes: Any) -> dict[str, Any]:
    """A descriptor as a plain dictionary; changes are of its `chaosprep` part."""
    made = {
        "stage": "toy",
        "version": 1,
        "versions": {},
        "parameters": {},
        "seed": None,
        "inputs_sha256": "0" * 64,
    }
    resource = {
        "name": "slices",
        "path": "slices.jsonl",
        "format": "jsonl",
        "mediatype": "application/jsonl",
        "encoding": "utf-8",
        "bytes": len(table),
        "hash": f"sha256:{hashlib.sha256(table).hexdigest()}",
        "schema": {},
    }
    tool = made | {
        "manifest_version": 1,
        "counts": {},
        "warned": 0,
        "history": [],
        "skipped": [],
    }
    return {
        "name": "chaosprep-toy",
        "title": "Made by hand",
        "licenses": [],
        "sources": [],
        "resources": [resource],
        "chaosprep": tool | changes,
    }


def handmade(directory: Path, *rows: dict[str, Any], **changes: Any) -> Path:
    """Write a stage directory with these rows and their images, whatever they say."""
    (directory / "train/images").mkdir(parents=True)
    for row in rows:
        if str(row["image"]) == f"train/images/{row['id']}.png":
            (directory / row["image"]).write_bytes(IMAGE)
    table = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (directory / "slices.jsonl").write_bytes(table)
    descriptor = handmade_descriptor(table, **changes)
    (directory / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    return directory
