"""Pixels that may show text."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import Dataset


def doubt(dataset: "Dataset") -> str | None:
    """Why the pixels of a file may show text, as a clause; None where nothing speaks for it."""
    return None
