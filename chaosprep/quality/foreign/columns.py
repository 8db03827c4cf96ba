"""What the columns of a table of pictures say, by the names that people give them."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from chaosprep.layouts.sides import SIDES
from chaosprep.quality.foreign.said import Said
from chaosprep.quality.foreign.tables import Line, Table

_IMAGES = ("image_file_name", "file_name", "image_path", "image_file", "image", "filename", "img")
_MASKS = ("mask", "annotation", "segmentation", "label", "labels", "ground_truth", "seg", "gt")
_PATIENTS = ("patient", "patient_id", "patientid", "subject", "subject_id", "participant_id")
_SPLITS = ("split", "side", "subset")
_ROWS, _COLS = ("rows", "height"), ("cols", "columns", "width")
_LABELS, _PIXELS = ("labels", "label_map"), ("pixels",)
_WORD = re.compile(r"[^a-z0-9]+")
_PARTS = ("_file_name", "_path", "_file", "_filename", "")


class Columns(NamedTuple):
    """The columns that name images and masks; ``more`` are of other masks, ``others`` of files."""

    image: str
    mask: str | None
    more: tuple[str, ...]
    others: tuple[str, ...] = ()


def columns_of(table: Table, endings: tuple[str, ...]) -> Columns | None:
    """Which columns name files with one of these endings; None where none names images."""
    names: dict[str, bool] = {}  # in their order, and whether one of their cells names a file
    for _, line in table.lines:
        for name, value in line.items():
            names[name] = names.get(name, False) or _ends(path_in(value), endings)
    files: dict[str, str] = {}
    for name in (name for name, is_of_files in names.items() if is_of_files):
        files.setdefault(_folded(name), name)
    image = next((files[name] for name in _IMAGES if name in files), None)
    if image is None:
        return None
    known = (f"{kind}{part}" for part in _PARTS for kind in _MASKS)
    masks = [files[name] for name in known if name in files and files[name] != image]
    taken = {image, *masks}
    masks += [name for name in files.values() if name not in taken and _is_of_mask(name)]
    taken.update(masks)
    others = tuple(name for name in files.values() if name not in taken)
    return Columns(image, masks[0] if masks else None, tuple(masks[1:]), others)


def path_in(value: object) -> str | None:
    """The path that a cell has: text, or `{"path": ...}`, or a list of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("path")
    return value if isinstance(value, str) and value else None


def side_in(line: Line) -> str:
    """The side of the split that a line names, empty where it does not."""
    return SIDES.get(str(_first(line, _SPLITS) or "").casefold(), "")


def patient_in(line: Line) -> str:
    """Whose the pair of a line is, as the table calls it, or empty."""
    value = _first(line, _PATIENTS)
    return str(value)[:64] if isinstance(value, str | int) and value != "" else ""


def said_in(line: Line) -> Said:
    """What a line says of the pixels of its pair."""
    rows, cols = _whole(_first(line, _ROWS)), _whole(_first(line, _COLS))
    hashes = tuple(_hash(line.get(f"{kind}_sha256")) for kind in ("image", "mask"))
    labels = _labels(_object(_first(line, _LABELS)))
    pixels = _object(_first(line, _PIXELS))
    counts = {str(name): _whole(count) for name, count in pixels.items()} if pixels else {}
    known = {name: count for name, count in counts.items() if count is not None}
    apart = labels is not None and not _object(line.get("overlaps"))
    return Said(
        size=None if rows is None or cols is None else (rows, cols),
        labels=None if _object(line.get("overlaps")) else labels,
        pixels=known if apart and known and len(known) == len(counts) else None,
        hashes=(hashes[0], hashes[1]),
    )


def _labels(found: Mapping[str, Any]) -> dict[int, str] | None:
    """Value -> name, of an object in this order or in the other."""
    if not found:
        return None
    straight = {_whole(value): name for value, name in found.items() if isinstance(name, str)}
    turned = {_whole(value): name for name, value in found.items() if not isinstance(value, str)}
    for one in (straight, turned):
        if len(one) == len(found) and None not in one:
            return {int(value): str(name) for value, name in one.items() if value is not None}
    return None


def _object(value: object) -> Mapping[str, Any]:
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    text = value if isinstance(value, str) and len(value) < 12 else ""
    return int(text) if text.isascii() and text.isdigit() else None


def _hash(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) == 64 else None


def _first(line: Line, names: Collection[str]) -> object:
    folded = {_folded(name): value for name, value in line.items()}
    return next((folded[name] for name in names if folded.get(name) is not None), None)


def _ends(path: str | None, endings: Iterable[str]) -> bool:
    return path is not None and path.casefold().endswith(tuple(endings))


def _is_of_mask(name: str) -> bool:
    parts = _folded(name).split("_")
    return any(part in _MASKS or part in ("masks", "annotations") for part in parts)


def _folded(name: str) -> str:
    return _WORD.sub("_", name.casefold()).strip("_")
