"""Masks find their images: by the UIDs that they refer to, or by where they lie."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from chaosprep.errors import Problem
from chaosprep.layouts.headers.catalog import Catalog, Volume
from chaosprep.layouts.headers.choosing import Chosen
from chaosprep.layouts.layout import Where


def find_masks(
    root: Path, catalog: Catalog, chosen: Sequence[Chosen], where: Where
) -> tuple[Mapping[Volume, tuple[str, ...]], list[Problem]]:
    """The masks of each volume, by path below the root; volumes without any are not there."""
    return {}, []
