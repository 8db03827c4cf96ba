"""Where the values of one frame stand: in its functional groups, the shared ones, or the root."""

from typing import TYPE_CHECKING, cast

from chaosprep.formats.dicom.faults import broken
from chaosprep.formats.dicom.values import Elements, items, text

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PER_FRAME = "PerFrameFunctionalGroupsSequence"
SHARED = "SharedFunctionalGroupsSequence"
# PS3.3 C.7.6.16.2 and C.8.13.5; the last two hold what legacy-converted files keep of the
# classic header. Other groups describe other images, or values that are not used here.
_MACROS = (
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
    "FrameVOILUTSequence",
    "MREchoSequence",
    "MRTimingAndRelatedParametersSequence",
    "MRDiffusionSequence",
    "MRImageFrameTypeSequence",
    "CTImageFrameTypeSequence",
    "CTReconstructionSequence",
    "CTXRayDetailsSequence",
    "CardiacSynchronizationSequence",
    "FrameContentSequence",
    "UnassignedPerFrameConvertedAttributesSequence",
    "UnassignedSharedConvertedAttributesSequence",
)

_DIRECTION = "DiffusionGradientDirectionSequence"  # within that of diffusion


def count_frames(dataset: Elements) -> int:
    """Read NumberOfFrames; 1 where it is missing, empty or 0, as in pydicom.

    Raises `FileError` ``dicom-broken`` where it is anything else than a whole number.
    """
    value = text((dataset,), "NumberOfFrames")
    if not value:
        return 1
    if not value.removeprefix("+").isdecimal() or len(value) > 12:
        raise broken("the header has no usable NumberOfFrames")
    return int(value) or 1


def described_frames(dataset: Elements) -> int | None:
    """Count the frames that the per-frame functional groups describe; None without groups."""
    return len(items(dataset, PER_FRAME)) or None


def frame_sources(dataset: Elements, index: int, frames: int) -> tuple[Elements, ...]:
    """Give the data sets that speak of one frame, in order: its own groups, the shared ones, root.

    Groups that describe another number of frames than there are cannot be told apart by frame:
    they are left out.
    """
    per_frame, shared = items(dataset, PER_FRAME), items(dataset, SHARED)
    if not per_frame and not shared:
        return (dataset,)
    own = per_frame[index : index + 1] if len(per_frame) == frames else ()
    groups = [Listed(group) for group in (*own, *shared[:1])]
    macros = (items(group, keyword) for group in groups for keyword in _MACROS)
    leaves = [Listed(leaf) for found in macros for leaf in found[:1]]
    turned = (items(leaf, _DIRECTION) for leaf in leaves)
    return (*leaves, *(Listed(leaf) for found in turned for leaf in found[:1]), dataset)


class Listed:
    """A data set of pydicom's that is asked for many elements, by tags that are plain numbers."""

    def __init__(self, dataset: Elements) -> None:
        self._dataset = cast("Dataset", dataset)
        tags = self._dataset.keys()
        self._elements = {int(tag): self._dataset.get_item(tag) for tag in tags}

    def get_item(self, key: int, /) -> object:
        """Give the element of a tag; None where there is none."""
        return self._elements.get(key)

    def __getitem__(self, keyword: str) -> object:
        """Give the element of a keyword, its value converted."""
        return self._dataset[keyword]
