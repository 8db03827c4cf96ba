"""Which mask belongs to which image: decided by names and a stated rule, never by listing order."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from chaosprep.errors import FileError
from chaosprep.structures import folded
from chaosprep.words import whole

Rule = Literal["stem", "next-number", "rank", "key", "place", "volume"]
Keys = Mapping[str, str]
_BY_STEM: Keys = {}
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Pairs:
    """What a rule found: (image, mask) paths, the files that it could not pair, and a note.

    `errors` are (file, error); `note` says that the pairing had to fall back to another rule.
    Where each structure has a file of its own, `structures` are all masks of an image.
    """

    pairs: tuple[tuple[str, str | None], ...]
    errors: tuple[tuple[str, FileError], ...] = ()
    note: str | None = None
    structures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def masks(self) -> dict[str, tuple[str, ...]]:
        """Image -> its masks: one, or one for each structure that it has."""
        one = {image: (mask,) for image, mask in self.pairs if mask is not None}
        return {**one, **self.structures}


def natural_key(path: str) -> tuple[list[tuple[int, str]], str]:
    """Sorts names as people do: `i9` before `i10`, whatever the padding."""
    parts = re.findall(r"(\d+)|(\D+)", _last(path))
    return [(whole(digits) if digits else -1, text) for digits, text in parts], path


def pair(
    images: Sequence[str],
    masks: Sequence[str] | None,
    rule: Rule,
    keys: Keys = _BY_STEM,
    organs: Mapping[str, str] = _NONE,
) -> Pairs:
    """Pair the images of a series with its masks.

    Args:
        images: paths of the images.
        masks: paths of the masks, or None where there is no ground truth.
        rule: `stem` (equal names), `next-number` (image n belongs to mask n + 1, as where two
            phases share their masks), `rank` (equal position among the sorted names), `key` (equal
            keys, nothing else), `place` (the same: where masks say where they lie, that decides
            before), `volume` (the one mask belongs to every image).
        keys: path -> what to match by, where it is not the stem.
        organs: mask -> its structure, where each has files of its own; not every image has all.

    Returns:
        Pairs in natural order of the image names. Where `stem` or `next-number` matches no file at
        all and the counts agree, the pairs are by rank, with a note.
    """
    if organs and masks is not None and rule != "volume":
        return _by_structure(images, masks, rule, keys, organs)
    images, twice = _unique(images, keys)
    if masks is None:
        return Pairs(tuple((image, None) for image in images), twice)
    if rule == "volume":
        return Pairs(tuple((image, masks[0]) for image in images), twice)
    masks, twice_masks = _unique(masks, keys)
    twice += twice_masks
    if rule == "rank":
        return Pairs((), twice) if twice else _by_rank(images, masks)
    found = _by_name(images, masks, rule, keys)
    paired = found.pairs or twice or rule in ("key", "place")
    if not paired and images and len(images) == len(masks):
        note = "paired by rank: no mask's name matches, but the counts agree"
        return Pairs(_by_rank(images, masks).pairs, note=note)
    return Pairs(found.pairs, twice + found.errors)


def _by_structure(
    images: Sequence[str], masks: Sequence[str], rule: Rule, keys: Keys, organs: Mapping[str, str]
) -> Pairs:
    """Pair each structure by itself; an image that has none of them lacks its mask."""
    of_organ: dict[str, list[str]] = {}
    for mask in masks:
        of_organ.setdefault(folded(organs[mask]), []).append(mask)
    every = [pair(images, some, rule, keys) for some in of_organ.values()]
    structures: dict[str, tuple[str, ...]] = {}
    for image, own in (one for pairs in every for one in pairs.masks().items()):
        structures[image] = (*structures.get(image, ()), *own)
    errors = {
        path: error
        for path, error in (one for pairs in every for one in pairs.errors)
        if path not in structures
    }
    ordered = [image for image, _ in pair(images, None, rule, keys).pairs if image in structures]
    return Pairs(
        tuple((image, structures[image][0]) for image in ordered),
        tuple(errors.items()),
        structures=structures,
    )


def _by_name(images: Sequence[str], masks: Sequence[str], rule: Rule, keys: Keys) -> Pairs:
    by_name = {_name(_text(mask, keys), 0): mask for mask in masks}
    step = 1 if rule == "next-number" else 0
    pairs: list[tuple[str, str | None]] = []
    errors: list[tuple[str, FileError]] = []
    for image in images:
        mask = by_name.pop(_name(_text(image, keys), step), None)
        if mask is None:
            error = FileError(
                "no mask belongs to this image",
                "Bring back its mask, or leave the slice out with --on-error skip.",
                code="mask-missing",
            )
            errors.append((image, error))
        else:
            pairs.append((image, mask))
    errors += [(mask, surplus_mask()) for mask in by_name.values()]
    return Pairs(tuple(pairs), tuple(errors))


def _text(path: str, keys: Keys) -> str:
    return keys[path] if path in keys else PurePosixPath(_last(path)).stem


def _last(path: str) -> str:
    """The last part of a path, as `PurePosixPath` has it, which takes long to make."""
    name = path.rpartition("/")[2]
    return PurePosixPath(path).name if name in ("", ".") else name


def pairing_name(text: str) -> str:
    """What two texts have in common that pairing takes for one name but for their case."""
    return str(_name(text, 0))


def _name(text: str, step: int) -> str | tuple[str, int]:
    """The name to match by: the text, or the text with `step` added to its last number."""
    found = re.fullmatch(r"(.*?)(\d+)", text)
    return (found[1], whole(found[2]) + step) if found else text


def _by_rank(images: Sequence[str], masks: Sequence[str]) -> Pairs:
    if len(images) == len(masks):
        return Pairs(tuple(zip(images, masks, strict=True)))
    error = FileError(
        f"{len(images)} images but {len(masks)} masks, so they cannot be paired by rank",
        "Bring back the missing files or remove the surplus ones.",
        code="mask-count",
    )
    folder = PurePosixPath((masks or images)[0]).parent.as_posix()
    return Pairs((), ((folder, error),))


def _unique(
    paths: Sequence[str], keys: Keys
) -> tuple[list[str], tuple[tuple[str, FileError], ...]]:
    """In natural order; set aside those that neither pairing nor rank can tell apart by name."""
    ordered = sorted(paths, key=lambda path: (natural_key(keys.get(path, path))[0], path))
    names = [_name(_text(path, keys).casefold(), 0) for path in ordered]
    counts = Counter(names)
    single, errors = [], []
    for path, name in zip(ordered, names, strict=True):
        if counts[name] == 1:
            single.append(path)
            continue
        error = FileError(
            "another file in this folder has the same name except for its ending, case or zeros",
            "Keep one of them.",
            code="name-twice",
        )
        errors.append((path, error))
    return single, tuple(errors)


def surplus_mask() -> FileError:
    """The error for a mask that no image belongs to."""
    return FileError(
        "no image belongs to this mask",
        "Bring back its image, or remove the mask.",
        code="mask-surplus",
    )
