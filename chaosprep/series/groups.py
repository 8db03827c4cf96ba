"""The slices of a case by what their headers say: which keywords tell series and volumes apart."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain

KIND = ("Modality", "SOPClassUID")
SERIES = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SeriesNumber")
# No two slices of one volume differ in these.
STRICT = (
    *("EchoTime", "EchoNumbers", "DiffusionBValue", "ImageType", "ComplexImageComponent"),
    "ConvolutionKernel",
)
# These may be measured anew for each slice: they tell where groups of several slices share them.
LOOSE = (
    *("TemporalPositionIdentifier", "RepetitionTime", "InversionTime", "FlipAngle", "KVP"),
    *("StackID", "ContrastBolusAgent"),
)
TELLING = (*STRICT, *LOOSE, "AcquisitionNumber", "TriggerTime", *SERIES)
_MEASURED = frozenset(
    (
        *("EchoTime", "DiffusionBValue", "RepetitionTime", "InversionTime", "FlipAngle"),
        *("KVP", "TriggerTime"),
    )
)
SAME = 0.02  # of what is measured: above the rounding of headers, below the step to another echo
# Triggered by breath, packages of one volume have each a time of their own, up to this apart.
_SAME = {"RepetitionTime": 0.4}

Groups = list[list[int]]
"""Slices that share a value, each by its index; the largest group first."""


Evidence = Sequence[Mapping[str, str]]
"""What the header of each slice says: keyword -> text."""


def groups_by(evidence: Evidence, keyword: str, same: float | None = None) -> Groups:
    """The slices by what they say to a keyword.

    Several that say nothing of what is physical, where others do, are a group as well. What most
    slices have a value of their own of was measured for each, and makes one group.

    Args:
        evidence: what each slice says.
        keyword: one that `evidence` has.
        same: numbers closer than this part of them are the same; else what the keyword has.
    """
    texts: dict[str, list[int]] = {}
    silent: list[int] = []
    for index, said in enumerate(evidence):
        text = said.get(keyword, "")
        if keyword == "ImageType":  # PS3.3 C.7.6.1.1.2: what comes from value 3 on is the image's
            text = "\\".join(text.split("\\")[2:])
        if text:
            texts.setdefault(text, []).append(index)
        else:
            silent.append(index)
    found = list(texts.values())
    if keyword in _MEASURED:
        found = _clusters(texts, _SAME.get(keyword, SAME) if same is None else same)
    if keyword in LOOSE and keyword in _MEASURED and 2 * len(texts) > len(evidence) - len(silent):
        found = [sorted(chain(*found))] if found else []
    if found and len(silent) > 1 and keyword in (*STRICT, *LOOSE):
        found.append(silent)
    return sorted(found, key=lambda group: (-len(group), group))


def divides(groups: Groups, keyword: str) -> bool:
    """Whether groups by this keyword are series, not slices that each have a value of their own."""
    if len(groups) < 2:
        return False
    if keyword in SERIES:
        return len(groups[0]) > 1
    return keyword in STRICT or len(groups[-1]) > 1


def tells(evidence: Evidence, groups: Groups, keyword: str) -> bool:
    """Whether a keyword tells whole groups apart."""
    owner = {index: number for number, group in enumerate(groups) for index in group}
    parts = [{owner[i] for i in group if i in owner} for group in groups_by(evidence, keyword)]
    return 1 < len(parts) < len(owner) and all(len(part) == 1 for part in parts)


def number(text: str) -> float | None:
    """The first number of a text; None where it is none, or not finite."""
    try:
        found = float(text.partition("\\")[0])
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _clusters(texts: Mapping[str, list[int]], same: float) -> Groups:
    """Groups of numbers, the same but for a part of them; what is no number says nothing."""
    numbers = sorted((value, text) for text in texts if (value := number(text)) is not None)
    found: Groups = []
    last = float("-inf")
    for value, text in numbers:
        if not found or value - last > same * abs(value):
            found.append([])
        found[-1] += texts[text]
        last = value
    return found
