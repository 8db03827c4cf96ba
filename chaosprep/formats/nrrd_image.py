"""NRRD files as images: volumes of 2 or 3 dimensions, or several along another axis."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.header_texts import may_name
from chaosprep.formats.image_faults import KIND, as_image, no_grey, two_files
from chaosprep.formats.nrrd import KINDS, space_axes, stored_in
from chaosprep.formats.nrrd_header import NrrdHeader, parse
from chaosprep.formats.nrrd_space import directions, lattice_of
from chaosprep.formats.stored import Stored, unreadable
from chaosprep.formats.volume_image import Volumes, volume_format
from chaosprep.formats.volume_mask import without_size
from chaosprep.imaging.limits import size_text
from chaosprep.imaging.space.lattice import Lattice

_WHAT = "NRRD"
# Keys that ITK, 3D Slicer and converters of diffusion images give numbers and words of their own.
_OF_PROGRAMS = ("ITK_", "NRRD_", "DWMRI_", "MultiVolume.", "axis ", "DataNodeClassName", "modality")
_NAMES = {code: names.partition(",")[0] for code, names in KINDS.items()}
# teem.sourceforge.net/nrrd/format.html, "kinds": axes whose numbers make one voxel.
_OF_ONE_VOXEL = ("color", "complex", "vector", "matrix", "quaternion", "normal", "gradient")


@np.errstate(invalid="ignore", over="ignore")  # what is no number is met later
def read_volumes(data: bytes) -> Volumes:
    """What the header of a NRRD says of an image; of the file, its beginning is enough.

    Raises:
        FileError: `image-unreadable`, `image-kind`, `image-beside` or `geometry-unknown`.
    """
    with as_image(_WHAT):
        header = parse(data)
        try:
            return _understood(header, data)
        except (LookupError, ValueError, OverflowError):
            raise unreadable(_WHAT) from None


def _understood(header: NrrdHeader, data: bytes) -> Volumes:
    stored = stored_in(header)
    if stored.beside is not None:
        raise two_files()
    sizes = stored.sizes
    steps = directions(header, len(sizes))
    axes = space_axes(header, sizes, steps)
    rest = [at for at in range(len(sizes)) if at not in axes]
    _check_rest(header, sizes, rest)
    if not 2 <= len(axes) <= 3 or sum(sizes[at] > 1 for at in rest) > 1:
        raise FileError(
            f"a NRRD of {len(sizes)} dimensions ({size_text(sizes)}), {len(axes)} of them of "
            "space; 2 or 3, and volumes along one more, were expected",
            "Save each volume as a file of its own.",
            code=KIND,
        )
    shape = sizes[axes[0]], sizes[axes[1]], sizes[axes[2]] if len(axes) == 3 else 1
    spatial = None if steps is None else [steps[at] or [] for at in axes]
    if len(axes) == 3:
        lattice, nowhere = lattice_of(header, shape, spatial, axes)
    else:
        lattice, nowhere = _of_picture(header, shape, spatial, axes)
    return Volumes(
        what=_WHAT,
        lattice=lattice.of_one_slice(),
        kind=stored.kind,
        voxels=partial(_voxels, stored, data, axes, shape),
        packed=len(data),
        count=int(np.prod([sizes[at] for at in rest], dtype=np.int64)),
        nowhere=nowhere,
        flat=len(axes) == 2,
        texts=_texts(header),
    )


def _check_rest(header: NrrdHeader, sizes: Sequence[int], rest: Sequence[int]) -> None:
    kinds = header.fields.get("kinds", "").casefold().split()
    for at in rest:
        kind = kinds[at] if at < len(kinds) else ""
        if sizes[at] > 1 and any(one in kind for one in _OF_ONE_VOXEL):
            raise no_grey(_WHAT, "colours, complex numbers or vectors")


def _of_picture(
    header: NrrdHeader,
    shape: tuple[int, int, int],
    spatial: list[list[float]] | None,
    axes: Sequence[int],
) -> tuple[Lattice, str | None]:
    """The lattice of two axes, which have a place where their directions have three numbers."""
    if spatial is not None and all(len(one) == 3 for one in spatial):
        across = np.cross(spatial[0], spatial[1])
        fields = {name: text for name, text in header.fields.items() if name != "spacings"}
        alone = NrrdHeader(fields, header.pairs, header.begin)
        return lattice_of(alone, shape, [*spatial, across.tolist()], axes)
    if spatial is None:
        spacings = [float(one) for one in header.fields.get("spacings", "").split()]
        lengths = [spacings[at] for at in axes] if spacings else [np.nan]
    else:
        lengths = [float(np.linalg.norm(one)) for one in spatial]
    if not all(0 < length < np.inf for length in lengths):
        raise without_size()
    return Lattice(shape, np.zeros(3), np.diag([*lengths, 1.0])), "it has two dimensions"


def _voxels(
    stored: Stored, data: bytes, axes: Sequence[int], shape: tuple[int, int, int]
) -> NDArray[Any]:
    with as_image(_WHAT):
        voxels = stored.read(Path(), data)
    rest = [at for at in range(voxels.ndim) if at not in axes]
    return voxels.transpose(*axes, *rest).reshape(*shape, -1)


def _texts(header: NrrdHeader) -> tuple[str, ...]:
    found = ["content"] if may_name(header.fields.get("content", "")) else []
    own = (text for key, text in header.pairs.items() if not key.startswith(_OF_PROGRAMS))
    return (*found, "key/value pairs") if any(map(may_name, own)) else tuple(found)


def _alone(data: bytes, told: Volumes, voxels: NDArray[Any]) -> bytes:
    """A NRRD of one of several volumes, uncompressed; what else the header has is left out."""
    type_ = _NAMES[told.kind.kind + str(told.kind.itemsize)]
    lines = ["NRRD0004", f"type: {type_}", "dimension: 3"]
    if told.nowhere is None:
        lines += ["space: left-posterior-superior"]
    lines += [f"sizes: {' '.join(map(str, told.shape))}"]
    if told.nowhere is None:
        steps = (_vector(step) for step in told.lattice.steps.T)
        lines += [f"space directions: {' '.join(steps)}", "kinds: domain domain domain"]
    else:
        lines += [f"spacings: {' '.join(map(repr, told.lattice.spacing))}"]
    lines += ["endian: little", "encoding: raw"]
    if told.nowhere is None:
        lines += [f"space origin: {_vector(told.lattice.origin)}"]
    little = voxels.astype(told.kind.newbyteorder("<"), copy=False)
    return "\n".join([*lines, "", ""]).encode("ascii") + little.tobytes("F")


def _vector(numbers: NDArray[np.float64]) -> str:
    """Numbers as NRRD writes a vector."""
    return f"({','.join(repr(float(one)) for one in numbers)})"


NRRD_IMAGE = volume_format(
    "NRRD",
    ".nrrd",
    lambda path, data: path.casefold().endswith((".nrrd", ".nhdr")),
    read_volumes,
    _alone,
)
