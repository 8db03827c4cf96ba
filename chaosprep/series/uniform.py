"""Slices of one volume have one pixel spacing and one thickness."""

from collections import Counter
from collections.abc import Sequence

from chaosprep.errors import FileError, plural
from chaosprep.imaging.space.nearest import ENOUGH, spread
from chaosprep.series.gathering import Shot
from chaosprep.series.mixing import Mixed

_THICKNESS = 0.01  # of the larger


def find_spacings(shots: Sequence[Shot]) -> Mixed | None:
    """The error of several pixel spacings, where pixels would lie off by more than `ENOUGH`."""
    told = [shot for shot in shots if shot.header.pixel_spacing]
    counts = Counter(shot.header.pixel_spacing for shot in told)
    usual, _ = counts.most_common(1)[0] if counts else (None, 0)
    if usual is None:
        return None
    other = [shot for shot in told if _lies_off(shot, usual)]
    if not other:
        return None
    reason = f"PixelSpacing differs in {len(other)} of {plural(len(shots), 'slice')}"
    remedy = "Keep the slices of one spacing only."
    return Mixed(other[0].path, FileError(reason, remedy, "spacing-mixed"))


def _lies_off(shot: Shot, usual: tuple[float, float]) -> bool:
    header = shot.header
    return spread((header.rows, header.cols), header.pixel_spacing or usual, usual) > ENOUGH


def thickness_note(shots: Sequence[Shot]) -> str | None:
    """Say where slices have several thicknesses; None where they have one."""
    counts = Counter(t for shot in shots if (t := shot.header.slice_thickness))
    if not counts or max(counts) - min(counts) <= _THICKNESS * max(counts):
        return None
    ends = f"{min(counts):g} to {max(counts):g} mm"
    return f"SliceThickness differs within the series: {ends}"
