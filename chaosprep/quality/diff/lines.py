"""What differs, to read: counts first, then names, the first few of each kind."""

from collections.abc import Iterator, Sequence

from chaosprep.errors import plural
from chaosprep.quality.diff.found import CaseDiff, Changed, Diff, ImageChange, MaskChange, Set

_SHOWN = 5


def lines(found: Diff, *, whole: bool = False) -> Iterator[str]:
    """A line for each kind of difference with its count, and the names below it.

    Args:
        found: what `diff` gave.
        whole: all names, not the first five.
    """
    most = None if whole else _SHOWN
    yield from _set("patient", found.patients, most)
    yield from _set("case", found.case_ids, most)
    yield from _list("case", "of another patient", _arrows(found.owners), most)
    yield from _list("patient", "on another side or in another fold", _arrows(found.sides), most)
    yield from _list("mask value", "of another meaning", _arrows(found.labels), most)
    yield from _list(
        "parameter or stage", "changed", _arrows(found.stages), most, "parameters or stages"
    )
    yield from _list("choice", "to leave out changed", _arrows(found.left_out), most)
    slices = [f"{id} came" for one in found.cases for id in one.came]
    slices += [f"{id} went" for one in found.cases for id in one.went]
    yield from _list("slice", "came or went", slices, most)
    images = [_image(one) for case in found.cases for one in case.images]
    yield from _list("image", "changed", images, most)
    masks = [text for case in found.cases for text in _masks(case)]
    yield from _list("mask", "changed", masks, most)
    rows = [text for case in found.cases for text in _arrows(case.rows)]
    yield from _list("column of a row", "changed", rows, most, "columns of rows")


def _set(noun: str, names: Set, most: int | None) -> Iterator[str]:
    yield from _list(noun, "came", names.came, most)
    yield from _list(noun, "went", names.went, most)


def _list(
    noun: str, verb: str, texts: Sequence[str], most: int | None, many: str = ""
) -> Iterator[str]:
    if texts:
        count = f"{len(texts)} {many}" if many and len(texts) > 1 else plural(len(texts), noun)
        yield f"{count} {verb}"
        yield from (f"  {text}" for text in texts[:most])
        if most is not None and len(texts) > most:
            yield f"  and {len(texts) - most} more; -v shows all"


def _arrows(changes: Sequence[Changed]) -> list[str]:
    return [f"{one.name}: {one.a or 'nothing'} -> {one.b or 'nothing'}" for one in changes]


def _image(one: ImageChange) -> str:
    if one.size:
        return f"{one.id}: {_sizes(one.size)}"
    return f"{one.id}: {plural(one.pixels, 'pixel')}, by {one.most:g} at most"


def _sizes(both: str) -> str:
    return f"size {both.replace(', ', ' -> ')}"


def _masks(case: CaseDiff) -> Iterator[str]:
    by_slice: dict[str, list[MaskChange]] = {}
    for one in case.masks:
        by_slice.setdefault(one.id, []).append(one)
    for id, changes in by_slice.items():
        yield f"{id}: {'; '.join(map(_organ, changes))}"


def _organ(one: MaskChange) -> str:
    if not one.organ:
        return _sizes(one.size) if one.size else one.note
    whole = one.a + one.b
    dice = 2 * one.both / whole if whole else 1.0
    return f"{one.organ} {one.a} -> {one.b} pixels, Dice {dice:.3f}"
