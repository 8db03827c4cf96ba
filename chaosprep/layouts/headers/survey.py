"""All that is known of a root by its headers: what is taken of it, and what else is there."""

from collections.abc import Mapping
from dataclasses import dataclass

from chaosprep.layouts.headers.catalog import Catalog, Volume
from chaosprep.layouts.headers.masks import Masks
from chaosprep.layouts.layout import Where
from chaosprep.layouts.root import Root


@dataclass(frozen=True)
class Survey:
    """A root with the catalog of which it was made.

    ``where`` is what the user said, with the key; ``patients`` are the ids of persons. ``taken``
    are the volumes of the root's cases, by id, and ``masks`` what is on volumes.
    """

    root: Root
    catalog: Catalog
    where: Where
    patients: Mapping[str, str]
    taken: Mapping[str, Volume]
    masks: Masks
