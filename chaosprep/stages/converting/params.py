"""The parameters of `convert`."""

import math
import re
from typing import Annotated, Literal

from msgspec import Meta

from chaosprep.choices.params import ChoiceParams
from chaosprep.imaging.limits import MAX_PIXELS
from chaosprep.imaging.space.grids import Fit, MaskSampling, parse_size

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


class ConvertParams(ChoiceParams, frozen=True, kw_only=True):
    """How stored values become the values of the image file."""

    window: Annotated[
        str,
        Meta(
            description="percentile (0.5 to 99.5), dicom (the headers' window), minmax, or "
            "LOW,HIGH in modality units (HU for CT)."
        ),
    ] = "percentile"
    window_scope: Annotated[
        Literal["case", "slice"],
        Meta(description="One window for all slices of a case, or one for each."),
    ] = "case"
    keep_16bit: Annotated[
        bool, Meta(description="Keep the stored values, bit for bit, as 16-bit grey; no window.")
    ] = False
    format: Annotated[
        Literal["png", "npy"], Meta(description="Image files; npy always keeps the stored values.")
    ] = "png"
    max_pixels: Annotated[
        Annotated[int, Meta(ge=1, le=2**30)],
        Meta(description="Largest file that is decoded, in pixels of all its frames."),
    ] = MAX_PIXELS
    spacing: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Resample in-plane to this many mm per pixel: image cubic, once."),
    ] = None
    size: Annotated[
        str | None, Meta(description="One size for all, N or ROWSxCOLS, centred; never squeezed.")
    ] = None
    fit: Annotated[
        Fit, Meta(description="Reach --size by padding and cropping, or by one of them only.")
    ] = "both"
    mask_sampling: Annotated[
        MaskSampling,
        Meta(description="With --spacing: nearest mask pixel, or label with the largest share."),
    ] = "nearest"

    bias: Annotated[
        Literal["none", "n4"],
        Meta(description="Divide the bias field of MR out of each case, found by N4 in the body."),
    ] = "none"
    bias_grid: Annotated[
        Annotated[float, Meta(ge=1, le=20)],
        Meta(description="With --bias: mm between the voxels that the field is fitted on."),
    ] = 6.0
    bias_distance: Annotated[
        Annotated[float, Meta(ge=10, le=1000)],
        Meta(description="With --bias: mm between the knots of the field; more is smoother."),
    ] = 50.0
    bias_iterations: Annotated[
        Annotated[int, Meta(ge=1, le=200)],
        Meta(description="With --bias: the most iterations of each of the three levels."),
    ] = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        self.window_kind()
        self.rows_cols()
        if self.keeps and self.window != "percentile":
            raise ValueError("--window has no meaning where the stored values are kept")

    @property
    def keeps(self) -> bool:
        """Whether the stored values are kept."""
        return self.keep_16bit or self.format == "npy"

    @property
    def regrids(self) -> bool:
        """Whether slices may get another pixel grid."""
        return self.spacing is not None or self.size is not None

    def rows_cols(self) -> tuple[int, int] | None:
        """`size` as rows and columns."""
        return None if self.size is None else parse_size("--size", self.size)

    def window_kind(self) -> Literal["percentile", "dicom", "minmax"] | tuple[float, float]:
        """`window`, or LOW,HIGH in modality units as numbers."""
        if self.window in ("percentile", "dicom", "minmax"):
            return self.window  # type: ignore[return-value]
        found = re.fullmatch(rf"({_NUMBER}),({_NUMBER})", self.window.replace(" ", ""))
        if not found or not -math.inf < float(found[1]) < float(found[2]) < math.inf:
            raise ValueError("--window must be percentile, dicom, minmax or LOW,HIGH, LOW < HIGH")
        return float(found[1]), float(found[2])
