"""The volumes of public series beside dcm2niix's: voxels are equal, and affines to 1e-3.

What differs is listed here and in docs/headers.md, with its reason.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from tests.layouts.headers.peers_volumes import (
    BIN,
    Volume,
    by_chaosprep,
    by_dcm2niix,
    lay,
    series_below,
    sources,
    take_masks_away,
)

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not (BIN / "dcm2niix").is_file(), reason="no dcm2niix: make test-peers"),
]

DIFFERENT = {
    "masks, which find the images that they refer to": (
        *("dcmqi/segmentations/23x38x3/seg", "dcmqi/segmentations/24x38x3/seg"),
        *("dcmqi/segmentations/liver.dcm", "dcmqi/segmentations/partial_overlaps.dcm"),
        *("dcmqi/segmentations/sparse-labelmap", "dcmqi/sr-example/seg.dcm", "highdicom/seg_"),
    ),
    "tiles of a slide, which lie on glass and not in a patient": (
        *("highdicom/sm_image.dcm", "highdicom/sm_image_dots.dcm"),
        *("highdicom/sm_image_grayscale.dcm", "highdicom/sm_image_numbers.dcm"),
    ),
    "pictures in colour": (
        *("pydicom/ExplVR_BigEnd.dcm", "pydicom/GDCMJ2K_TextGBR.dcm", "pydicom/SC_"),
        *("pydicom/examples_jpeg2k.dcm", "pydicom/examples_palette.dcm"),
        *("pydicom-data/color-pl.dcm", "pydicom-data/gdcm-US-ALOKA-16.dcm"),
    ),
    "secondary captures": (
        *("pydicom/JPEG-lossy.dcm", "pydicom-data/mlut_18.dcm", "pydicom-data/vlut_04.dcm"),
    ),
    "RT doses": ("pydicom/badVR.dcm",),
    "localizers": (
        *("pydicom/dicomdirtests/98892001/CT2N", "pydicom/dicomdirtests/98892003/MR1"),
        "pydicom/dicomdirtests/98892003/MR2",
    ),
    "derived maps": ("dcmqi/paramaps/pm-example-slice.dcm", "pydicom-data/eCT_Supplemental.dcm"),
    "projections": ("pydicom/dicomdirtests/98892003/MR700", "pydicom/examples_overlay.dcm"),
    "one place several times": (
        *("highdicom/ct_image.dcm", "pydicom/MR_small.dcm", "pydicom/693_J2KI.dcm"),
        "pydicom-data/MR2_J2KI.dcm",
    ),
    "single pictures that have no place in a patient, or no thickness": (
        *("highdicom/dx_image.dcm", "pydicom/dicomdirtests/77654033/CR"),
        *("pydicom-data/JPGLosslessP14SV1_1s_1f_8b.dcm", "pydicom-data/RG1_J2KI.dcm"),
        *("pydicom-data/RG3_J2KI.dcm", "pydicom-data/explicit_VR-UN.dcm"),
    ),
    "slices at distances that differ: 202.5 and 1.25 mm": ("pydicom/dicomdirtests/77654033/CT2",),
    "pixels that stand for nothing (PixelPaddingValue): air here, -3024 HU there": (
        "dcmqi/segmentations/ct-3slice/01.dcm",
    ),
    "files without a SeriesInstanceUID": ("nibabel/decimal_rescale.dcm",),
    "mosaics whose 7 x 7 slices do not fit their 256 x 256 pixels": ("nibabel/0.dcm",),
    "JPEG 2000 data without a sign in a file whose header announces one": (
        "pydicom/J2K_pixelrep_mismatch.dcm",
    ),
}
"""Why dcm2niix's volumes are others -> where the first file of a series lies, or begins."""
UNDECODED = ("dcm_qa/axmb/AxAsc36mb2a/jpg1.dcm", "pydicom-data/bad_sequence.dcm")
"""JPEG Lossless: equal where a decoder is installed, which is no part of the toolkit."""


@dataclass
class Compared:
    """What is left of a series on either side once equal volumes are put together."""

    place: str
    equal: int = 0
    ours: list[Volume] = field(default_factory=list)
    theirs: list[Volume] = field(default_factory=list)


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    logger = logging.getLogger("nibabel.global")
    level, logger.level = logger.level, logging.CRITICAL
    yield
    logger.level = level


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> list[Compared]:
    place = tmp_path_factory.mktemp("series")
    tree = lay(place / "tree")
    found: dict[str, Compared] = {}
    for series, path in series_below(tree):
        found.setdefault(series, Compared(path))
    theirs = defaultdict[str, list[Volume]](list)
    for volume in by_dcm2niix(tree, place / "theirs"):
        theirs[volume.series].append(volume)
    take_masks_away(tree)
    for volume in by_chaosprep(tree, place / "ours"):
        one, others = found[volume.series], theirs[volume.series]
        same = next((other for other in others if is_same(volume, other)), None)
        if same is None:
            one.ours.append(volume)
        else:
            one.equal += 1
            others.remove(same)
    for series, one in found.items():
        one.theirs = theirs[series]
    return list(found.values())


def is_same(one: Volume, other: Volume) -> bool:
    """Voxels equal, but for what floats of 32 bits lose where they are scaled; affines to 1e-3."""
    (voxels, affine), (others, there) = one.seen, other.seen
    return (
        voxels.shape == others.shape
        and np.allclose(affine, there, rtol=0, atol=1e-3)
        and np.allclose(voxels, others, rtol=1e-6, atol=1e-6)
    )


def test_what_differs_from_dcm2niix_has_a_known_reason(compared: list[Compared]) -> None:
    places = tuple(place for some in DIFFERENT.values() for place in some)
    different = [one.place for one in compared if one.ours or one.theirs]
    unknown = [one for one in different if not one.startswith((*places, *UNDECODED))]
    assert unknown == []
    there = tuple(f"{name}/" for name in sources())
    listed = [place for place in places if place.startswith(there)]
    assert [place for place in listed if not any(d.startswith(place) for d in different)] == []


@pytest.mark.parametrize(
    ("source", "series", "volumes"),
    [
        ("dcmqi", 4, 4),
        ("dcm_qa", 20, 40),
        ("dcm_qa_uih", 4, 68),
        ("nibabel", 2, 3),
        ("pydicom", 1, 1),
    ],
)
def test_all_other_volumes_are_equal(
    compared: list[Compared], source: str, series: int, volumes: int
) -> None:
    if source not in sources():
        pytest.skip(f"no files of {source}: make test-peers")
    equal = [one.equal for one in compared if one.place.startswith(f"{source}/") and one.equal]
    assert (len(equal), sum(equal)) == (series, volumes)
