"""The layouts: a new one is one file and one line of `LAYOUTS`."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from chaosprep.errors import FileError, NothingFoundError, UsageError
from chaosprep.formats.masks import volume_endings
from chaosprep.layouts import (
    amos,
    atlas,
    bids,
    by_headers,
    chaos_masks,
    cirrmri,
    decathlon,
    drawn,
    duke,
    folder,
    nnunet,
    pictures,
    stage,
    totalsegmentator,
    volumes,
)
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.mask_set import MaskSet, Organs
from chaosprep.layouts.root import Root, listing
from chaosprep.plugins import found, load
from chaosprep.series.sharing import told_beside
from chaosprep.series.source import SourceCase
from chaosprep.words import there_are

LAYOUTS: tuple[Layout, ...] = (
    stage.LAYOUT,
    volumes.LAYOUT,
    chaos_masks.LAYOUT,
    folder.LAYOUT,
    pictures.LAYOUT,
    drawn.LAYOUT,
    amos.LAYOUT,
    atlas.LAYOUT,
    cirrmri.LAYOUT,
    totalsegmentator.LAYOUT,
    duke.LAYOUT,
    bids.LAYOUT,
    nnunet.LAYOUT,
    decathlon.LAYOUT,
    by_headers.LAYOUT,
)
"""The first that a tree is laid out in reads it."""

_log = logging.getLogger(__name__)
_MOST = 255  # organs: `CaseMasks` hold bytes
_OF_LABELS = ("labelsTr", "labelsTs", "labels", "masks")

_PATIENTS = ("patient_from_name", "patients")
_REFUSED = {
    "masks": "knows where the masks are",
    "patient_from": "asks no headers for the patients",
    **dict.fromkeys(_PATIENTS, "tells the patients itself"),
    **dict.fromkeys(("select", "series", "pick"), "tells the series itself"),
}
"""A field of `Where` -> why a layout that does not ask for it has no use for it."""

GROUP = "chaosprep.layouts"
"""The entry points with which other packages add theirs."""


def names() -> tuple[str, ...]:
    """The layouts of dataset roots, as `--layout` has them; ours come first."""
    ours = [one.name for one in LAYOUTS if one.find]
    return (*ours, *sorted(found(GROUP).keys() - {one.name for one in LAYOUTS}))


def _every() -> Iterator[Layout]:
    """Our layouts, then those of other packages, which cannot take their names."""
    yield from LAYOUTS
    ours = {one.name for one in LAYOUTS}
    yield from (load(point, Layout) for name, point in found(GROUP).items() if name not in ours)


def which(root: Path, layout: str, where: Where) -> Layout:
    """The layout of a dataset root: one of `names`, or for `auto` the first that takes the root.

    Raises:
        UsageError: there is no such layout.
        ChaosprepError: a folder cannot be listed.
    """
    for one in _every():
        if one.find and (one.name == layout or (layout == "auto" and one.takes(root, where))):
            return one
    raise UsageError(f"--layout: there is no {layout}", there_are(names(), [layout]), "layout")


def find_series(root: Path, layout: str, where: Where) -> Root:
    """Find the series below a dataset root; ``layout`` is as for `which`.

    Raises:
        NothingFoundError: nothing is laid out so.
        UsageError: `layout`, it does not ask what was said of patients.
        ChaosprepError: what else the layout raises.
    """
    one = which(root, layout, where)
    assert one.find is not None, "it is only for masks"
    _check_taken(one, where)
    series = one.find(root, where)
    is_told = one.is_published or "patients" in one.asks
    if layout == "auto" and is_told:
        said = f"read as {one.what}: --layout {one.name}"
        series = replace(series, notes=(said, *series.notes))
    for note in series.notes if where.strict and is_told else ():
        _log.warning("Note: %s", note)
    return replace(series, cases=told_beside(_redivided(series, where)))


def _check_taken(layout: Layout, where: Where) -> None:
    """Refuse what was said to a layout that has no use for it: it would be passed over in silence.

    One that asks for the patients in one way alone says itself why another will not do.
    """
    for option, why in _REFUSED.items():
        if getattr(where, option) in (None, (), "folder") or option in layout.asks:
            continue
        if option in _PATIENTS and {*_PATIENTS} & {*layout.asks}:
            continue
        taking = [one.name for one in _every() if option in one.asks]
        raise UsageError(
            f"--{option.replace('_', '-')}: it is not for --layout {layout.name}, which {why}",
            f"Leave it out; it is for --layout {' and '.join(taking)}.",
            code="layout",
        )


def _redivided(root: Root, where: Where) -> tuple[SourceCase, ...]:
    """The cases; where they are to be divided anew, without sides but for those of a test set."""
    if not where.redivide:
        return root.cases
    return tuple(
        msgspec.structs.replace(one, split="test" if one.split == "test" else None, fold=None)
        for one in root.cases
    )


def find_masks(path: Path, reference: MaskSet | None = None, asked: Organs = ()) -> MaskSet:
    """Find masks to measure: a reference, or what is compared with one.

    Args:
        path: the file or folder.
        reference: what it is compared with: what the masks do not say is taken from there.
        asked: the organs to compare: where the reference does not say it either, one alone does.

    Raises:
        UsageError: there is no such file or folder.
        NothingFoundError: `layout-unknown`.
        ChaosprepError: what is wrong with what it is.
    """
    try:
        with listing():
            masks = _masks(path, reference, asked)
    except FileError as error:
        named = f"{error.file}: {error.reason}" if error.file else error.reason
        raise FileError(named, error.remedy, error.code) from error
    if len(masks.organs) > _MOST:
        raise FileError(
            f"{path}: {len(masks.organs)} organs or values are in it",
            "These look like images; give the folder of the masks.",
            code="mask-values",
        )
    return masks


def _masks(path: Path, reference: MaskSet | None, asked: Organs) -> MaskSet:
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder", "Check the path.", "root")
    for one in _every():
        masks = one.masks(path, reference, asked) if one.masks else None
        if masks is not None:
            return masks
    labels = [str(one) for one in _labels_in(path)]
    understood = "; ".join(one.what for one in _every() if one.masks)
    raise NothingFoundError(
        f"{path}: it is not known what this is",
        f"Give its labels alone: {' or '.join(labels)}."
        if labels
        else f"A side can be {understood}.",
        "layout-unknown",
    )


def _labels_in(path: Path) -> Iterator[Path]:
    """The folders of labels in a data set of volumes."""
    for place in (path / name for name in _OF_LABELS if path.is_dir()):
        names = [one.name.casefold() for one in place.iterdir()] if place.is_dir() else []
        if any(name.endswith(volume_endings()) for name in names):
            yield place
