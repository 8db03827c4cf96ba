"""A journal that was forged, torn or damaged: what comes of it is what an uninterrupted run makes.

`CHAOSPREP_ATTACKS` scales the number of random forgeries, 20 without it.
"""

import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset, Event
from tests.conftest import BOTH
from tests.running.toys import snapshot

ATTACKS = 20 * int(os.environ.get("CHAOSPREP_ATTACKS", "1"))
JOURNAL = ".chaosprep/journal.jsonl"
Entries = list[dict[str, Any]]
Listen = Callable[[Event], None]


def split(inputs: dict[str, Path], output: Path, listen: Listen) -> Dataset:
    return chaosprep.split(inputs["root"], output, sequence=BOTH, val=0.5, jobs=1, on_event=listen)


def extract(inputs: dict[str, Path], output: Path, listen: Listen) -> Dataset:
    return chaosprep.extract_liver(
        inputs["split"], output, drop_empty=True, jobs=1, on_event=listen
    )


def convert(inputs: dict[str, Path], output: Path, listen: Listen) -> Dataset:
    return chaosprep.convert(inputs["extract"], output, jobs=1, on_event=listen)


def augment(inputs: dict[str, Path], output: Path, listen: Listen) -> Dataset:
    return chaosprep.augment(inputs["convert"], output, copies=2, jobs=1, on_event=listen)


STAGES = {"split": split, "extract": extract, "convert": convert, "augment": augment}


def ignore(event: Event) -> None:
    """Nobody listens."""


def stop_at_the_end(event: Event) -> None:
    """Every case is done, and nothing committed."""
    if event.kind == "done" and event.finished == event.total:
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def inputs(two_phases: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A dataset root, and what every stage made of it."""
    made = {"root": two_phases}
    for name, stage in STAGES.items():
        made[name] = stage(made, tmp_path_factory.mktemp(name) / "whole", ignore).directory
    return made


@pytest.fixture(scope="module")
def begun(inputs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same outputs, each interrupted before its commit."""
    made = {}
    for name, stage in STAGES.items():
        made[name] = tmp_path_factory.mktemp(f"begun-{name}") / "out"
        with pytest.raises(KeyboardInterrupt):
            stage(inputs, made[name], stop_at_the_end)
    return made


def read(output: Path) -> Entries:
    lines = (output / JOURNAL).read_bytes().splitlines()
    return [json.loads(line.rpartition(b" ")[0]) for line in lines]


def line(entry: dict[str, Any], *, digest: bool = True) -> bytes:
    """A line as the journal has it, written with other code than ours."""
    text = json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode()
    told = f" {hashlib.sha256(text).hexdigest()[:16]}".encode() if digest else b""
    return text + told + b"\n"


def resumed(
    name: str, begun: dict[str, Path], inputs: dict[str, Path], output: Path, journal: bytes
) -> int:
    """Go on with a copy that has this journal; how many cases were taken as done."""
    shutil.copytree(begun[name], output)
    (output / JOURNAL).write_bytes(journal)
    events: list[Event] = []
    STAGES[name](inputs, output, events.append)
    assert snapshot(output) == snapshot(inputs[name])
    return events[0].finished


@pytest.mark.parametrize("name", STAGES)
def test_a_sound_journal_is_gone_on_with(
    name: str, begun: dict[str, Path], inputs: dict[str, Path], tmp_path: Path
) -> None:
    entries = read(begun[name])
    assert (begun[name] / JOURNAL).read_bytes() == b"".join(map(line, entries))
    journal = (begun[name] / JOURNAL).read_bytes()
    assert resumed(name, begun, inputs, tmp_path / "out", journal) == len(entries) == 8


def first(entries: Entries) -> dict[str, Any]:
    row: dict[str, Any] = entries[0]["slices"][0]
    return row


def set_(**columns: Any) -> Callable[[Entries], None]:
    return lambda entries: first(entries).update(columns)


def set_all(**columns: Any) -> Callable[[Entries], None]:
    def forge(entries: Entries) -> None:
        for row in entries[0]["slices"]:
            row.update(columns)

    return forge


def drop(entries: Entries) -> None:
    entries[0]["slices"].pop()


def drop_all(entries: Entries) -> None:
    entries[0]["slices"] = []


def double(entries: Entries) -> None:
    entries[0]["slices"].append(first(entries))


def one_for_another(entries: Entries) -> None:
    rows = entries[0]["slices"]
    rows[-1] = dict(rows[0])


def one_more(entries: Entries) -> None:
    row = dict(entries[0]["slices"][-1])
    row["id"] = row["id"][:-1] + "9"
    entries[0]["slices"].append(row)


def another_case(entries: Entries) -> None:
    entries[0]["slices"] = entries[1]["slices"]


def swap_slices(entries: Entries) -> None:
    one, two = entries[0], entries[1]
    one["slices"], two["slices"] = two["slices"], one["slices"]


def swap_files(entries: Entries) -> None:
    """The files of two slices, each under the other's name."""
    one, two = entries[0]["slices"][:2]
    for name in ("image", "image_sha256", "image_bytes", "mask", "mask_sha256", "mask_bytes"):
        one[name], two[name] = two[name], one[name]


def no_mask(entries: Entries) -> None:
    first(entries).update(mask=None, mask_sha256=None, mask_bytes=None)


def half_a_mask(entries: Entries) -> None:
    first(entries).update(mask_sha256=None)


def other_side(entries: Entries) -> None:
    """A patient who trains validates, files and all."""
    for row in entries[0]["slices"]:
        side = "val" if row["split"] == "train" else "train"
        row["split"] = side


def other_key(entries: Entries) -> None:
    entries[0]["key"] = entries[1]["key"]


def other_inputs(entries: Entries) -> None:
    entries[0]["inputs"] = "0" * 64


FORGERIES: dict[str, Callable[[Entries], None]] = {
    "side": other_side,
    "side of one": set_(split="test"),
    "fold": set_all(fold=3),
    "patient": set_all(patient="MR002"),
    "sequence": set_all(sequence="ct"),
    "case": set_all(case="MR001_t1"),
    "slice": set_(slice=7),
    "copy": set_(copy=1),
    "parent": set_(parent="MR004_t1-in_s000"),
    "no parent of its own": set_(parent="MR001_t1-in_s003"),
    "source": set_(source="elsewhere.dcm"),
    "frame": set_(frame=3),
    "dropped": drop,
    "all dropped": drop_all,
    "twice": double,
    "one for another": one_for_another,
    "one more": one_more,
    "the rows of another case": another_case,
    "the rows of two cases exchanged": swap_slices,
    "the files of two slices exchanged": swap_files,
    "no mask": no_mask,
    "half a mask": half_a_mask,
    "key": other_key,
    "inputs": other_inputs,
    "path outside": set_(image="../../x.png"),
    "absolute path": set_(image="/etc/passwd"),
    "path elsewhere": set_(image="train/images/other.png"),
    "path in the workspace": set_(mask=".chaosprep/lock"),
    "a path of two points": set_(image="train/images/MR001_t1-in_s000/../x.png"),
    "a number of 2^63": set_(image_bytes=2**63),
    "a negative number": set_(rows=-1),
    "a text for a number": set_(cols="32"),
    "an unknown column": set_(answer=42),
    "no list": lambda entries: entries[0].update(slices={}),
    "null": lambda entries: entries[0].update(slices=[None]),
    "a NUL in an id": set_(id="MR001_t1-in_s000\0"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("name", STAGES)
def test_what_the_plan_does_not_make_is_done_again(
    name: str, forgery: str, begun: dict[str, Path], inputs: dict[str, Path], tmp_path: Path
) -> None:
    """The forger computes digests too."""
    entries = read(begun[name])
    FORGERIES[forgery](entries)
    changed = sum(new != old for new, old in zip(entries, read(begun[name]), strict=True))
    done = resumed(name, begun, inputs, tmp_path / "out", b"".join(map(line, entries)))
    assert done == 8 - changed


EDITS: dict[str, Callable[[Entries], None]] = {
    "pixels": set_(pixels={"liver": 1}),
    "labels": set_(labels={"7": "liver"}),
    "spacing": set_(spacing=[1.0, 1.0, 1.0]),
    "window": set_(window=[0.0, 1.0]),
    "warnings": set_(warnings=["it is well"]),
    "slope": set_(slope=2.0),
    "size": set_(rows=31),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("name", STAGES)
def test_an_edited_line_is_done_again(
    name: str, edit: str, begun: dict[str, Path], inputs: dict[str, Path], tmp_path: Path
) -> None:
    entries = read(begun[name])
    lines = list(map(line, entries))
    EDITS[edit](entries)
    digest = lines[0].rpartition(b" ")[2]
    edited = line(entries[0], digest=False)[:-1] + b" " + digest
    journal = b"".join([edited, *lines[1:]])
    assert resumed(name, begun, inputs, tmp_path / "out", journal) == 7


def test_a_line_without_its_digest_is_done_again(
    begun: dict[str, Path], inputs: dict[str, Path], tmp_path: Path
) -> None:
    entries = read(begun["convert"])
    journal = b"".join(line(entry, digest=False) for entry in entries)
    assert resumed("convert", begun, inputs, tmp_path / "out", journal) == 0


STRANGE = {
    "nothing": (b"", 0),
    "empty lines": (b"\n" * 1000, 0),
    "invalid UTF-8": (b'{"case":"\xff\xfe","key":""}\n', 8),
    "NUL": (b"\0" * 100_000 + b"\n", 0),
    "deep nesting": (b'{"case":"MR001_t1-in","key":"k","slices":' + b"[" * 200_000 + b"\n", 7),
    "100,000 lines": (b'{"case":"MR001_t1-in","key":"k"}\n' * 100_000, 7),
    "100,000 cases": (b"".join(b'{"case":"X%d","key":"k"}\n' % n for n in range(100_000)), 8),
    "a line of 30 MB": (b'{"case":"MR001_t1-in","key":"' + b"k" * 30_000_000 + b'"}\n', 7),
    "digits": (b'{"case":"MR001_t1-in","key":"k","slices":' + b"9" * 100_000 + b"}\n", 7),
}


@pytest.mark.parametrize("strange", STRANGE)
def test_strange_lines_after_sound_ones_cost_no_more_than_their_case(
    strange: str, begun: dict[str, Path], inputs: dict[str, Path], tmp_path: Path
) -> None:
    text, done = STRANGE[strange]
    journal = b"".join(map(line, read(begun["convert"])))
    found = resumed("convert", begun, inputs, tmp_path / "out", journal + text)
    assert found == (done or 8)


@pytest.mark.parametrize("strange", STRANGE)
def test_nor_do_they_before(
    strange: str, begun: dict[str, Path], inputs: dict[str, Path], tmp_path: Path
) -> None:
    """What does not begin as a line ends the file; of two lines of a case the last counts."""
    text, done = STRANGE[strange]
    journal = b"".join(map(line, read(begun["convert"])))
    found = resumed("convert", begun, inputs, tmp_path / "out", text + journal)
    assert found == (8 if done or not text else 0)


def test_the_files_of_two_cases_exchanged_are_made_again(
    begun: dict[str, Path], inputs: dict[str, Path], tmp_path: Path
) -> None:
    output = tmp_path / "begun"
    shutil.copytree(begun["split"], output)
    one, two = (entry["slices"][0]["image"] for entry in read(output)[:2])
    (output / one).rename(tmp_path / "kept")
    (output / two).rename(output / one)
    (tmp_path / "kept").rename(output / two)
    moved = {"split": output}
    journal = (output / JOURNAL).read_bytes()
    assert resumed("split", moved, inputs, tmp_path / "out", journal) == 6


@pytest.mark.parametrize("seed", range(ATTACKS))
def test_a_damaged_journal_costs_nothing_but_time(
    seed: int, begun: dict[str, Path], inputs: dict[str, Path], tmp_path: Path
) -> None:
    """Bits flipped, bytes lost, lines cut, doubled and moved about."""
    chance = random.Random(seed)
    name = chance.choice(list(STAGES))
    journal = bytearray((begun[name] / JOURNAL).read_bytes())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(journal))
        match chance.randrange(4):
            case 0:
                journal[at] ^= 1 << chance.randrange(8)
            case 1:
                del journal[at : at + chance.randint(1, 3000)]
            case 2:
                del journal[at:]
                journal += b"x"
            case _:
                journal[at:at] = journal[: chance.randrange(len(journal))]
    resumed(name, begun, inputs, tmp_path / "out", bytes(journal))
