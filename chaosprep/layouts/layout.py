"""What a layout is: a way in which files lie in a tree, and how they become cases."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chaosprep.layouts.mask_set import MaskSet, Organs
from chaosprep.layouts.root import Root
from chaosprep.privacy.identity import HeaderField
from chaosprep.privacy.pseudonyms import Key
from chaosprep.workbench import ALONE, Workbench

Pick = Literal["most-slices", "first", "last", "every"]
"""Which of several volumes of a patient that fit one choice is taken."""


@dataclass(frozen=True)
class Where:
    """What a user says of a dataset root.

    ``images`` and ``masks`` are patterns of paths (`layouts.patterns`), ``patient_from`` tells the
    patients apart, ``key`` makes pseudonyms. Where it is not ``strict``, names that would identify
    a patient are a problem of the root, not an error. Where headers tell which file is which,
    ``masks`` is a folder.

    ``patient_from_name`` is a pattern of the names of cases, such as `{patient}_{}`, and
    ``patients`` a table of them, where neither folders nor headers tell who is who. ``select``
    (`KEY=PATTERN` or `KEY=LOW..HIGH`) and ``series`` (a TOML file) choose among the volumes that
    headers tell apart, ``pick`` among those that a choice leaves; ``sequences`` are those that are
    wanted, where any is named. To ``redivide`` is to leave the data set's own sides and folds
    unsaid, but for its test set. With ``known_words``, what headers call a volume is said in words
    that are known to identify nobody. What is kept between runs goes onto the ``bench``.
    """

    images: str | None = None
    masks: str | None = None
    patient_from: Literal["folder"] | HeaderField = "folder"
    key: Key | None = None
    strict: bool = True
    patient_from_name: str | None = None
    patients: str | None = None
    select: tuple[str, ...] = ()
    series: str | None = None
    pick: Pick | None = None
    bench: Workbench = ALONE
    sequences: tuple[str, ...] = ()
    redivide: bool = False
    known_words: bool = False


@dataclass(frozen=True)
class Layout:
    """A way in which files lie in a tree.

    ``what`` says it in a message. ``find`` gives the series of a dataset root, images with their
    masks, and raises `NothingFoundError` where none is; with `auto` it is asked where `takes` says
    so, of the root and what the user said. ``masks`` gives masks alone, to be measured: of a path,
    beside the reference (None for the reference itself) and the organs that were asked for; None
    where files do not lie so. ``asks`` are the fields of `Where` that it has a use for, of `masks`,
    of those by which the user may tell whose its cases are (`patient_from`, `patient_from_name`,
    `patients`) and of those that choose (`select`, `series`, `pick`); the others are refused. Of a
    ``is_published`` data set, that `auto` took it and what is to be noted of it are said.
    """

    name: str
    what: str
    find: Callable[[Path, Where], Root] | None = None
    takes: Callable[[Path, Where], bool] = lambda root, where: False
    masks: Callable[[Path, MaskSet | None, Organs], MaskSet | None] | None = None
    asks: tuple[str, ...] = ()
    is_published: bool = False
