"""Where the voxels of a NRRD lie: its space, space directions and space origin."""

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.nrrd_header import NrrdHeader
from chaosprep.formats.volume_mask import without_size
from chaosprep.imaging.space.lattice import Lattice

# Space -> the signs that turn it to DICOM's (left, posterior, superior).
_SPACES = {
    **dict.fromkeys(("right-anterior-superior", "ras"), (-1, -1, 1)),
    **dict.fromkeys(("left-anterior-superior", "las"), (1, -1, 1)),
    **dict.fromkeys(("left-posterior-superior", "lps"), (1, 1, 1)),
}
_MM = {"": 1.0, "???": 1.0, "mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "µm": 0.001}
_VECTOR = re.compile(r"none|\([^()]*\)", re.IGNORECASE)
_SAME = 1e-3  # of a length: header texts are rounded


def directions(header: NrrdHeader, dimension: int) -> list[list[float] | None] | None:
    """The step of each axis in its space, None for one that is not of space; None without any.

    Raises:
        ValueError: they are not understood.
    """
    text = header.fields.get("spacedirections")
    if text is None:
        return None
    vectors = _VECTOR.findall(text)
    if _VECTOR.sub("", text).strip() or len(vectors) != dimension:
        raise ValueError
    steps = [None if one.casefold() == "none" else _vector(one) for one in vectors]
    # Older files write an axis that is not of space as not-a-number.
    return [None if step and all(map(math.isnan, step)) else step for step in steps]


def _vector(text: str) -> list[float]:
    if not (text.startswith("(") and text.endswith(")")):
        raise ValueError
    return [float(part) for part in text[1:-1].split(",")]


def lattice_of(
    header: NrrdHeader,
    shape: tuple[int, int, int],
    steps: Sequence[list[float] | None] | None,
    axes: Sequence[int],
) -> tuple[Lattice, str | None]:
    """Where the voxels lie, and why that is nowhere in the patient, as a clause.

    The space origin is the middle of the first voxel, whatever ``centerings`` say. Without a place,
    only the voxels' size counts.

    Args:
        header: of the file.
        shape: the sizes of the axes of space.
        steps: of these axes.
        axes: which of the array's they are.

    Raises:
        FileError: `geometry-unknown`.
        LookupError, ValueError: what it says is not understood.
    """
    fields = header.fields
    space = fields.get("space", "").casefold()
    if steps is None:
        spacings = [float(one) for one in fields.get("spacings", "").split()]
        lengths = [spacings[axis] for axis in axes] if spacings else [math.nan]
        if not all(0 < length < math.inf for length in lengths):
            raise without_size()
        return Lattice(shape, np.zeros(3), np.diag(lengths)), "it has no space directions"
    columns = np.array(steps, np.float64).T
    if columns.shape != (3, 3):
        raise ValueError
    _check_spacings(fields.get("spacings", ""), np.linalg.norm(columns, axis=0), axes)
    if space not in _SPACES:
        why = "its space is not one of the patient (left-posterior-superior, and others)"
    elif "spaceorigin" not in fields:
        why = "it has no space origin"
    else:
        turn = np.array(_SPACES[space]) * _scale(fields.get("spaceunits", ""))
        origin = np.array(_vector(fields["spaceorigin"]))
        if origin.shape != (3,):
            raise ValueError
        return Lattice(shape, turn * origin, turn[:, None] * columns), None
    lengths = np.linalg.norm(columns, axis=0).tolist()
    return Lattice(shape, np.zeros(3), np.diag(lengths)), why


def _check_spacings(text: str, lengths: NDArray[np.float64], axes: Sequence[int]) -> None:
    """The format has no spacings where it has directions; some write both, and err in one."""
    spacings = [float(one) for one in text.split()]
    told = [(spacings[axis], length) for axis, length in zip(axes, lengths, strict=True) if text]
    if any(abs(spacing - length) > _SAME * length for spacing, length in told):
        raise FileError(
            "its spacings are not the lengths of its space directions",
            "Write it again with the geometry of its image.",
            code="geometry-unknown",
        )


def _scale(text: str) -> NDArray[np.float64]:
    """The mm of the units along each axis of space."""
    units = re.findall(r'"([^"]*)"', text) or [""] * 3
    if len(units) != 3:
        raise ValueError
    if not all(unit.strip().casefold() in _MM for unit in units):
        raise FileError(
            "its space has units of length that are not known here",
            "Save it in mm.",
            code="geometry-unknown",
        )
    return np.array([_MM[unit.strip().casefold()] for unit in units])
