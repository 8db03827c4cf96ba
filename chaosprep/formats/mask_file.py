"""What a mask is to everybody else: labels with their names, and the plane of each image."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.facts import Legend
from chaosprep.imaging.header import Header
from chaosprep.imaging.labels import Labels
from chaosprep.imaging.space.lattice import Lattice, Volume


class MaskFile(Protocol):
    """The mask of a whole series, opened on its images."""

    @property
    def names(self) -> Mapping[int, str]:
        """Label -> what it stands for, as far as the file says so."""

    @property
    def note(self) -> str | None:
        """What a person should know of how the planes were found."""

    def plane(self, index: int) -> NDArray[Any]:
        """The labels, (rows, cols), at the pixels of an image: its number among the images.

        Raises:
            FileError: it has no labels for this image.
        """

    def surplus(self) -> FileError | None:
        """What the file holds that belongs to none of the images."""


@runtime_checkable
class Overlapping(MaskFile, Protocol):
    """A mask in which several structures may lie on one voxel."""

    @property
    def overlaps(self) -> Mapping[int, tuple[int, ...]]:
        """Value -> the labels of all structures that lie where it stands (`imaging.overlaps`)."""


class Opening(msgspec.Struct, frozen=True):
    """What a mask of a whole series is opened with.

    ``file`` is where it is and ``data`` its bytes; ``images`` are the headers of the images that
    can be read, in anatomical order, ``count`` is how many there should be. ``may_say`` tells
    whether a text of the file holds nothing that identifies the patient, ``takes`` whether the
    structure of a name is wanted at all. A fractional mask shows a structure from ``threshold`` on,
    a part of 1; None where nobody said it.
    """

    file: Path
    data: bytes
    images: Sequence[Header]
    count: int
    may_say: Callable[[str], bool] = lambda text: False
    takes: Callable[[str], bool] = lambda name: True
    threshold: float | None = None


class Lies(msgspec.Struct, frozen=True, eq=False):
    """Where a file says that its voxels lie, indexed (i, j, k).

    It may be turned by ``unsure`` radians, for want of digits; ``cropped`` where there is nothing
    beyond it.
    """

    lattice: Lattice
    unsure: float = 0.0
    cropped: bool = False


class MaskFormat(msgspec.Struct, frozen=True):
    """A kind of mask files, and what it can be: of one slice, of a series, a volume by itself.

    ``endings`` are of files that it is looked for under; ``knows`` tells by a file's path and bytes
    whether it is one. ``of_slice`` gives the labels (rows, cols) of a file that is the mask of one
    slice; where there is a ``size`` as well, (rows, cols) by the header alone, the file is taken
    over as it is. ``of_series`` opens a file on the images of a series. ``volume`` gives its labels
    on the lattice that it names itself. ``legend`` tells by the header alone what its values stand
    for, as far as the file says so; it raises `FileError` where that cannot be read. ``beside``
    gives the names of other files in its folder that a file is part of, or raises `FileError`.
    ``lies`` tells by the header alone where its voxels lie, or raises `FileError`.
    """

    name: str
    endings: tuple[str, ...]
    knows: Callable[[str, bytes], bool]
    of_slice: Callable[[bytes], Labels] | None = None
    size: Callable[[bytes], tuple[int, int]] | None = None
    of_series: Callable[[Opening], MaskFile] | None = None
    volume: Callable[[Path, bytes], Volume] | None = None
    legend: Callable[[bytes], Legend] | None = None
    beside: Callable[[bytes], tuple[str, ...]] | None = None
    lies: Callable[[bytes], Lies] | None = None


def surplus(count: int, what: str) -> FileError:
    """The error of a mask that has more than the images."""
    return FileError(
        f"no image belongs to {count} of its {what}",
        "Bring back the missing images, or cut the mask to those that there are.",
        code="mask-surplus",
    )
