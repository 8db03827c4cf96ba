"""What the toolkit needs from a DICOM header, frame by frame."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from chaosprep.errors import FileError
from chaosprep.formats.dicom.evidence import is_grid, read_evidence, read_image_type
from chaosprep.formats.dicom.faults import broken, whole_grid
from chaosprep.formats.dicom.frames import Listed, count_frames, described_frames, frame_sources
from chaosprep.formats.dicom.luts import read_lut
from chaosprep.formats.dicom.padding import read_padding
from chaosprep.formats.dicom.values import (
    Elements,
    double,
    items,
    number,
    numbers,
    required,
    text,
    unsigned,
)
from chaosprep.imaging.header import Header, Orientation, Vector
from chaosprep.imaging.limits import check_size
from chaosprep.imaging.measured import LOOKED_UP
from chaosprep.imaging.voi import Lut, Voi, make_voi

_GREY = ("MONOCHROME1", "MONOCHROME2")
# PS3.3 C.7.6.3.1.2, retired ones included: only these are quoted, as no person can be in them.
_COLOURS = (
    *("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT"),
    *("YBR_RCT", "PALETTE COLOR", "HSV", "ARGB", "CMYK", "XYB"),
)
_STORED = {(1, 0): "uint8"} | {
    (bits, signed): f"{'int' if signed else 'uint'}{bits}"
    for bits in (8, 16, 32)
    for signed in (0, 1)
}
MAX_FRAMES = 2**14  # each has a header of its own
_FLOATS = {"FloatPixelData": ("float32", 32), "DoubleFloatPixelData": ("float64", 64)}


class Pixels(msgspec.Struct, frozen=True):
    """What all frames of a file share: their shape and how they are stored."""

    rows: int
    cols: int
    frames: int
    dtype: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    photometric_interpretation: str
    notes: tuple[str, ...] = ()


def read_pixels(
    dataset: Elements, keyword: str, max_pixels: int, max_frames: int = MAX_FRAMES
) -> Pixels:
    """Read the Image Pixel module; ``keyword`` names the element with the pixels.

    Raises `FileError`: ``not-grey``, ``too-large`` or ``dicom-broken``.
    """
    dtype, allocated, stored, high = _storage(dataset, keyword)
    photometric = _grey(dataset)
    rows, cols = required(dataset, "Rows"), required(dataset, "Columns")
    if not rows or not cols:
        raise broken("the image has no rows or no columns")
    frames = count_frames(dataset)
    check_size(rows, cols, frames=frames, max_pixels=max_pixels)
    if frames > max_frames:
        reason = f"it announces {frames} frames, above the limit of {max_frames}"
        raise FileError(reason, "Check the file; no series is that long.", "too-large")
    notes: list[str] = []
    if high != stored - 1:
        notes.append(f"HighBit is {high}, not {stored - 1}: the low {stored} bits are taken")
    described = described_frames(dataset)
    if described not in (None, frames):
        notes.append(f"per-frame values of {described} frames are left out: the file has {frames}")
    shape = (rows, cols, frames)
    return Pixels(*shape, dtype, allocated, stored, high, photometric, tuple(notes))


def read_frame(
    dataset: Elements, pixels: Pixels, index: int, *, with_evidence: bool = True
) -> Header:
    """Read the header of one frame, counted from 0.

    Whoever wants the pixels has no use for the evidence, which takes a third of the time. The
    header of a picture which is a grid of slices (`mosaic`) is the picture's. Raises `FileError`
    ``grid-of-slices`` where it is one of several frames.
    """
    frames = pixels.frames
    sources = frame_sources(dataset, index, frames)
    # One position in the root cannot be that of every frame.
    placed = sources if frames == 1 else sources[:-1]
    signed = pixels.dtype.startswith("int")
    modality_lut = read_lut(sources, "ModalityLUTSequence", signed)
    slope, intercept, notes = _rescale(sources, modality_lut)
    voi = _voi(sources)
    padding, odd = read_padding(sources, pixels.dtype, pixels.bits_stored)
    window = None
    if voi is not None and modality_lut is None:
        window = voi.stored(slope, intercept)
    instance = number(placed, "InstanceNumber")
    if instance is None and frames > 1:
        instance = index + 1
    if frames > 1 and is_grid(dataset, read_image_type(sources)):
        raise whole_grid(None, "it is one of several frames")
    return Header(
        rows=pixels.rows,
        cols=pixels.cols,
        dtype=pixels.dtype,
        bits_stored=pixels.bits_stored,
        photometric_interpretation=pixels.photometric_interpretation,
        pixel_spacing=_pixel_spacing(sources),
        image_position_patient=_vector(placed),
        image_orientation_patient=_orientation(sources),
        spacing_between_slices=number(sources, "SpacingBetweenSlices"),
        slice_thickness=number(sources, "SliceThickness"),
        instance_number=None if instance is None else int(instance),
        rescale_slope=slope,
        rescale_intercept=intercept,
        window=window,
        padding=padding,
        echo_time=double(sources, "EffectiveEchoTime") or number(sources, "EchoTime"),
        modality=text(sources, "Modality"),
        frames=frames,
        frame_number=index + 1,
        sop_instance_uid=text((dataset,), "SOPInstanceUID"),
        burned_in_annotation=text(sources, "BurnedInAnnotation").upper() == "YES",
        voi=voi,
        modality_lut=modality_lut,
        voi_lut=read_lut(sources, "VOILUTSequence", signed or intercept < 0),
        evidence=read_evidence(sources) if with_evidence else {},
        notes=(*pixels.notes, *notes, *odd),
    )


def read_every_frame(dataset: Elements, pixels: Pixels) -> tuple[Header, ...]:
    """Read the headers of all frames; where groups do not tell them apart, one serves for all."""
    if pixels.frames == 1 or described_frames(dataset) == pixels.frames:
        listed = Listed(dataset)
        return tuple(read_frame(listed, pixels, index) for index in range(pixels.frames))
    first = read_frame(dataset, pixels, 0)
    numbers = range(1, pixels.frames + 1)
    return tuple(replace(first, instance_number=n, frame_number=n) for n in numbers)


def _storage(dataset: Elements, keyword: str) -> tuple[str, int, int, int]:
    """Give numpy's dtype, BitsAllocated, BitsStored and HighBit."""
    bits = required(dataset, "BitsAllocated")
    if keyword in _FLOATS:
        dtype, expected = _FLOATS[keyword]
        if bits != expected:
            raise broken(f"BitsAllocated is {bits}, but {keyword} has {expected}")
        return dtype, bits, bits, bits - 1
    signed, stored = required(dataset, "PixelRepresentation"), required(dataset, "BitsStored")
    if (bits, signed) not in _STORED:
        wrong = f"PixelRepresentation {signed}" if signed > 1 else f"{bits} bits allocated"
        raise broken(f"pixels of {wrong} are not supported: only 8, 16, 32, or 1 unsigned")
    if not 1 <= stored <= bits:
        raise broken(f"BitsStored is {stored}, of {bits} bits allocated")
    high = unsigned(dataset, "HighBit")
    return _STORED[bits, signed], bits, stored, stored - 1 if high is None else high


def _grey(dataset: Elements) -> str:
    """Give the photometric interpretation of grey pixels."""
    photometric = text((dataset,), "PhotometricInterpretation")
    if not photometric:
        raise broken("the header has no usable PhotometricInterpretation")
    samples = required(dataset, "SamplesPerPixel")
    if photometric in _COLOURS:
        what = photometric
    elif photometric not in _GREY:
        what = "of an unknown PhotometricInterpretation"
    elif samples != 1:
        what = f"of {samples} samples each"
    else:
        return photometric
    remedy = "Only grey slices can be used; leave this file out."
    raise FileError(f"the pixels are {what}, not grey", remedy, "not-grey")


def _rescale(
    sources: Sequence[Elements], modality_lut: Lut | None
) -> tuple[float, float, tuple[str, ...]]:
    """Give slope, intercept and notes; a Modality LUT stands in their place (PS3.3 C.11.1)."""
    if modality_lut is not None:
        return 1.0, 0.0, (LOOKED_UP,)
    broken_lut = any(items(dataset, "ModalityLUTSequence") for dataset in sources)
    notes = ("its Modality LUT is incomplete, and is left out",) if broken_lut else ()
    slope, intercept = number(sources, "RescaleSlope"), number(sources, "RescaleIntercept")
    for keyword, value in (("RescaleSlope", slope), ("RescaleIntercept", intercept)):
        if value is None and text(sources, keyword):
            notes = (*notes, f"its {keyword} is not a number, and is left out")
    if slope == 0:  # it has no inverse
        notes = (*notes, "a RescaleSlope of 0 counts as 1")
    return slope or 1.0, intercept or 0.0, notes


def _voi(sources: Sequence[Elements]) -> Voi | None:
    """Give the first window of the first data set that has a usable one."""
    for source in sources:
        function = text((source,), "VOILUTFunction").upper()
        center, width = number((source,), "WindowCenter"), number((source,), "WindowWidth")
        if voi := make_voi(center, width, function):
            return voi
    return None


def _pixel_spacing(sources: Sequence[Elements]) -> tuple[float, float] | None:
    match numbers(sources, "PixelSpacing"):
        case (row, col) if row > 0 and col > 0:
            return row, col
    return None


def _vector(sources: Sequence[Elements]) -> Vector | None:
    match numbers(sources, "ImagePositionPatient"):
        case (x, y, z):
            return x, y, z
    return None


def _orientation(sources: Sequence[Elements]) -> Orientation | None:
    match numbers(sources, "ImageOrientationPatient"):
        case (a, b, c, d, e, f):
            return a, b, c, d, e, f
    return None
