"""What the values of masks stand for, as files beside them and masks themselves say it."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from chaosprep.errors import ChaosprepError, FileError
from chaosprep.facts import Code, Label, Legend
from chaosprep.files import read_regular
from chaosprep.formats.label_table import table_of
from chaosprep.formats.legends.entries import no_legend
from chaosprep.formats.legends.table import MOST, legend_format, read_entries
from chaosprep.structures import folded
from chaosprep.terms import PRIVATE_SCHEME

FILES = ("dataset.json", "labels.json", "dseg.tsv", "labels.txt")
"""What nnU-Net and the Decathlon call it, what `assemble` does, BIDS, and many others."""
ENDINGS = (".ctbl", ".label")
"""Of the colour tables of 3D Slicer, and of ITK-SNAP's label descriptions."""

_LONGEST = 200  # characters of a name
_SAID = 3  # names in a message
_MOST_FILES = 16  # of one ending, in one folder
_LOOSE = (".txt", ".label")  # endings of many other files, which are no legends


def legend_in(*folders: Path) -> Legend | None:
    """The legend in the first of some folders that has one; None without any.

    That is what all of `FILES` and the files with one of `ENDINGS` say, in this order: the first
    that names a value gives it its name, and none may contradict another. A `labels.txt` or a file
    with the ending `.label` that does not look like a legend is none.

    Raises:
        ChaosprepError: `labels`, one cannot be understood, or two contradict each other.
    """
    for place in folders:
        found = [(name, own) for name in _names(place) if (own := _legend(place / name))]
        if found:
            return _together(found)
    return None


def _names(place: Path) -> list[str]:
    """The names of the files that may be legends."""
    try:
        with os.scandir(place) as entries:
            files = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except OSError:
        files = []  # nobody may list it, or it is not there
    ended = [[name for name in files if name.casefold().endswith(end)] for end in ENDINGS]
    for names in ended:
        if len(names) > _MOST_FILES:
            reason = f"there are {len(names)} files that may say what the values of masks mean"
            raise _unclear(names[0], no_legend(reason, "Keep the one that is for all of them."))
    return [*FILES, *(name for names in ended for name in names)]


def _legend(file: Path) -> Legend | None:
    """What one file says; None where it is not there, or is another kind of file."""
    try:
        data = read_regular(file, most=MOST)
        if file.name.casefold().endswith(_LOOSE) and not _looks_like_one(file.name, data):
            return None
        table = table_of(read_entries(file.name, data))
        if not table.is_kept:
            raise no_legend("it has grey levels or colours", "Give such a file to --labels.")
    except FileError as error:
        if error.code == "file-missing":
            return None
        raise _unclear(file.name, error) from error
    return table.legend


def _looks_like_one(name: str, data: bytes) -> bool:
    try:
        return legend_format(name, data) is not None
    except FileError:  # no text
        return False


def _together(found: Iterable[tuple[str, Legend]]) -> Legend:
    """What several files say, which must agree."""
    legend: Legend = {}
    values: dict[str, int] = {}
    source: dict[int, str] = {}
    for file, own in found:
        for value, label in own.items():
            named = folded(label.name)
            told, at = legend.get(value, label), values.get(named, value)
            if at != value or folded(told.name) != named:
                reason = f"it and {source.get(value) or source[at]} disagree about {value}"
                raise _unclear(file, no_legend(reason, "Keep the one that is right."))
            legend[value] = Label(told.name, told.code or label.code)
            values[named] = value
            source.setdefault(value, file)
    return legend


def segment_labels(segments: Iterable[Any]) -> Legend:
    """The legend of a DICOM SEG's Segment Sequence (PS3.3 C.8.20.4), segment number -> label.

    A segment without a label is left out, and so is number 0, the background of a label map. Where
    several have one label, their TrackingIDs tell them apart.
    """
    items = {int(one.SegmentNumber): one for one in segments if segment_name(one)}
    count = Counter(folded(segment_name(one)) for number, one in items.items() if number)
    found: Legend = {}
    for number, one in items.items():
        name, tracking = segment_name(one), one_line(one.get("TrackingID"))
        if count[folded(name)] > 1 and tracking:
            name = f"{name} ({tracking})"[:_LONGEST]
        types = one.get("SegmentedPropertyTypeCodeSequence") or (None,)
        if number:
            found[number] = Label(name, concept(types[0]))
    return found


def check_no_twins(names: Iterable[str], may_say: Callable[[str], bool], sort: str) -> None:
    """Refuse segments of one file whose names are one structure's (`folded`).

    Args:
        names: theirs.
        may_say: which of them can be said.
        sort: what tells segments apart in such files: "a name".

    Raises:
        FileError: `mask-names`.
    """
    alike = defaultdict[str, list[str]](list)
    for name in names:
        alike[folded(name)].append(name)
    twice = [one for found in alike.values() if len(found) > 1 for one in dict.fromkeys(found)]
    if not twice:
        return
    said = [repr(name) for name in twice if may_say(name)]
    shown = f": {', '.join(said[:_SAID])}" if said else ""
    raise FileError(
        f"some of its segments have the same name{shown}",
        f"Give each segment {sort} of its own, or leave them out with --roi.",
        code="mask-names",
    )


def segment_name(segment: Any) -> str:  # noqa: ANN401 - pydicom's
    """The SegmentLabel of a segment as one line of text; empty without any."""
    return one_line(segment.get("SegmentLabel"))


def named(legend: Mapping[int, Label]) -> dict[int, str]:
    """Value -> name."""
    return {value: label.name for value, label in legend.items()}


def concept(item: Any) -> Code | None:  # noqa: ANN401 - pydicom's
    """A code as DICOM writes it (PS3.3 8.8); None where it only repeats a name."""
    if item is None:
        return None
    value = one_line(item.get("CodeValue")) or one_line(item.get("LongCodeValue"))
    scheme, meaning = (
        one_line(item.get("CodingSchemeDesignator")),
        one_line(item.get("CodeMeaning")),
    )
    return Code(scheme, value, meaning) if scheme not in ("", PRIVATE_SCHEME) and value else None


def one_line(value: object) -> str:
    """A text that may hold anything as a name can be written (`facts.Name`); empty for none."""
    text = "" if value is None else str(value)[:_LONGEST]
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()


def _unclear(name: str, error: FileError) -> ChaosprepError:
    remedy = f"{error.remedy} If it is not a legend of these masks, move it away."
    return ChaosprepError(f"{name}: {error.reason}", remedy, code="labels")
