"""The parameters of `convert`."""

import math
import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chaosprep.choices.params import ChoiceParams
from chaosprep.imaging.intensity.names import NormalizationName
from chaosprep.imaging.limits import MAX_PIXELS
from chaosprep.imaging.space.grids import Fit, KernelName, MaskSampling, parse_size

Mm = Annotated[float, Meta(gt=0)]
# msgspec 0.23 crashes at a fixed-length tuple beside a number with a bound
ThreeMm = Annotated[tuple[Mm, ...], Meta(min_length=3, max_length=3)]
_BIAS_DEFAULTS = (6.0, 50.0, 50)
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
    normalize: Annotated[
        NormalizationName | None,
        Meta(
            description="Make the values of scans comparable, based on those of the body: zscore "
            "(mean 0, standard deviation 1), or nyul (percentiles meet those of the training "
            "side)."
        ),
    ] = None
    landmarks: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(
            description="With --normalize nyul: learn nothing, and take what was learned for this "
            "directory of convert, or a JSON file that holds it.",
            extra={"local": True},
        ),
    ] = None
    format: Annotated[
        Literal["png", "npy"],
        Meta(
            description="Image files; npy is never windowed: it keeps stored or normalized values."
        ),
    ] = "png"
    max_pixels: Annotated[
        Annotated[int, Meta(ge=1, le=2**30)],
        Meta(description="Largest file that is decoded, in pixels of all its frames."),
    ] = MAX_PIXELS
    spacing: Annotated[
        Mm | ThreeMm | None,
        Meta(
            description="Resample in-plane to this many mm per pixel: image cubic, once. "
            "SLICES,ROWS,COLS also resamples between slices."
        ),
    ] = None
    size: Annotated[
        str | None, Meta(description="One size for all, N or ROWSxCOLS, centred; never squeezed.")
    ] = None
    fit: Annotated[
        Fit, Meta(description="Reach --size by padding and cropping, or by one of them only.")
    ] = "both"
    mask_sampling: Annotated[
        MaskSampling,
        Meta(
            description="With --spacing in-plane: nearest mask pixel, or label with the largest "
            "share, which is always taken between slices."
        ),
    ] = "nearest"
    reference: Annotated[
        str | None,
        Meta(
            description="Bring the other sequences of each patient onto the pixels and slices of "
            "this one, by their positions."
        ),
    ] = None
    through_plane: Annotated[
        KernelName,
        Meta(description="Interpolation of images between slices, where new slices are made."),
    ] = "linear"

    bias: Annotated[
        Literal["none", "n4"],
        Meta(description="Divide the bias field of MR out of each case, found by N4 in the body."),
    ] = "none"
    bias_grid: Annotated[
        Annotated[float, Meta(ge=1, le=20)],
        Meta(description="With --bias: mm between the voxels that the field is fitted on."),
    ] = _BIAS_DEFAULTS[0]
    bias_distance: Annotated[
        Annotated[float, Meta(ge=10, le=1000)],
        Meta(description="With --bias: mm between the knots of the field; more is smoother."),
    ] = _BIAS_DEFAULTS[1]
    bias_iterations: Annotated[
        Annotated[int, Meta(ge=1, le=200)],
        Meta(description="With --bias: the most iterations of each of the three levels."),
    ] = _BIAS_DEFAULTS[2]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.window_kind()
        self.rows_cols()
        if self.through_plane != "linear" and self.between is None and self.reference is None:
            raise ValueError(
                "--through-plane needs --spacing SLICES,ROWS,COLS or --reference: without them "
                "slices stay"
            )
        if self.keeps and self.window != "percentile":
            raise ValueError("--window has no meaning where the stored values are kept")
        if self.bias == "none" and self.bias_settings != _BIAS_DEFAULTS:
            raise ValueError("--bias-grid, --bias-distance and --bias-iterations are for --bias n4")
        if self.normalize is not None and self.window != "percentile":
            raise ValueError("--window has no meaning with --normalize: nothing is cut off")
        if self.normalize is not None and self.keep_16bit:
            raise ValueError("--keep-16bit keeps the stored values, and --normalize changes them")
        if self.landmarks is not None:
            if self.normalize != "nyul":
                raise ValueError("--landmarks is for --normalize nyul")
            from chaosprep.stages.converting.landmarks import landmarks_text

            told = landmarks_text(self.landmarks)  # not its place, which says nothing elsewhere
            msgspec.structs.force_setattr(self, "landmarks", told)

    @property
    def bias_settings(self) -> tuple[float, float, int]:
        """How a bias field is fitted: grid and distance in mm, and iterations."""
        return self.bias_grid, self.bias_distance, self.bias_iterations

    @property
    def keeps(self) -> bool:
        """Whether the stored values are kept."""
        return self.normalize is None and (self.keep_16bit or self.format == "npy")

    @property
    def shows(self) -> bool:
        """Whether the values are windowed to 8 bits."""
        return self.normalize is None and not self.keeps

    @property
    def regrids(self) -> bool:
        """Whether slices may get another pixel grid."""
        return (self.spacing, self.size, self.reference) != (None, None, None)

    @property
    def in_plane(self) -> float | tuple[float, float] | None:
        """The wanted mm per pixel, one number or (row, col)."""
        if not isinstance(self.spacing, tuple):
            return self.spacing
        _, rows, cols = self.spacing
        return rows, cols

    @property
    def between(self) -> float | None:
        """The wanted mm between slices; None where they stay as they are."""
        return self.spacing[0] if isinstance(self.spacing, tuple) else None

    @property
    def in_plane_sampling(self) -> MaskSampling:
        """How masks are resampled where slices stay, so that all cases are treated alike."""
        return self.mask_sampling if self.between is None else "label"

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
