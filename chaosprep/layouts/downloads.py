"""Public data sets as they are downloaded: the folder that holds one, its pairs, its names."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from chaosprep.cells import divide
from chaosprep.dataset.records import Split
from chaosprep.errors import ChaosprepError, FileError, UsageError, plural
from chaosprep.facts import Legend
from chaosprep.files import read_regular
from chaosprep.layouts.dataset_json import DATASET, Inside, is_broken, legend_of, read_table
from chaosprep.layouts.layout import Where
from chaosprep.layouts.named_cases import Faults, Pool
from chaosprep.layouts.root import Origin, listing, read_origin
from chaosprep.series.source import is_litter
from chaosprep.words import there_are

NIFTI = ".nii.gz"

_WRAPPED = 2  # folders that an archive is unpacked into
_FEW = 16  # folders in one that may be such a wrapping
_MOST = 2**24  # bytes of a table

Fits = Callable[[Path], bool]


def homes_in(root: Path, fits: Fits) -> list[Path]:
    """The folders that fit: the root, or else those in it, or in a folder in it; no links.

    Raises:
        ChaosprepError: a folder cannot be listed.
    """
    level = [root]
    for _ in range(_WRAPPED + 1):
        found = [folder for folder in level if fits(folder)]
        if found:
            return found
        level = [inner for folder in level for inner in _wrapped(folder)]
    return []


def _wrapped(folder: Path) -> list[Path]:
    """The folders in one; none where there are more than archives have around a data set."""
    inner = list[Path]()
    with listing(), os.scandir(folder) as entries:
        for one in entries:
            if one.is_dir(follow_symlinks=False) and not is_litter(one.name):
                inner.append(Path(one.path))
                if len(inner) > _FEW:
                    return []
    return sorted(inner)


def find_home(root: Path, fits: Fits, what: str, holds: str) -> Path:
    """The one folder of a root that fits.

    Args:
        root: the dataset root.
        fits: tells of a folder whether it holds the data set.
        what: the data set's name, for a message.
        holds: what its folder holds, for a message.

    Raises:
        UsageError: `root`, there is none, or there are several.
        ChaosprepError: a folder cannot be listed.
    """
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder", "Check the path.", code="root")
    found = homes_in(root, fits)
    if len(found) != 1:
        reason = f"several folders of {what} are in it" if found else f"no {what} is in it"
        listed = there_are([one.name for one in found])
        remedy = f"Give one of them. {listed}" if found else f"Give the folder that holds {holds}."
        raise UsageError(f"{root}: {reason}", remedy, code="root")
    return found[0]


def takes_home(fits: Fits) -> Callable[[Path, Where], bool]:
    """What tells whether exactly one folder of a root fits, where no pattern is given.

    None does where a folder cannot be listed: other layouts may do without it.
    """

    def takes(root: Path, where: Where) -> bool:
        if where.images is not None or not root.is_dir():
            return False
        with suppress(ChaosprepError):
            return len(homes_in(root, fits)) == 1
        return False

    return takes


def has_file(folder: Path, named: re.Pattern[str]) -> bool:
    """Whether a folder is there and has a file whose whole name fits."""
    if not folder.is_dir():
        return False
    with listing(), os.scandir(folder) as entries:
        return any(named.fullmatch(entry.name) for entry in entries)


def files_in(
    place: str, ending: str, inside: Inside, faults: Faults
) -> Iterator[tuple[str, str | None]]:
    """The paths in a folder, and their names without the ending; None with another one.

    A folder that is a link out of the data set is a problem, and empty.
    """
    folder = faults.folder / place
    if not folder.is_dir():
        return
    if inside.path(place) is None:
        says = f"{place} is a folder elsewhere, and is not followed"
        faults.tell_files("folder-link", [place], says, "Copy the folder in.")
        return
    with listing():
        names = sorted(one.name for one in folder.iterdir() if not is_litter(one.name))
    for name in names:
        fits = name.endswith(ending) and not is_broken(name)
        yield f"{place}/{name}", name.removesuffix(ending) if fits else None


def pairs_in(
    images: str,
    masks: str,
    faults: Faults,
    named: tuple[re.Pattern[str], re.Pattern[str]],
    *,
    bare: bool = False,
) -> dict[str, tuple[str, str | None]]:
    """Name -> image and mask, of a folder of images and one of masks, both NIfTI.

    Args:
        images: the folder, relative to that of the data set.
        masks: the same of the masks.
        faults: what is wrong goes there.
        named: what the files of each are called; the first group pairs them.
        bare: whether an image may lack its mask.
    """
    inside, odd = Inside(faults.folder), list[str]()
    found: list[dict[str, str]] = []
    for place, pattern in zip((images, masks), named, strict=True):
        of_name: dict[str, str] = {}
        for path, name in files_in(place, NIFTI, inside, faults):
            fit = pattern.fullmatch(name or "")
            if fit is None:
                odd.append(path)
            else:
                of_name[fit[1]] = path
        found.append(of_name)
    image, mask = found
    says = (
        f"not named like the data set's files: {plural(len(odd), 'file')} of {images} and {masks}"
    )
    faults.tell_files("file-strange", odd, says, "Move them out.")
    alone = [path for name, path in mask.items() if name not in image]
    says = f"without an image: {plural(len(alone), 'file')} of {masks}"
    faults.tell_files("mask-surplus", alone, says, "Bring back the image, or move them out.")
    lacking = [] if bare else [path for name, path in image.items() if name not in mask]
    says = f"without a mask: {plural(len(lacking), 'file')} of {images}"
    faults.tell_files("mask-missing", lacking, says, "Bring back its mask, or move the image out.")
    return {name: (path, mask.get(name)) for name, path in image.items() if path not in lacking}


def pool_of(split: Split | None) -> Pool:
    """The pool of a case on a side of the data set's own."""
    return "test" if split == "test" else "train"


def legend_beside(
    folder: Path, usual: Legend, spelt: Mapping[str, str]
) -> tuple[Legend, tuple[str, ...]]:
    """What a `dataset.json` says that values stand for, and notes; without one, what is usual.

    ``spelt`` has names as the data set writes them, and as they are to be called.

    Raises:
        UsageError: it cannot be understood.
    """
    if not (folder / DATASET).exists():
        return usual, ()
    try:
        table = read_table(folder)
    except FileError as error:
        raise UsageError(f"{DATASET}: {error.reason}", error.remedy, "root") from error
    legend, notes = legend_of(table.get("labels"))
    called = {
        value: msgspec.structs.replace(one, name=spelt.get(one.name, one.name))
        for value, one in legend.items()
    }
    return called or usual, notes


def origin_at(folder: Path, published: Origin) -> Origin:
    """Licences and sources: of a `datapackage.json` in the folder, else those of the record."""
    told = read_origin(folder)
    return Origin(told.licenses or published.licenses, told.sources or published.sources)


def read_rows(file: Path, sign: str, columns: Sequence[str]) -> list[tuple[str, ...]] | None:
    """Some columns of a table with a heading, without spaces around; None where there is none.

    Raises:
        UsageError: `table-broken`, it cannot be read, or lacks a column.
    """
    try:
        text = read_regular(file, most=_MOST).decode("utf-8-sig")
        rows = [row for _, row in divide(text.splitlines(), sign)]
    except FileError as error:
        if error.code == "file-missing":
            return None
        raise _no_table(file, error.reason) from error
    except ValueError as error:  # of UTF-8, too
        raise _no_table(file, "it is not a table in UTF-8") from error
    heading = [cell.strip() for cell in rows[0]] if rows else []
    lacking = [name for name in columns if name not in heading]
    if lacking:
        raise _no_table(file, f"it has no column {lacking[0]}")
    at = [heading.index(name) for name in columns]
    filled = [row for row in rows[1:] if any(cell.strip() for cell in row)]
    return [tuple(row[n].strip() if n < len(row) else "" for n in at) for row in filled]


def _no_table(file: Path, why: str) -> UsageError:
    return UsageError(f"{file.name}: {why}", "Download it again.", code="table-broken")
