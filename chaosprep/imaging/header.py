"""What is known of one image besides its pixels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from chaosprep.imaging.voi import SIGMOID, Lut, Voi

Vector = tuple[float, float, float]
Orientation = tuple[float, float, float, float, float, float]
Ends = tuple[float, float]
"""The lowest and the highest of a range of values, both of it."""


def stored_range(dtype: str, bits_stored: int) -> Ends:
    """The values that a pixel of that type can have; any number for a float."""
    kind = np.dtype(dtype).kind
    if kind == "f":
        return -np.inf, np.inf
    if kind == "i":
        return -(2.0 ** (bits_stored - 1)), 2.0 ** (bits_stored - 1) - 1
    return 0.0, 2.0**bits_stored - 1


@dataclass(frozen=True)
class Header:
    """What one slice's header says, in DICOM's own words; ``None`` is missing, empty or no number.

    ``dtype`` is numpy's name for the stored pixels (BitsAllocated and PixelRepresentation).
    ``pixel_spacing`` is (row, col) in mm, ``image_position_patient`` in mm, ``echo_time`` in ms.
    ``window`` is (low, high) in stored values, see `stored_window`; None where a Modality LUT
    stands between the two. An absent rescale slope, or one of 0, is 1.0, an absent intercept 0.0.

    ``padding`` are the stored values that stand for nothing, lowest and highest.

    ``frames`` is how many the file holds, ``frame_number`` which of them this is, from 1. ``voi``
    and the LUTs are for `windowed`. ``notes`` say what was odd and how it was settled; they hold no
    value that could identify a person. ``sop_instance_uid`` finds the image that a mask refers to;
    it is compared and never shown, as is ``evidence``: keyword -> text of what tells people, series
    and volumes apart.
    """

    rows: int
    cols: int
    dtype: str
    bits_stored: int
    photometric_interpretation: str = "MONOCHROME2"
    pixel_spacing: tuple[float, float] | None = None
    image_position_patient: Vector | None = None
    image_orientation_patient: Orientation | None = None
    spacing_between_slices: float | None = None
    slice_thickness: float | None = None
    instance_number: int | None = None
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    window: Ends | None = None
    padding: Ends | None = None
    echo_time: float | None = None
    modality: str = ""
    frames: int = 1
    frame_number: int = 1
    burned_in_annotation: bool = False
    voi: Voi | None = None
    modality_lut: Lut | None = None
    voi_lut: Lut | None = None
    notes: tuple[str, ...] = ()
    sop_instance_uid: str = field(default="", repr=False)
    evidence: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def inverted(self) -> bool:
        """Whether low values are bright (MONOCHROME1)."""
        return self.photometric_interpretation == "MONOCHROME1"

    @property
    def linear(self) -> bool:
        """Whether ``window`` says all that the header asks for; else ask `windowed`."""
        tables = self.modality_lut is not None or self.voi_lut is not None
        return not tables and not (self.voi is not None and self.voi.function == SIGMOID)
