"""Series as scanners write them: pictures that know which volume they were made for.

A volume is a name of the test's own, so that what a catalog makes of the files can be compared with
how they were made.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian

from chaosprep.layouts.headers.catalog import Catalog, make_catalog
from chaosprep.layouts.headers.index import read_index
from chaosprep.workbench import ALONE
from tests.formats.samples import dataset, encoded, item

STEP = 4.0  # mm
SHAPE = (4, 5)
WAYS = {
    "axial": ((1, 0, 0, 0, 1, 0), (0, 0, 1)),
    "coronal": ((1, 0, 0, 0, 0, -1), (0, 1, 0)),
    "sagittal": ((0, 1, 0, 0, 0, -1), (-1, 0, 0)),
}
"""Plane -> direction cosines, and the normal by hand (PS3.3 C.7.6.2.1.1)."""
ENHANCED = "1.2.840.10008.5.1.4.1.1.4.1"

Value = object | Callable[[int], object]


@dataclass(frozen=True)
class Picture:
    """One slice, of one volume, at a place of its stack; ``values`` are its header's own."""

    volume: str
    place: int
    plane: str = "axial"
    values: dict[str, Any] = field(default_factory=dict)
    edit: Callable[[Dataset], object] | None = None

    @property
    def position(self) -> list[float]:
        corner = self.values.get("ImagePositionPatient")
        return corner or [-10 + STEP * self.place * n for n in WAYS[self.plane][1]]


def stack(
    volume: str,
    places: Sequence[int] | int = 5,
    plane: str = "axial",
    edit: Callable[[Dataset], object] | None = None,
    **values: Value,
) -> list[Picture]:
    """A volume's slices; a function gives each slice's value by its place."""
    every = range(places) if isinstance(places, int) else places
    return [
        Picture(
            volume,
            place,
            plane,
            {k: v(place) if callable(v) else v for k, v in values.items()},
            edit,
        )
        for place in every
    ]


def numbered(pictures: Sequence[Picture]) -> list[Picture]:
    """The pictures with InstanceNumbers in the order in which they come."""
    return [
        replace(one, values={"InstanceNumber": n, **one.values})
        for n, one in enumerate(pictures, start=1)
    ]


def in_turns(*stacks: Sequence[Picture]) -> list[Picture]:
    """Place by place, all volumes at each."""
    every = [one for pictures in stacks for one in pictures]
    return sorted(every, key=lambda one: one.place)


def _dataset(picture: Picture, number: int) -> Dataset:
    pixels = np.full(SHAPE, number, np.uint16)
    values: dict[str, Any] = {
        "PatientID": "P1",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.1",
        "FrameOfReferenceUID": "1.2.3.9",
        "SeriesNumber": 5,
        "SOPInstanceUID": f"1.2.3.4.{number}",
        "ImageOrientationPatient": list(WAYS[picture.plane][0]),
        "ImagePositionPatient": picture.position,
        "SpacingBetweenSlices": STEP,
        "InstanceNumber": number,
    }
    made = dataset(pixels, **values | picture.values)  # None takes an element out
    if picture.edit is not None:
        picture.edit(made)
    return made


def write_classic(root: Path, pictures: Sequence[Picture], seed: int = 0) -> dict[str, str]:
    """A file for each picture, named at random; path -> volume."""
    random = Random(seed)
    root.mkdir(parents=True, exist_ok=True)
    made: dict[str, str] = {}
    for number, picture in enumerate(pictures, start=1):
        name = f"{random.getrandbits(40):x}"
        (root / name).write_bytes(encoded(_dataset(picture, number), ExplicitVRLittleEndian))
        made[name] = picture.volume
    return made


_MACROS: dict[str, tuple[str, str]] = {
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "DiffusionBValue": ("MRDiffusionSequence", "DiffusionBValue"),
    "ComplexImageComponent": ("MRImageFrameTypeSequence", "ComplexImageComponent"),
    "ImageType": ("MRImageFrameTypeSequence", "FrameType"),
    "TemporalPositionIdentifier": ("FrameContentSequence", "TemporalPositionIndex"),
    "DimensionIndexValues": ("FrameContentSequence", "DimensionIndexValues"),
    "StackID": ("FrameContentSequence", "StackID"),
    "AcquisitionNumber": ("FrameContentSequence", "FrameAcquisitionNumber"),
    "TriggerTime": ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    "ConvolutionKernel": ("CTReconstructionSequence", "ConvolutionKernel"),
    "KVP": ("CTXRayDetailsSequence", "KVP"),
}
"""Keyword of a classic file -> where an enhanced one has it (PS3.3 C.7.6.16)."""


def write_enhanced(root: Path, pictures: Sequence[Picture], name: str = "all") -> dict[int, str]:
    """One file of all pictures, a frame each; frame -> volume."""
    root.mkdir(parents=True, exist_ok=True)
    frames = []
    for picture in pictures:
        macros: dict[str, dict[str, Any]] = {
            "PlanePositionSequence": {"ImagePositionPatient": picture.position},
            "PlaneOrientationSequence": {"ImageOrientationPatient": [*WAYS[picture.plane][0]]},
        }
        for keyword, value in picture.values.items():
            if keyword in _MACROS:
                macro, called = _MACROS[keyword]
                macros.setdefault(macro, {})[called] = value
        frames.append(item(**{macro: item(**said) for macro, said in macros.items()})[0])
    absent = dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient", "EchoTime"))
    made = _dataset(Picture("", 0), 1)
    for keyword in absent:
        delattr(made, keyword)
    made.SOPClassUID = ENHANCED
    made.SOPInstanceUID = "1.2.3.5." + "".join(str(ord(letter)) for letter in name)
    made.NumberOfFrames = len(pictures)
    made.PerFrameFunctionalGroupsSequence = Items(frames)
    pixels = [np.full(SHAPE, n, "<u2").tobytes() for n in range(len(pictures))]
    made.PixelData = b"".join(pixels)
    (root / name).write_bytes(encoded(made, ExplicitVRLittleEndian))
    return {n: picture.volume for n, picture in enumerate(pictures)}


def catalog(root: Path) -> Catalog:
    """What lies below a root."""
    return make_catalog(read_index(root, ALONE))


def parts(found: Catalog, made: dict[str, str]) -> dict[str, tuple[int, str]]:
    """The volumes of a catalog: name -> how many slices, and whose: `a+b` if of several."""
    return {
        volume.name: (
            len(volume.heads),
            "+".join(sorted({made[path] for path in volume.paths})),
        )
        for volume in found.volumes
    }


def frame_parts(found: Catalog, made: dict[int, str]) -> dict[str, tuple[int, str]]:
    """The same for the frames of one file."""
    return {
        volume.name: (
            len(volume.heads),
            "+".join(sorted({made[head.frame or 0] for head in volume.heads})),
        )
        for volume in found.volumes
    }
