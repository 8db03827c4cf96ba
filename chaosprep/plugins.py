"""What other packages add to chaosprep: entry points, looked up only where they are asked for."""

from types import UnionType
from typing import TYPE_CHECKING, Any, get_args

from chaosprep.errors import ChaosprepError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def found(group: str) -> "dict[str, EntryPoint]":
    """The entry points of a group by name; of two, the first on the path, as for imports.

    Raises:
        ChaosprepError: `plugin`, a package's list of them is damaged.
    """
    from importlib.metadata import entry_points

    try:
        points = entry_points(group=group)
    except Exception as error:
        raise ChaosprepError(
            f"{group}: the entry points of an installed package cannot be read ({error})",
            "Install the packages that were installed last again, or remove them.",
            code="plugin",
        ) from error
    return {point.name: point for point in reversed(points)}


def package(point: "EntryPoint") -> str:
    """The name of the package that an entry point belongs to."""
    return point.dist.name if point.dist else point.module


def load(point: "EntryPoint", kind: type | UnionType) -> Any:  # noqa: ANN401 - of this kind
    """Import what an entry point names.

    Raises:
        ChaosprepError: `plugin`, it cannot be imported, or is nothing of this kind.
    """
    try:
        made = point.load()
    except (Exception, SystemExit) as error:
        raise ChaosprepError(
            f"{point.name}: {point.value} of the package {package(point)} cannot be imported "
            f"({type(error).__name__}: {error})",
            "Install that package again, in another version perhaps, or remove it.",
            code="plugin",
        ) from error
    if not isinstance(made, kind):
        wanted = " or ".join(one.__name__ for one in get_args(kind) or (kind,))
        raise ChaosprepError(
            f"{point.name}: {point.value} of the package {package(point)} is not of type {wanted}",
            "Install another version of that package, or remove it.",
            code="plugin",
        )
    return made
