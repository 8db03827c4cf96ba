"""Codes of organs by their names, where no label map has them."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from chaosprep.dataset.descriptor import LabelMap, PastStage
from chaosprep.facts import Code
from chaosprep.known import CODES, LEVELS, USUAL_LEVELS
from chaosprep.terms import private_code


class _Extracted(msgspec.Struct):
    """What extract-liver was told; the values of earlier releases where it was not."""

    organ: str = "liver"
    all_organs: bool = False
    range: tuple[int, int] | None = None
    levels: str = USUAL_LEVELS
    lenient_masks: bool = False


def codes(labels: LabelMap) -> dict[str, Code]:
    """Organ -> its code, of those that have one."""
    return {label.name: label.code for label in labels.values() if label.code is not None}


def codes_by_name(history: Iterable[PastStage]) -> dict[str, Code]:
    """Organ -> the code that its name has in a known data set; of a dataset with this history.

    An organ that a stage may have named by the levels of something else has one of ours alone.
    """
    false = false_organs(history)
    return {organ: private_code(organ) if organ in false else code for organ, code in CODES.items()}


def false_organs(history: Iterable[PastStage]) -> set[str]:
    """The organs that a stage of a dataset's past may have named by levels of something else."""
    past = tuple(history)
    by_pattern = any(_is_by_pattern(one.parameters) for one in past if one.stage == "split")
    extracted = (one.parameters for one in past if one.stage == "extract-liver")
    return {name for one in extracted for name in false_names(one, by_pattern=by_pattern)}


def false_names(parameters: Mapping[str, Any], *, by_pattern: bool) -> set[str]:
    """The organs that an extract-liver with these parameters may have named falsely.

    A `range` calls its levels by the organ's name, which is true where they meet the organ's own
    and those of no other: in a label map any structure may have any number. So they may where
    other levels are passed over (`lenient_masks`) in masks that were found by a pattern.
    """
    try:
        told = msgspec.convert(parameters, _Extracted)
        organs = LEVELS[told.levels].organs
    except (msgspec.ValidationError, KeyError):
        return set(CODES)
    if told.range is not None:
        low, high = told.range
        met = {organ.name for organ in organs if organ.low <= high and low <= organ.high}
        return set() if met == {told.organ} else {told.organ}
    if not (told.lenient_masks and by_pattern):
        return set()
    return {organ.name for organ in organs} if told.all_organs else {told.organ}


def _is_by_pattern(parameters: Mapping[str, Any]) -> bool:
    return parameters.get("masks") is not None or parameters.get("layout") == "folder"
