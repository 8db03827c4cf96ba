"""Two grids that should be one: what is not the same, and by how much, in words."""

from collections.abc import Iterator

import numpy as np

from chaosprep.errors import FileError
from chaosprep.imaging.limits import size_text
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.imaging.space.nearest import ENOUGH, SAME_PLACE
from chaosprep.quality.foreign.volume_codes import volume_error

_TURNED = 1e-3  # of a cosine, as `Lattice.is_sheared` has it
_FLOAT32 = 2 * float(np.finfo(np.float32).eps)


def differences(
    one: Lattice, other: Lattice, names: tuple[str, str], *, placed: bool
) -> Iterator[FileError]:
    """Yield an error for all in which a grid differs from the one it belongs to.

    Args:
        one: the grid of the second name, such as the image's, indexed (i, j, k).
        other: the grid of the first name, such as the mask's.
        names: what they are called: `the mask`, `its image`.
        placed: whether both say where they lie; else only shape and spacing count.
    """
    name, whose = names
    far = float(np.abs(one.corners()).max())
    limit = max(ENOUGH * min(one.spacing), SAME_PLACE + _FLOAT32 * far)
    if other.shape == one.shape and placed and one.differs_by(other) <= limit:
        return
    if placed and (order := _reordered(one, other, limit)):
        yield volume_error(
            "grid-order",
            f"{name} has the voxels of {whose} {order}: programs that use the header show it "
            "correctly, those that match voxels by their number show it mirrored or turned",
        )
        return
    if other.shape != one.shape:
        yield volume_error(
            "size", f"{name} is {size_text(other.shape)}, {whose} {size_text(one.shape)}"
        )
    grown = np.abs(np.subtract(other.spacing, one.spacing)) * np.array(one.shape)
    if (grown > limit).any() and not _is_exchanged(one, other, limit):
        yield volume_error(
            "grid-spacing",
            (f"{name} has voxels of {_mm(other.spacing)} mm, {whose} of {_mm(one.spacing)} mm"),
        )
    if placed:
        yield from _places(one, other, names, limit)


def _places(
    one: Lattice, other: Lattice, names: tuple[str, str], limit: float
) -> Iterator[FileError]:
    name, whose = names
    turn = (one.steps / one.spacing).T @ (other.steps / other.spacing)
    whole = np.rint(turn)
    if np.abs(turn - whole).max() > _TURNED:
        degrees = float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))
        yield volume_error(
            "grid-directions", f"{name} is turned against {whose} by {degrees:.3g} degrees"
        )
    elif not (np.abs(whole) == np.eye(3)).all():
        yield volume_error(
            "grid-directions", f"the axes of {name} are those of {whose} in another order"
        )
    elif (whole != np.eye(3)).any():
        axes = ", ".join(axis for at, axis in enumerate("ijk") if whole[at, at] < 0)
        yield volume_error(
            "grid-flipped",
            f"{name} runs along {axes} in the opposite direction to {whose}, and does not lie on "
            "it",
        )
    else:
        away = other.origin - one.origin
        distance = float(np.linalg.norm(away))
        if distance > limit:
            voxels = np.abs(np.linalg.solve(one.steps, away)).max()
            yield volume_error(
                "grid-origin",
                f"{name} lies {distance:.3g} mm ({voxels:.2g} voxels) off {whose}",
            )


def _reordered(one: Lattice, other: Lattice, limit: float) -> str:
    """How other axes count the voxels of one grid, in words; empty where they are not the same."""
    turn = np.rint((one.steps / one.spacing).T @ (other.steps / other.spacing))
    if not (np.abs(turn).sum(0) == 1).all() or not (np.abs(turn).sum(1) == 1).all():
        return ""
    axes = np.abs(turn).argmax(axis=1)
    signs = turn[np.arange(3), axes]
    shape = tuple(other.shape[axis] for axis in axes)
    steps = other.steps[:, axes] * signs
    ends = np.where(signs < 0, np.array(shape) - 1, 0)
    same = Lattice((shape[0], shape[1], shape[2]), other.origin - steps @ ends, steps)
    if same.shape != one.shape or one.differs_by(same) > limit:
        return ""
    back = ", ".join("ijk"[at] for at in np.flatnonzero(signs < 0))
    told = [f"along {back} from the other end"] if back else []
    told += ["with its axes in another order"] if axes.tolist() != [0, 1, 2] else []
    return f"counted {' and '.join(told)}"


def _is_exchanged(one: Lattice, other: Lattice, limit: float) -> bool:
    """Whether the axes are the same ones in another order; then their spacings may differ."""
    turn = np.abs((one.steps / one.spacing).T @ (other.steps / other.spacing))
    if not np.allclose(turn, np.rint(turn), atol=_TURNED):
        return False
    axes = np.rint(turn).argmax(axis=1)
    spacing, shape = np.array(other.spacing)[axes], np.array(one.shape)
    is_same = (np.abs(spacing - one.spacing) * shape <= limit).all()
    return bool(axes.tolist() != [0, 1, 2] and is_same)


def _mm(spacing: tuple[float, float, float]) -> str:
    return " x ".join(f"{mm:.5g}" for mm in spacing)
