"""A `dataset.json`, in which nnU-Net and the Decathlon say what a data set holds."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unicodedata import category

from chaosprep.dataset.descriptor import UNKNOWN_LICENSES, UNKNOWN_SOURCES, DataSource, License
from chaosprep.dataset.organs import unnamed
from chaosprep.errors import FileError, UsageError, plural
from chaosprep.facts import Legend
from chaosprep.files import read_regular, real
from chaosprep.formats.label_table import table_of
from chaosprep.formats.legends.mapping import mapped
from chaosprep.layouts.root import (
    Origin,
    listing,
    read_origin,
)
from chaosprep.printable import printable
from chaosprep.series.source import is_litter
from chaosprep.words import there_are

DATASET = "dataset.json"
Table = dict[str, Any]

_MOST = 2**26  # bytes: lists of the largest public sets have some MB
_IGNORED = "ignore"
_LONGEST = 400  # characters of what is said of an origin
_LONGEST_PATH = 4000  # characters: no system has longer ones
_MOST_CHANNELS = 10_000  # four digits number them


def read_json(file: Path) -> Any:  # noqa: ANN401 - whatever it holds
    """Read a JSON file of others.

    Raises:
        FileError: it cannot be read, or `json-broken`.
    """
    return json_of(read_regular(file, most=_MOST))


def json_of(data: bytes) -> Any:  # noqa: ANN401 - whatever it holds
    """What a JSON text of others says.

    Raises:
        FileError: `json-broken`.
    """
    try:
        return json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _broken("it is not JSON, or has a name twice in one object") from error


def read_table(folder: Path) -> Table:
    """The `dataset.json` of a folder.

    Raises:
        FileError: it cannot be read, is no JSON, or holds no object.
    """
    found = read_json(folder / DATASET)
    if not isinstance(found, dict):
        raise _broken("it holds no object")
    return found


def dataset_folder(root: Path, fits: Callable[[Table], bool], what: str) -> Path:
    """The folder with a `dataset.json` that fits: the root itself, or the only one in it.

    Raises:
        UsageError: `root`, there is none, or there are several.
        ChaosprepError: the root cannot be listed.
    """
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder", "Check the path.", code="root")
    if (root / DATASET).exists():
        try:
            if fits(read_table(root)):
                return root
        except FileError as error:
            raise UsageError(f"{DATASET}: {error.reason}", error.remedy, "root") from error
        raise UsageError(
            f"{root}: its {DATASET} is not {what}",
            "Leave --layout out to take it for what it is, or give the folder that is meant.",
            code="root",
        )
    found = inside_folders(root, fits)
    if len(found) != 1:
        reason = "several data sets are in it" if found else f"no {DATASET} of {what} is in it"
        listed = there_are([one.name for one in found])
        remedy = f"Give the folder of one. {listed}" if found else "Give the folder that holds it."
        raise UsageError(f"{root}: {reason}", remedy, code="root")
    return found[0]


def inside_folders(root: Path, fits: Callable[[Table], bool], prefix: str = "") -> list[Path]:
    """The folders in a root, called so, no links, that have a `dataset.json` which fits."""
    with listing():
        named = (one for one in sorted(root.iterdir()) if one.name.startswith(prefix))
        inner = [one for one in named if not is_litter(one.name)]
        return [one for one in inner if not one.is_symlink() and has_table(one, fits)]


def has_broken_table(folder: Path) -> bool:
    """Whether a folder has a `dataset.json` that cannot be read, which its layout says best."""
    if not (folder / DATASET).is_file():
        return False
    try:
        read_table(folder)
    except FileError:
        return True
    return False


def has_table(folder: Path, fits: Callable[[Table], bool]) -> bool:
    """Whether a folder has a `dataset.json` that can be read and fits."""
    if not (folder / DATASET).is_file():
        return False
    try:
        return fits(read_table(folder))
    except FileError:
        return False


class Inside:
    """What lies in a folder, of the paths that a table has."""

    def __init__(self, folder: Path) -> None:
        self._base = os.path.normpath(folder.absolute())
        self._real = real(folder)
        self._known: dict[str, bool] = {}

    def path(self, text: object) -> str | None:
        """A path relative to the folder; None for what is none, or leads out of it."""
        if not isinstance(text, str) or not text or len(text) > _LONGEST_PATH or is_broken(text):
            return None
        path = os.path.normpath(os.path.join(self._base, text))  # noqa: PTH118 - a Path keeps `..`
        if not path.startswith(self._base + os.sep):
            return None
        around = os.path.dirname(path)  # noqa: PTH120
        if around not in self._known:
            self._known[around] = self._holds(around)
        if not self._known[around] or (os.path.islink(path) and not self._holds(path)):  # noqa: PTH114
            return None
        return path[len(self._base) + 1 :].replace(os.sep, "/")

    def _holds(self, path: str) -> bool:
        return real(Path(path)).is_relative_to(self._real)


def is_there(file: Path) -> bool:
    """Whether there is a file of this name, if one can have it."""
    try:
        return file.is_file()
    except OSError:  # the name is too long
        return False


def is_broken(name: str) -> bool:
    """Whether a name holds what no manifest can: control characters, or halves of letters."""
    return not name.isprintable() and any(category(sign) in ("Cc", "Cs") for sign in name)


def names_of(found: object) -> list[str]:
    """The names of channels, in the order of their numbers: `{"0": "T2"}`, or a list.

    Raises:
        UsageError: `channel-names`, they are not numbered from 0, or no names.
    """
    if isinstance(found, str):
        found = [found]
    if isinstance(found, list):
        found = {str(at): name for at, name in enumerate(found)}
    if isinstance(found, Mapping):
        names = [found.get(str(at)) for at in range(len(found))]
        texts = [name for name in names if isinstance(name, str) and name]
        if texts and len(texts) == len(names) <= _MOST_CHANNELS:
            return texts
    raise UsageError(
        f"{DATASET}: its channels are not names with the numbers from 0 on",
        'Write them as {"0": "T1", "1": "T2"}.',
        code="channel-names",
    )


def legend_of(labels: object) -> tuple[Legend, tuple[str, ...]]:
    """What the values of masks stand for, and what is to be said of it.

    nnU-Net's regions, lists of values, name no single value (a list of one value does), and its
    `ignore` stands for what nobody has judged.

    Raises:
        UsageError: `labels`, they cannot be understood.
    """
    if labels is None:
        return {}, ()
    regions, ignored = list[str](), list[int]()
    single: dict[object, object] = {}
    for name, value in labels.items() if isinstance(labels, Mapping) else ():
        only = value[0] if isinstance(value, list) and len(value) == 1 else value
        if isinstance(only, list):
            regions.append(name)
        elif name == _IGNORED and isinstance(only, int):
            ignored.append(only)
        else:
            single[name] = only
    try:
        legend = table_of(mapped(single if isinstance(labels, Mapping) else labels)).legend
    except FileError as error:
        raise UsageError(f"{DATASET}: {error.reason}", error.remedy, "labels") from error
    said = list[str]()
    if regions:
        said.append(
            f"{plural(len(regions), 'label')} of {DATASET} are regions of several values, none of "
            "which it names: such values are called label-1 and so on, or as --labels says"
        )
    if ignored:
        said.append(
            f"{ignored[0]} stands for voxels to be ignored: nothing here ignores them, and it is "
            f"called {unnamed(ignored[0])}"
        )
    return legend, tuple(said)


def origin_of(folder: Path, table: Table) -> Origin:
    """Licence and sources: of a `datapackage.json` beside it, else as the table has them."""
    told = read_origin(folder)
    license = _text(table.get("licence")) or _text(table.get("license"))
    stated = (License(name="other", title=license),) if license else UNKNOWN_LICENSES
    titles = filter(None, (_text(table.get("name")), _text(table.get("reference"))))
    sources = tuple(DataSource(title=title) for title in titles)
    return Origin(told.licenses or stated, told.sources or sources or UNKNOWN_SOURCES)


def _text(value: object) -> str:
    return printable(value[:_LONGEST]).strip() if isinstance(value, str) else ""


def _once(pairs: list[tuple[str, Any]]) -> Table:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name twice")
    return made


def _broken(why: str) -> FileError:
    return FileError(why, "Export or download it again.", code="json-broken")
