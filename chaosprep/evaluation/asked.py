"""What is measured only where it is asked for: surface Dice at a tolerance, and lesions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Literal

from chaosprep.errors import UsageError
from chaosprep.structures import folded
from chaosprep.words import there_are

Tolerance = float | Mapping[str, float]
Nsd = Literal["voxels", "elements"]
Neighbours = Literal[6, 26]
_IOU, _NEIGHBOURS = 0.5, 26  # by default


@dataclass(frozen=True)
class Asked:
    """The options of the metrics; by default nothing more is measured than overlap and distances.

    Args:
        tolerances: mm by organ, as the reference spells it.
        nsd: what the surface Dice counts: border voxels, or the area of surface elements.
        lesions: whether the components of each organ are matched.
        iou: matched are components whose IoU is above it.
        neighbours: 6 or 26, by which voxels hang together.
    """

    tolerances: Mapping[str, float] = field(default_factory=dict)
    nsd: Nsd = "voxels"
    lesions: bool = False
    iou: float = 0.5
    neighbours: Neighbours = 26


NOTHING_MORE = Asked()


def asked_for(
    tolerance: Tolerance | None,
    organs: Iterable[str],
    *,
    nsd: Nsd = "voxels",
    lesions: bool = False,
    lesion_iou: float = 0.5,
    lesion_neighbours: Neighbours = 26,
) -> Asked:
    """The options, checked, for the organs that are compared.

    Raises:
        UsageError: `tolerance`, `nsd` or `lesions`: no such organ, or a value out of range.
    """
    known = tuple(organs)
    if nsd not in ("voxels", "elements"):
        raise UsageError(f"--nsd: {nsd!r} is not known", "There are: voxels, elements.", "nsd")
    if not (isinstance(lesion_iou, Real) and 0 <= lesion_iou < 1):
        raise UsageError(
            f"--lesion-iou: {lesion_iou!r} is not at least 0 and below 1", "Give 0.5.", "lesions"
        )
    if lesion_neighbours not in (6, 26):
        raise UsageError(
            f"--lesion-neighbours: {lesion_neighbours} is neither 6 nor 26", "Give 26.", "lesions"
        )
    if tolerance is None and nsd != "voxels":
        raise UsageError("--nsd needs --tolerance", "Give the tolerance in mm.", "tolerance")
    if not lesions and (lesion_iou, lesion_neighbours) != (_IOU, _NEIGHBOURS):
        given = "--lesion-iou" if lesion_iou != _IOU else "--lesion-neighbours"
        raise UsageError(f"{given} needs --lesions", "Give --lesions, or leave it out.", "lesions")
    return Asked(_by_organ(tolerance, known), nsd, lesions, lesion_iou, lesion_neighbours)


def _by_organ(tolerance: Tolerance | None, organs: tuple[str, ...]) -> Mapping[str, float]:
    if tolerance is None:
        return {}
    if not isinstance(tolerance, Mapping):
        return dict.fromkeys(organs, _mm(tolerance))
    spelled = {folded(organ): organ for organ in organs}
    if len({folded(name) for name in tolerance}) < len(tolerance):
        raise UsageError("--tolerance: an organ is named twice", "Give it one length.", "tolerance")
    unknown = [name for name in tolerance if folded(name) not in spelled]
    if unknown:
        raise UsageError(
            f"--tolerance: {unknown[0]} is not compared", there_are(organs, unknown), "tolerance"
        )
    return {spelled[folded(name)]: _mm(length) for name, length in tolerance.items()}


def _mm(length: float) -> float:
    if not (isinstance(length, Real) and 0 <= length < 1000):
        raise UsageError(
            f"--tolerance: {length!r} is not a length in mm", "Give mm, such as 2.", "tolerance"
        )
    return float(length)


def parse_tolerance(texts: Iterable[str]) -> Tolerance | None:
    """`2` for all organs, or `liver=3,spleen=2`; several texts are one list.

    Raises:
        UsageError: `tolerance`: a part is neither, an organ stands twice, or both kinds are mixed.
    """
    parts = [part.strip() for text in texts for part in text.split(",")]
    if not parts:
        return None
    if len(parts) == 1 and "=" not in parts[0]:
        return _length(parts[0])
    found: dict[str, float] = {}
    for part in parts:
        name, is_named, length = part.rpartition("=")
        if not is_named or not name.strip() or folded(name.strip()) in map(folded, found):
            raise UsageError(
                f"--tolerance: {part[:40]!r} is not ORGAN=MM, or names its organ twice",
                "Give one length for all organs, or liver=3,spleen=2.",
                "tolerance",
            )
        found[name.strip()] = _length(length)
    return found


def _length(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(
            f"--tolerance: {text[:40]!r} is not a length in mm", "Give mm, such as 2.", "tolerance"
        ) from None
