"""What the values of masks stand for, as a file says it: one reader for all that can say it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.errors import ChaosprepError, FileError
from chaosprep.facts import Code, Label, Legend
from chaosprep.files import read_regular

FILES = ("dataset.json", "labels.json")
"""What nnU-Net and the Decathlon call it, and what `assemble` does."""

_DIGITS = 5  # of a label of 16 bits


def legend_in(*folders: Path) -> Legend | None:
    """The legend in the first of some folders that has one; None without any.

    Raises:
        ChaosprepError: `labels`, it cannot be understood.
    """
    for place in folders:
        for name in FILES:
            try:
                found = msgspec.json.decode(read_regular(place / name))
            except FileError as error:
                if error.code == "file-missing":
                    continue
                raise _no_legend(name, error.reason) from error
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise _no_legend(name, "it is no JSON") from error
            return _labels(name, found)
    return None


def segment_labels(segments: Iterable[Any]) -> Legend:
    """The legend of a DICOM SEG's Segment Sequence (PS3.3 C.8.20.4), segment number -> label.

    A segment without a label is left out, and so is number 0, the background of a label map.
    """
    found: Legend = {}
    for segment in segments:
        name = str(segment.get("SegmentLabel") or "").strip()
        if name and int(segment.SegmentNumber):  # 0 is a label map's background
            types = segment.get("SegmentedPropertyTypeCodeSequence") or (None,)
            found[int(segment.SegmentNumber)] = Label(name, concept(types[0]))
    return found


def named(legend: Mapping[int, Label]) -> dict[int, str]:
    """Value -> name."""
    return {value: label.name for value, label in legend.items()}


def concept(item: Any) -> Code | None:  # noqa: ANN401 - pydicom's
    """A code as DICOM writes it (PS3.3 8.8), from an item of a sequence; None where it is none."""
    keywords = ("CodingSchemeDesignator", "CodeValue", "CodeMeaning")
    scheme, value, meaning = (
        str(item.get(keyword) or "") if item is not None else "" for keyword in keywords
    )
    return Code(scheme, value, meaning) if scheme and value else None


def _labels(name: str, found: object) -> Legend:
    """nnU-Net v2 writes organ -> label, v1 and the Decathlon label -> organ."""
    if isinstance(found, dict):
        found = found.get("labels", found)
    if not isinstance(found, dict):
        raise _no_legend(name, "it has no labels")
    values: Legend = {}
    for key, value in found.items():
        text, organ = (value, key) if isinstance(value, int) else (key, value)
        number = str(text)
        known = isinstance(organ, str) and number.isdecimal() and len(number) <= _DIGITS
        if not known or organ == "ignore":
            raise _no_legend(name, f"{key[:40]!r} is not one organ with one number")
        if int(number) in values:
            raise _no_legend(name, f"two organs have the number {int(number)}")
        values[int(number)] = Label(organ)
    values.pop(0, None)
    if not values:
        raise _no_legend(name, "it has no labels")
    return values


def _no_legend(name: str, reason: str) -> ChaosprepError:
    return ChaosprepError(
        f"{name}: {reason}",
        "Give one whole number for each organ (regions and ignored voxels are none), or move the "
        "file away.",
        code="labels",
    )
