"""One name for each organ on both sides: the reference's, however the other side spells it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from chaosprep.layouts.mask_set import CaseMasks, MaskCase, MaskSet, Organs
from chaosprep.structures import folded


def called_alike(prediction: MaskSet, reference: MaskSet) -> tuple[MaskSet, MaskSet]:
    """The same sides, with the reference's first spelling of every organ of either."""
    reference, prediction = called_as_first([reference, prediction])
    return prediction, reference


def called_as_first(sides: Sequence[MaskSet]) -> list[MaskSet]:
    """The same sides, each organ in the spelling of the first side that has it."""
    spelling = spellings(organ for side in sides for organ in side.organs)
    return [_called(side, spelling) for side in sides]


def called_after(prediction: MaskSet, reference: MaskSet) -> tuple[MaskSet, tuple[str, ...]]:
    """The reference, its one structure with the name that the prediction's has, and a note on it.

    So it is where nothing says what the reference's values stand for, and each side has one.
    """
    if not reference.is_unnamed or len(reference.organs) != 1 or len(prediction.organs) != 1:
        return reference, ()
    (own,), (other,) = reference.organs, prediction.organs
    if own == other:
        return reference, ()
    note = f"nothing says what REF shows: its one structure is taken to be PRED's, {other}"
    return _called(reference, {own: other}), (note,)


def how_to_name(prediction: MaskSet, reference: MaskSet) -> str:
    """What to do where the two sides show different organs."""
    if reference.is_unnamed:
        example = dict(zip(prediction.organs[:3], sorted(reference.values), strict=False))
        return (
            "Say what REF's values stand for, in a file labels.json next to its masks, such as "
            f"{json.dumps(example, ensure_ascii=False)}."
        )
    if not {*prediction.organs} & {*reference.organs}:
        return (
            "Give them the same names, in the legend of one side (labels.json next to its masks)."
        )
    return "Choose with --organ."


def spellings(organs: Iterable[str]) -> dict[str, str]:
    """Every name and the first that is the same but for case, spaces, `-` and `_`."""
    first: dict[str, str] = {}
    return {organ: first.setdefault(folded(organ), organ) for organ in organs}


def _called(side: MaskSet, spelling: Mapping[str, str]) -> MaskSet:
    if all(spelling[organ] == organ for organ in side.organs):
        return side
    members = {
        id: replace(
            member,
            organs=_unique(member.organs, spelling),
            read=partial(_read, member, spelling),
        )
        for id, member in side.members.items()
    }
    values, labels = (
        {value: spelling.get(organ, organ) for value, organ in known.items()}
        for known in (side.values, side.labels)
    )
    organs = _unique(side.organs, spelling)
    return replace(side, members=members, organs=organs, values=values, labels=labels)


def _unique(organs: Organs, spelling: Mapping[str, str]) -> Organs:
    return tuple(dict.fromkeys(spelling[organ] for organ in organs))


def _read(member: MaskCase, spelling: Mapping[str, str], organs: Organs) -> CaseMasks:
    """The masks of a case by its own names, several of which may be one organ."""
    own = tuple(organ for organ in member.organs if spelling[organ] in organs)
    places = np.array([0, *(organs.index(spelling[organ]) + 1 for organ in own)], np.uint8)
    return _placed_anew(member.read(own), places)


def _placed_anew(masks: CaseMasks, places: NDArray[np.uint8]) -> CaseMasks:
    """The same masks, with other places of the organs, before they were resized too."""
    read = masks.before

    def before() -> CaseMasks | None:
        found = read() if read else None
        return found and _placed_anew(found, places)

    return replace(masks, voxels=places[masks.voxels], before=before if read else None)
