"""Names of structures that cleaning has emptied or made equal: each is told apart again."""

import re
from collections import defaultdict
from collections.abc import Sequence

from chaosprep.privacy.deidentify.elements import Element, Elements
from chaosprep.privacy.deidentify.texts import Alphabet
from chaosprep.privacy.deidentify.vocabulary import REMOVED
from chaosprep.privacy.pseudonyms import Key
from chaosprep.structures import folded

# The sequence of structures -> the element of an item that names it, and its VR.
_NAMES = {
    0x00620002: (0x00620005, "LO"),  # SegmentSequence: SegmentLabel
    0x30060020: (0x30060026, "LO"),  # StructureSetROISequence: ROIName
}
_NAMELESS = "structure"
_TAGGED = re.compile(r".+ ([0-9a-f]{8})")
_LONGEST = 55  # letters: of 64 of LO, without those that are added


def told_apart(
    tag: int, before: Sequence[Elements], after: list[Elements], letters: Alphabet, key: Key
) -> list[Elements]:
    """The items of a sequence of structures, with names that are as many as they were.

    A name of which nothing stayed, or the same as of another one, has digits that come from the
    key and the original: they are the same in all files of a key. Such digits that stand there
    already become others.

    Args:
        tag: the sequence's; the items of any other stay as they are.
        before: its items as they were.
        after: the same, cleaned.
        letters: the character sets of the data set around them.
        key: what the digits come from.
    """
    if tag not in _NAMES:
        return after
    name_tag, vr = _NAMES[tag]
    originals = [_name(item, name_tag, letters) for item in before]
    kept = [_name(item, name_tag, letters).removeprefix(REMOVED) for item in after]
    meant = defaultdict[str, set[str]](set)
    for original, name in zip(originals, kept, strict=True):
        meant[folded(name)].add(folded(original))
    made = list(after)
    for at, (original, name) in enumerate(zip(originals, kept, strict=True)):
        is_shared = name != original and len(meant[folded(name)]) > 1
        if original and (not name or is_shared or _TAGGED.fullmatch(original)):
            value = letters.encoded((_tagged(original, name, key),), vr)
            made[at] = made[at] | {name_tag: Element(name_tag, vr, value)}
    return made


def _tagged(original: str, name: str, key: Key) -> str:
    """What stayed of a name, and its digits."""
    if tagged := _TAGGED.fullmatch(original):
        kept = name.removesuffix(tagged[1]).rstrip()
        return f"{kept or _NAMELESS} {key.tag(tagged[1])}"
    return f"{name[:_LONGEST] or _NAMELESS} {key.tag(folded(original))}"


def _name(item: Elements, tag: int, letters: Alphabet) -> str:
    element = item.get(tag)
    return letters.values(bytes(element.value), "LO")[0] if element else ""
