"""Tissues of the phantom: what each is labelled in a mask and how bright it is in each contrast."""

from enum import IntEnum
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import UsageError


class Look(NamedTuple):
    """How a tissue looks.

    T1 is split into the signal of water and of fat, since the two add in phase and subtract out of
    phase; ``t2`` is T2-SPIR (fat suppressed); both in stored values of a 1.5 T scan as large as
    CHAOS's. ``hu`` is Hounsfield units. ``grain`` is the relative amplitude of the texture,
    ``grey`` the level of the tissue's organ in a CHAOS MR mask, 0 where it is unlabelled.
    """

    water: float
    fat: float
    t2: float
    hu: float
    grain: float = 0.04
    grey: int = 0


class Tissue(IntEnum):
    """Value of a pixel of the tissue map, and the tissue's `look`."""

    look: Look

    def __new__(cls, value: int, look: Look) -> Self:
        """Make a tissue of both."""
        tissue = int.__new__(cls, value)
        tissue._value_ = value
        tissue.look = look
        return tissue

    AIR = 0, Look(0, 0, 0, -1000, 0)
    LUNG = 1, Look(22, 0, 25, -850, 0.3)
    GAS = 2, Look(6, 0, 8, -950, 0)
    SKIN = 3, Look(310, 60, 220, 20)
    FAT = 4, Look(70, 710, 85, -100, 0.03)
    MUSCLE = 5, Look(295, 15, 165, 55, 0.08)
    BONE = 6, Look(60, 20, 45, 750, 0.05)
    MARROW = 7, Look(270, 190, 210, 400, 0.12)
    DISC = 8, Look(250, 5, 420, 90, 0.05)
    CORD = 9, Look(340, 0, 620, 40)
    FLUID = 10, Look(130, 0, 1450, 5, 0.02)
    BLOOD = 11, Look(190, 0, 720, 120, 0.05)
    BOWEL = 12, Look(320, 15, 420, 50, 0.1)
    CONTENT = 13, Look(230, 20, 900, 25, 0.2)
    PANCREAS = 14, Look(430, 40, 470, 45, 0.12)
    HEART = 15, Look(260, 10, 430, 95, 0.08)
    LIVER = 16, Look(455, 35, 345, 60, grey=63)
    LIVER_VESSEL = 17, Look(300, 5, 720, 90, grey=63)
    SPLEEN = 18, Look(345, 5, 690, 50, 0.03, grey=252)
    RIGHT_CORTEX = 19, Look(295, 5, 860, 115, 0.03, grey=126)
    RIGHT_MEDULLA = 20, Look(225, 5, 980, 60, 0.03, grey=126)
    LEFT_CORTEX = 21, Look(295, 5, 860, 115, 0.03, grey=189)
    LEFT_MEDULLA = 22, Look(225, 5, 980, 60, 0.03, grey=189)


CHANNELS = {
    "t1-in": ("water", "fat"),
    "t1-out": ("water", "fat"),
    "t2-spir": ("t2",),
    "ct": ("hu",),
}
"""Sequence -> the fields of `Look` that its image is made of."""


def grey_levels() -> NDArray[np.uint8]:
    """Lookup table (23,) from tissue to the grey level of a CHAOS MR mask, 0 where unlabelled."""
    return looks("grey").astype(np.uint8)


def looks(field: str) -> NDArray[np.float32]:
    """Lookup table (23,) from tissue to one field of `Look`.

    Raises `UsageError` for a field that `Look` does not have.
    """
    if field not in Look._fields:
        raise UsageError(
            f"{field} is not a property of a tissue",
            f"Use any of {', '.join(Look._fields)}.",
            "phantom-tissue",
        )
    return np.array([getattr(tissue.look, field) for tissue in Tissue], np.float32)
