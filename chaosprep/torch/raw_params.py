"""What `predict` takes of data that were not prepared: which series, and the form of the masks."""

from typing import Annotated, Literal

from msgspec import Meta

from chaosprep.layouts.find import LayoutParams

MaskForm = Literal["nifti", "seg"]
NOT_ASKED = ("masks", "labels", "roi", "threshold", "redivide")
"""Parameters of a layout that are about masks and sides, of which nothing is taken."""


class RawParams(LayoutParams, frozen=True, kw_only=True):
    """Which series are predicted, and how their masks are written."""

    sequence: Annotated[
        tuple[str, ...],
        Meta(
            description="Of raw data: a series to predict on. Repeatable. [default: those of the "
            "training data, or the only one]"
        ),
    ] = ()
    mask_format: Annotated[
        MaskForm,
        Meta(description="Of raw data: masks as NIfTI, or as DICOM SEG where they are DICOM."),
    ] = "nifti"
