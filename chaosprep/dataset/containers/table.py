"""The ways to store a directory's images and masks: a line each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from chaosprep.dataset.containers.container import Container
from chaosprep.dataset.containers.tar import TAR
from chaosprep.dataset.containers.zarr import ZARR
from chaosprep.dataset.records import File

StoreName = Literal["files", "tar", "zarr"]

CONTAINERS: Mapping[StoreName, Container] = MappingProxyType({"tar": TAR, "zarr": ZARR})
"""How a case is packed; without a line here, its images and masks are single files."""


_FOLDERS = tuple({kind.ending.rpartition("/")[0] for kind in CONTAINERS.values()} - {""})


def container_at(path: str) -> Container | None:
    """The kind of container that a path names, by its ending."""
    for kind in CONTAINERS.values():
        if path.endswith(kind.ending):
            return kind
    return None


def on_disk(file: File) -> tuple[str, ...]:
    """The paths of all that is on the disk for a file: itself, or its container and what it has."""
    return (file.place, *beside(file.place))


def beside(container: str) -> tuple[str, ...]:
    """The paths of the files that a container has beside it."""
    kind = container_at(container)
    if kind is None or not kind.beside:
        return ()
    folder = container.rpartition("/")[0]
    return tuple(f"{folder}/{name}" for name in kind.beside)


def case_of(name: str) -> str | None:
    """Whose container, or file beside it, a name in a folder tells of; None where it does not."""
    for kind in CONTAINERS.values():
        folder = kind.ending.rpartition("/")[0]
        for ending in (kind.ending, *(f"{folder}/{one}" for one in kind.beside)):
            if name.endswith(ending):
                return name.removesuffix(ending)
    return None


def is_folder(name: str) -> bool:
    """Whether a container of this name is a folder of files."""
    return name.endswith(_FOLDERS)
