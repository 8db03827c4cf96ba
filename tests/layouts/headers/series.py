"""Small series of persons, to be laid into any tree."""

from collections.abc import Mapping
from typing import Any

from tests.layouts.trees import STEP, slice_at

Series = dict[str, bytes]
NAMES = ("nought", "one", "two", "three", "four", "five")


def series(
    folder: str, number: int = 1, changes: Mapping[str, Any] | None = None, *, slices: int = 3
) -> Series:
    """A series of its own study in a folder; ``number`` tells it, and its pixels, from others."""
    same: Mapping[str, Any] = {
        "StudyInstanceUID": f"1.2.{number}",
        "SeriesInstanceUID": f"1.2.{number}.1",
        "FrameOfReferenceUID": f"1.2.{number}.2",
        "SeriesNumber": number,
        "SeriesDescription": f"T2 {NAMES[number]}",
    }
    return {
        f"{folder}/{place}": slice_at(
            place,
            **{
                **same,
                "SOPInstanceUID": f"1.2.{number}.1.{place + 1}",
                "InstanceNumber": place + 1,
                "ImagePositionPatient": [-10, -20, STEP * place],
                **(changes or {}),
            },
        )
        for place in range(slices)
    }
