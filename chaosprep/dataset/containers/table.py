"""The ways to store a directory's images and masks: a line each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from chaosprep.dataset.containers.container import Container
from chaosprep.dataset.containers.tar import TAR

StoreName = Literal["files", "tar"]

CONTAINERS: Mapping[StoreName, Container] = MappingProxyType({"tar": TAR})
"""How a case is packed; without a line here, its images and masks are single files."""


def container_at(path: str) -> Container | None:
    """The kind of container that a path names, by its ending."""
    return next((kind for kind in CONTAINERS.values() if path.endswith(kind.ending)), None)
