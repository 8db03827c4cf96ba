"""What only `chaosprep[train]` brings."""

from importlib.util import find_spec

from chaosprep.errors import ChaosprepError


def check_extra(*libraries: str) -> None:
    """Say how to get what is not installed.

    Raises:
        ChaosprepError: `extra`, naming the first library that is missing.
    """
    for name in libraries:
        if find_spec(name) is None:
            raise ChaosprepError(
                f"{name} is not installed",
                "Run: pip install 'chaosprep[train]' (without a GPU, PyTorch's CPU build first).",
                code="extra",
            )
