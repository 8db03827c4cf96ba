"""A split that was made before, for the patients that are here."""

from collections.abc import Sequence

from chaosprep.division.params import SplitParams
from chaosprep.division.sides import Sides
from chaosprep.layouts.root import Root
from chaosprep.series.source import SourceCase


def known_sides(
    root: Root, cases: Sequence[SourceCase], settled: Sides, params: SplitParams
) -> tuple[Sides, tuple[str, ...]]:
    """The patients that `--like` or `--split-file` tell of, and what to say of the others."""
    return {}, ()
