"""The layouts: a new one is one file and one line of `LAYOUTS`."""

from pathlib import Path

from chaosprep.errors import ChaosprepError, FileError, NothingFoundError, UsageError
from chaosprep.layouts import chaos_masks, folder, pictures, stage, volumes
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.mask_set import MaskSet, Organs
from chaosprep.layouts.root import Root

LAYOUTS: tuple[Layout, ...] = (
    stage.LAYOUT,
    volumes.LAYOUT,
    chaos_masks.LAYOUT,
    folder.LAYOUT,
    pictures.LAYOUT,
)
"""The first that a tree is laid out in reads it."""

_MOST = 255  # organs: `CaseMasks` hold bytes


def names() -> tuple[str, ...]:
    """The layouts of dataset roots, as `--layout` has them."""
    return tuple(one.name for one in LAYOUTS if one.find)


def find_series(root: Path, layout: str, where: Where) -> Root:
    """Find the series below a dataset root.

    Args:
        root: the dataset root.
        layout: one of `names`, or `auto` for the first that takes what the user said.
        where: what the user said.

    Raises:
        NothingFoundError: nothing is laid out so.
        ChaosprepError: what else the layout raises.
    """
    for one in LAYOUTS:
        if one.find and (one.name == layout or (layout == "auto" and one.takes(where))):
            return one.find(root, where)
    raise UsageError(f"layout: there is no {layout}", f"There are: {', '.join(names())}.", "layout")


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
        found = _masks(path, reference, asked)
    except FileError as error:
        named = f"{error.file}: {error.reason}" if error.file else error.reason
        raise FileError(named, error.remedy, error.code) from error
    except OSError as error:
        raise ChaosprepError(
            f"{error.filename}: it cannot be listed ({error.strerror})",
            "Make it readable.",
            code="folder-unreadable",
        ) from error
    if len(found.organs) > _MOST:
        raise FileError(
            f"{path}: {len(found.organs)} organs or values are in it",
            "These look like images; give the folder of the masks.",
            code="mask-values",
        )
    return found


def _masks(path: Path, reference: MaskSet | None, asked: Organs) -> MaskSet:
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder", "Check the path.", "root")
    for one in LAYOUTS:
        found = one.masks(path, reference, asked) if one.masks else None
        if found is not None:
            return found
    understood = "; ".join(one.what for one in LAYOUTS if one.masks)
    raise NothingFoundError(
        f"{path}: it is not known what this is", f"A side can be {understood}.", "layout-unknown"
    )
