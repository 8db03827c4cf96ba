"""Stage directories whose tables say what no stage writes, and the verbs that read them."""

import copy
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.running.toys import handmade_row

Row = dict[str, Any]
Rows = list[Row]
Edit = Callable[[Rows], None]

BIG = (2**31, 10**9, 2**63 - 1, 2**63, 2**64, 10**30, 10**400)
TINY = (1e-320, 1e-308, 5e-324)
HUGE = (1e30, 1e154, 1e308, -1e308)
NAMES = {
    "long": "liver" * 50,
    "40 letters": "x" * 40,
    "200 letters": "segment of the " * 14,
    "a line break": "liver\nspleen",
    "a NUL": "liver\0",
    "an escape": "\x1b[31mliver",
    "right to left": "\u202eliver",
    "nothing": "",
    "a path": "../../liver",
    "a formula": "=1+1",
    "markup": "<b>liver</b>|`x`",
    "a letter of four bytes": "\U0001f600",
    "half a letter": "\udc80",
    "a tag": "[red]liver[/red]",
}


def set_(**columns: object) -> Edit:
    """The first row says this."""
    return lambda rows: rows[0].update(columns)


def all_(**columns: object) -> Edit:
    """Every row of the first case says this."""

    def edit(rows: Rows) -> None:
        for row in rows:
            if row["case"] == rows[0]["case"]:
                row.update(columns)

    return edit


def both(name: str, value: object) -> Iterator[tuple[str, Edit]]:
    """The first row, or all of its case."""
    shown = repr(value)[:30]
    yield f"{name} {shown}", set_(**{name: value})
    yield f"{name} {shown} (all)", all_(**{name: value})


def named(name: str) -> Edit:
    """The organ of a case has another name."""

    def edit(rows: Rows) -> None:
        for row in rows:
            if row["case"] == rows[0]["case"]:
                row["labels"] = dict.fromkeys(row["labels"], name)
                row["pixels"] = {name: sum(row["pixels"].values())}

    return edit


def renamed(part: str, to: str) -> Edit:
    """A patient or a sequence has another name, and so have its cases and slices."""

    def edit(rows: Rows) -> None:
        old = rows[0][part]
        for row in rows:
            if row[part] == old:
                row[part] = to
                for column in ("id", "case", *(["patient"] if part == "patient" else [])):
                    row[column] = row[column].replace(old, to)
        rows.sort(key=lambda row: str(row["id"]))

    return edit


def a_copy_alone(rows: Rows) -> None:
    rows[0].update(copy=1)


def copies_alone(rows: Rows) -> None:
    for row in rows:
        row.update(copy=1)


def a_copy_of_nothing(rows: Rows) -> None:
    row = copy.deepcopy(rows[0])
    row.update(id=f"{row['case']}_s900_a01", copy=1, parent=f"{row['case']}_s900")
    rows.insert(sum(other["case"] <= row["case"] for other in rows), row)


def same_place(rows: Rows) -> None:
    for row in rows:
        row.update(slice=0, position=rows[0]["position"])


def no_slices(rows: Rows) -> None:
    rows.clear()


def deep(levels: int) -> Any:  # noqa: ANN401 - nested lists
    """Lists in lists."""
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


def _numbers() -> Iterator[tuple[str, Edit]]:
    for name in ("slice", "copy", "fold", "image_bytes", "frame", "rows", "cols", "bits_stored"):
        for number in BIG:
            yield from both(name, number)
        yield from both(name, -1)
    for name in ("mask_bytes",):
        yield from both(name, 10**18)
    for value in (*TINY, *HUGE):
        for name in ("slope", "intercept"):
            yield from both(name, value)
        yield from both("spacing", [value, value, value])
        yield from both("spacing", [1.0, value, 1.0])
        yield from both("position", [value, 0.0, 0.0])
        yield from both("orientation", [value, 0.0, 0.0, 0.0, value, 0.0])
        yield from both("window", [value, 2 * value if abs(value) < 1e300 else 0.0])
        yield from both("padding", [value, value])
    yield from both("slope", 0.0)
    yield from both("spacing", [None, 1.0, 1.0])
    yield from both("spacing", None)
    yield from both("position", None)
    yield from both("orientation", None)
    yield from both("orientation", [0.0] * 6)
    yield from both("orientation", [1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    for ends in ([1.0, 1.0], [1.0, -1.0], [0.0, 0.0]):
        yield from both("window", ends)
    for source in ("user", "none"):
        yield from both("window_source", source)
    for kind in ("nonsense", "", "O", "uint128", "V1000000", "float16", "<i4", "datetime64[s]"):
        yield from both("dtype", kind)


def _records() -> Iterator[tuple[str, Edit]]:
    grids: tuple[Any, ...] = (
        {},
        {"rows": 10**9, "cols": 10**9, "step": [1, 1], "offset": [0, 0]},
        {"rows": 2**70, "cols": 1, "step": [1, 1], "offset": [0, 0]},
        {"rows": 32, "cols": 32, "step": [1e308, 1e308], "offset": [0, 0]},
        {"rows": 32, "cols": 32, "step": [1, 1], "offset": [1e308, -1e308]},
        {"rows": 32, "cols": 32, "step": [1e-320, 1], "offset": [0, 0]},
        {"rows": "x" * 1000, "cols": None, "step": {}, "offset": "ab"},
        {"rows": 10**400},
        {"x": deep(500)},
    )
    for grid in grids:
        yield from both("grid", grid)
    drawn: tuple[Any, ...] = (
        {},
        {"a": 2**64},
        {"a": 10**400},
        {"guard": 5, "operations": 7},
        {"guard": "left", "operations": [{"operation": "rotate", "angle": 1e308}]},
        {"operations": [{"operation": "noise", "sigma": 1e308, "noise_seed": 2**70}]},
        {"operations": [{"operation": "elastic", "grid": [10**9, 10**9], "shifts": []}]},
        {"x": deep(500)},
    )
    for record in drawn:
        yield from both("augmentation", record)
    for pixels in ({"liver": 2**63}, {"liver": 10**30}, {"other": 5}, {}, {"liver": 2**63 - 1}):
        yield from both("pixels", pixels)
    labels: tuple[Any, ...] = (
        {},
        {"0": "liver"},
        {"65536": "liver"},
        {"1": "liver"},
        {"255": "liver", "254": "liver"},
        {str(2**70): "liver"},
        {str(value): f"organ {value}" for value in range(1, 400)},
    )
    for legend in labels:
        yield from both("labels", legend)


def _texts() -> Iterator[tuple[str, Edit]]:
    for name, text in NAMES.items():
        yield f"organ of {name}", named(text)
        yield f"source of {name}", set_(source=text)
        yield f"warning of {name}", set_(warnings=[text])
        yield f"parent of {name}", set_(parent=text)
        yield f"image of {name}", set_(image=text)
    yield "10,000 warnings", set_(warnings=["x" * 100] * 10_000)
    yield "a warning of 1 MB", set_(warnings=["x" * 10**6])
    for length in (40, 64, 100, 190):
        yield f"a patient of {length} letters", renamed("patient", "P" * length)
        yield f"a sequence of {length} letters", renamed("sequence", "s" * length)
    yield "a patient of 5,000 digits", renamed("patient", "P" + "1" * 5000)
    yield "a patient of 150 digits", renamed("patient", "P" + "1" * 150)
    yield "a long path", set_(image="train/" + "x" * 5000)
    yield "a deep path", set_(image="x/" * 3000 + "y")
    yield "a surrogate in a path", set_(image="train/images/\ud800.png")


def _others() -> Iterator[tuple[str, Edit]]:
    yield "no mask", set_(mask=None, mask_sha256=None, mask_bytes=None)
    yield "no masks", all_(mask=None, mask_sha256=None, mask_bytes=None, labels={}, pixels={})
    yield "half a mask", set_(mask_bytes=None)
    yield (
        "the mask is the image",
        lambda rows: rows[0].update(
            mask=rows[0]["image"],
            mask_sha256=rows[0]["image_sha256"],
            mask_bytes=rows[0]["image_bytes"],
        ),
    )
    yield (
        "the image is the mask",
        lambda rows: rows[0].update(
            image=rows[0]["mask"],
            image_sha256=rows[0]["mask_sha256"],
            image_bytes=rows[0]["mask_bytes"],
        ),
    )
    yield "a copy alone", a_copy_alone
    yield "copies alone", copies_alone
    yield "a copy of nothing", a_copy_of_nothing
    yield "one place for all", same_place
    yield "no row", no_slices
    yield "a row of another kind", lambda rows: rows.__setitem__(0, handmade_row(rows[0]["id"]))
    yield "two sides", set_(split="test")


EDITS: dict[str, Edit] = dict((*_numbers(), *_records(), *_texts(), *_others()))


def hostile(source: Path, target: Path, *edits: Edit) -> Path:
    """A copy of a stage directory (its files linked) with an edited table that its manifest knows.

    The images and masks of rows that were renamed are found under their old names.
    """
    for path in source.rglob("*"):
        place = target / path.relative_to(source)
        if path.is_file() and path.suffix not in (".json", ".jsonl"):
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, place)
    rows = [json.loads(line) for line in (source / "slices.jsonl").read_bytes().splitlines()]
    for edit in edits:
        with suppress(IndexError):  # of an empty table
            edit(rows)
    table = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (target / "slices.jsonl").write_bytes(table)
    record = json.loads((source / "datapackage.json").read_bytes())
    digest = hashlib.sha256(table).hexdigest()
    record["resources"][0] |= {"bytes": len(table), "hash": f"sha256:{digest}"}
    (target / "datapackage.json").write_text(json.dumps(record))
    return target


VERBS: dict[str, tuple[str, ...]] = {
    "verify": ("verify", "IN", "-j", "1"),
    "replay": ("verify", "IN", "-j", "1", "--replay", "all"),
    "report": ("report", "IN", "-o", "OUT.html", "-j", "1"),
    "preview": ("preview", "IN", "-o", "OUT.png"),
    **{
        name: ("export", name, "IN", "-o", "OUT", "-j", "1")
        for name in (
            *("nnunet", "nifti", "monai", "huggingface"),
            *("webdataset", "parquet", "croissant"),
        )
    },
    "evaluate": ("evaluate", "IN", "SOUND", "-j", "1"),
    "evaluate by slice": ("evaluate", "SOUND", "IN", "-j", "1", "--per", "slice"),
    "agree": ("agree", "IN", "SOUND", "-o", "OUT", "-j", "1"),
    "assemble": ("assemble", "IN", "-o", "OUT", "-j", "1"),
    "extract-liver": ("extract-liver", "IN", "-o", "OUT", "-j", "1"),
    "convert": ("convert", "IN", "-o", "OUT", "-j", "1"),
    "convert to size": ("convert", "IN", "-o", "OUT", "-j", "1", "--size", "40", "--spacing", "2"),
    "keep": ("convert", "IN", "-o", "OUT", "-j", "1", "--keep-16bit"),
    "augment": ("augment", "IN", "-o", "OUT", "-j", "1"),
}
"""What is typed: IN is the hostile directory, SOUND what it was made of, OUT what to make."""


def typed(verb: str, directory: Path, sound: Path, output: Path) -> list[str]:
    """The arguments of a verb."""
    words = {"IN": directory, "SOUND": sound, "OUT": output}
    words |= {f"OUT.{end}": output.with_suffix(f".{end}") for end in ("html", "png")}
    return [str(words.get(word, word)) for word in VERBS[verb]]
