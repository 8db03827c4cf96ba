"""What a layout is: a way in which files lie in a tree, and how they become cases."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chaosprep.layouts.mask_set import MaskSet, Organs
from chaosprep.layouts.root import Root
from chaosprep.privacy.identity import HeaderField
from chaosprep.privacy.pseudonyms import Key


@dataclass(frozen=True)
class Where:
    """What a user says of a dataset root.

    ``images`` and ``masks`` are patterns of paths (`layouts.patterns`), ``patient_from`` tells the
    patients apart, ``key`` makes pseudonyms. Where it is not ``strict``, names that would identify
    a patient are a problem of the root, not an error.
    """

    images: str | None = None
    masks: str | None = None
    patient_from: Literal["folder"] | HeaderField = "folder"
    key: Key | None = None
    strict: bool = True


@dataclass(frozen=True)
class Layout:
    """A way in which files lie in a tree.

    ``what`` says it in a message. ``find`` gives the series of a dataset root, images with their
    masks, and raises `NothingFoundError` where none is; it is for what the user said where `takes`
    says so. ``masks`` gives masks alone, to be measured: of a path, beside the reference (None for
    the reference itself) and the organs that were asked for; None where files do not lie so.
    """

    name: str
    what: str
    find: Callable[[Path, Where], Root] | None = None
    takes: Callable[[Where], bool] = lambda where: False
    masks: Callable[[Path, MaskSet | None, Organs], MaskSet | None] | None = None
