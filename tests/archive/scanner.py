"""A series as a scanner sends it: a file for each slice, or one enhanced file of all of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from tests.formats.samples import dataset, dicom, item
from tests.formats.test_frames import group

SIZE = 8  # rows and columns
MR, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
PLANES = {
    "axial": (1, 0, 0, 0, 1, 0),
    "coronal": (1, 0, 0, 0, 0, -1),
    "sagittal": (0, 1, 0, 0, 0, -1),
}


def uid(*parts: object) -> str:
    """A UID under 2.25 that depends on its parts alone."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


@dataclass(frozen=True)
class Part:
    """One volume of a series: what its pictures alone have."""

    echo: float = 2.5
    b: float | None = None
    time: int | None = None
    component: str = "MAGNITUDE"


@dataclass(frozen=True)
class Protocol:
    """What a series is: its volumes, one after the other, of so many slices in each plane."""

    description: str
    number: int
    slices: int = 4
    parts: tuple[Part, ...] = (Part(),)
    kind: tuple[str, str] = ("ORIGINAL", "PRIMARY")
    what: str = "NONE"
    planes: tuple[str, ...] = ("axial",)
    step: float = 5.0


@dataclass(frozen=True)
class Picture:
    """A slice of a volume, and its place in its series and in its volume."""

    part: Part
    plane: str
    place: int
    index: int


@dataclass(frozen=True)
class Series:
    """A series of a study of somebody; `who` is what their header says."""

    who: Mapping[str, str]
    study: str
    protocol: Protocol

    @property
    def uid(self) -> str:
        return uid(self.study, self.protocol.number)

    @property
    def pictures(self) -> list[Picture]:
        every = [
            (part, plane, place)
            for part in self.protocol.parts
            for plane in self.protocol.planes
            for place in range(self.protocol.slices)
        ]
        return [Picture(*one, index) for index, one in enumerate(every)]

    def of(self, part: Part) -> list[Picture]:
        return [one for one in self.pictures if one.part == part]

    def sop(self, picture: Picture | None = None) -> str:
        """The SOPInstanceUID of a slice's file, or of the one enhanced file."""
        return uid(self.uid, "all" if picture is None else picture.index)

    def corner(self, plane: str, place: int) -> list[float]:
        """The first pixel of a slice, mm."""
        normal = np.cross(PLANES[plane][:3], PLANES[plane][3:])
        return [float(mm) for mm in np.array([-20.0, -20.0, 40.0]) + normal * place * self.step]

    @property
    def step(self) -> float:
        return self.protocol.step

    def pixels(self, index: int) -> NDArray[np.uint16]:
        seed = int.from_bytes(hashlib.sha256(f"{self.uid}/{index}".encode()).digest()[:4], "big")
        rng = np.random.default_rng(seed)
        return rng.integers(1, 4000, (SIZE, SIZE), dtype=np.uint16)

    def header(self) -> dict[str, Any]:
        """What all files of the series say."""
        return {
            **self.who,
            "StudyInstanceUID": self.study,
            "SeriesInstanceUID": self.uid,
            "FrameOfReferenceUID": uid(self.study, "frame"),
            "SeriesDescription": self.protocol.description,
            "ProtocolName": self.protocol.description,
            "SeriesNumber": self.protocol.number,
            "PixelSpacing": [1.5, 1.5],
            "SliceThickness": self.step,
            "SpacingBetweenSlices": self.step,
        }

    def image_type(self, part: Part) -> list[str]:
        return [*self.protocol.kind, part.component[0], self.protocol.what]

    def classic(self) -> list[bytes]:
        """A file for each slice."""
        return [self._file(picture) for picture in self.pictures]

    def _file(self, picture: Picture) -> bytes:
        part, header = picture.part, self.header()
        values: dict[str, Any] = {
            "SOPClassUID": MR,
            "SOPInstanceUID": self.sop(picture),
            "ImageType": self.image_type(part),
            "EchoTime": part.echo,
            "DiffusionBValue": part.b,
            "TemporalPositionIdentifier": part.time,
            "AcquisitionTime": None if part.time is None else f"1000{part.time:02}",
            "ImagePositionPatient": self.corner(picture.plane, picture.place),
            "ImageOrientationPatient": list(PLANES[picture.plane]),
            "InstanceNumber": picture.index + 1,
        }
        return dicom(self.pixels(picture.index), **(header | values))

    def enhanced(self) -> bytes:
        """One file of all slices, whose frames have the functional groups that tell of each."""
        pictures = self.pictures
        frames = Items([self._groups(picture) for picture in pictures])
        measures = item(PixelSpacing=[1.5, 1.5], SliceThickness=self.step)
        plain = dict.fromkeys(("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"))
        absent = dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient", "EchoTime"))
        made = dataset(
            np.stack([self.pixels(picture.index) for picture in pictures]),
            **{
                **self.header(),
                **plain,
                **absent,
                "WindowCenter": None,
                "WindowWidth": None,
                "SOPClassUID": ENHANCED_MR,
                "SOPInstanceUID": self.sop(),
                "Rows": SIZE,
                "Columns": SIZE,
                "NumberOfFrames": len(pictures),
                "ImageType": self.image_type(pictures[0].part),
                "SharedFunctionalGroupsSequence": Items([group(PixelMeasuresSequence=measures)]),
                "PerFrameFunctionalGroupsSequence": frames,
            },
        )
        return written(made)

    def _groups(self, picture: Picture) -> Dataset:
        part = picture.part
        frame_type = item(FrameType=self.image_type(part), ComplexImageComponent=part.component)
        content = item(FrameAcquisitionNumber=1)
        if part.time is not None:
            content[0].TemporalPositionIndex = part.time
        diffusion = {} if part.b is None else {"MRDiffusionSequence": item(DiffusionBValue=part.b)}
        position = self.corner(picture.plane, picture.place)
        orientation = list(PLANES[picture.plane])
        return group(
            FrameContentSequence=content,
            MRImageFrameTypeSequence=frame_type,
            MREchoSequence=item(EffectiveEchoTime=part.echo),
            PlanePositionSequence=item(ImagePositionPatient=position),
            PlaneOrientationSequence=item(ImageOrientationPatient=orientation),
            **diffusion,
        )


def written(made: Dataset) -> bytes:
    """A data set as a file."""
    stream = BytesIO()
    dcmwrite(stream, made, enforce_file_format=True)
    return stream.getvalue()
