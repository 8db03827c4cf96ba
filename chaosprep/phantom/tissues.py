"""Tissues of the phantom: what each is labelled in a mask and how bright it is in each contrast."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import UsageError


class Look(NamedTuple):
    """How a tissue looks.

    T1 is split into the signal of water and of fat, since the two add in phase and subtract out of
    phase; ``t2`` is T2-SPIR (fat suppressed); both in stored values of a 1.5 T scan as large as
    CHAOS's. ``hu`` is Hounsfield units. ``grain`` is the relative amplitude of the texture.
    """

    water: float
    fat: float
    t2: float
    hu: float
    grain: float = 0.04


class Tissue(IntEnum):
    """Value of a pixel of the tissue map."""

    AIR = 0
    LUNG = 1
    GAS = 2
    SKIN = 3
    FAT = 4
    MUSCLE = 5
    BONE = 6
    MARROW = 7
    DISC = 8
    CORD = 9
    FLUID = 10
    BLOOD = 11
    BOWEL = 12
    CONTENT = 13
    PANCREAS = 14
    HEART = 15
    LIVER = 16
    LIVER_VESSEL = 17
    SPLEEN = 18
    RIGHT_CORTEX = 19
    RIGHT_MEDULLA = 20
    LEFT_CORTEX = 21
    LEFT_MEDULLA = 22


LOOKS: dict[Tissue, Look] = {
    Tissue.AIR: Look(0, 0, 0, -1000, 0),
    Tissue.LUNG: Look(22, 0, 25, -850, 0.3),
    Tissue.GAS: Look(6, 0, 8, -950, 0),
    Tissue.SKIN: Look(310, 60, 220, 20),
    Tissue.FAT: Look(70, 710, 85, -100, 0.03),
    Tissue.MUSCLE: Look(295, 15, 165, 55, 0.08),
    Tissue.BONE: Look(60, 20, 45, 750, 0.05),
    Tissue.MARROW: Look(270, 190, 210, 400, 0.12),
    Tissue.DISC: Look(250, 5, 420, 90, 0.05),
    Tissue.CORD: Look(340, 0, 620, 40),
    Tissue.FLUID: Look(130, 0, 1450, 5, 0.02),
    Tissue.BLOOD: Look(190, 0, 720, 120, 0.05),
    Tissue.BOWEL: Look(320, 15, 420, 50, 0.1),
    Tissue.CONTENT: Look(230, 20, 900, 25, 0.2),
    Tissue.PANCREAS: Look(430, 40, 470, 45, 0.12),
    Tissue.HEART: Look(260, 10, 430, 95, 0.08),
    Tissue.LIVER: Look(455, 35, 345, 60),
    Tissue.LIVER_VESSEL: Look(300, 5, 720, 90),
    Tissue.SPLEEN: Look(345, 5, 690, 50, 0.03),
    Tissue.RIGHT_CORTEX: Look(295, 5, 860, 115, 0.03),
    Tissue.RIGHT_MEDULLA: Look(225, 5, 980, 60, 0.03),
    Tissue.LEFT_CORTEX: Look(295, 5, 860, 115, 0.03),
    Tissue.LEFT_MEDULLA: Look(225, 5, 980, 60, 0.03),
}

ORGANS: dict[str, tuple[int, tuple[Tissue, ...]]] = {
    "liver": (63, (Tissue.LIVER, Tissue.LIVER_VESSEL)),
    "right-kidney": (126, (Tissue.RIGHT_CORTEX, Tissue.RIGHT_MEDULLA)),
    "left-kidney": (189, (Tissue.LEFT_CORTEX, Tissue.LEFT_MEDULLA)),
    "spleen": (252, (Tissue.SPLEEN,)),
}
"""Organ -> its grey level in a CHAOS MR mask, and the tissues that it is made of."""

CHANNELS = {
    "t1-in": ("water", "fat"),
    "t1-out": ("water", "fat"),
    "t2-spir": ("t2",),
    "ct": ("hu",),
}
"""Sequence -> the fields of `Look` that its image is made of."""


def grey_levels() -> NDArray[np.uint8]:
    """Lookup table (23,) from tissue to the grey level of a CHAOS MR mask, 0 where unlabelled."""
    table = np.zeros(len(Tissue), np.uint8)
    for grey, tissues in ORGANS.values():
        table[list(tissues)] = grey
    return table


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
    return np.array([getattr(LOOKS[tissue], field) for tissue in Tissue], np.float32)
