"""Small series of persons, to be laid into any tree."""

from collections.abc import Mapping

from tests.layouts.trees import STEP, slice_at

Series = dict[str, bytes]


def series(folder: str, number: int = 1, slices: int = 3, **changes: object) -> Series:
    """A series of its own study in a folder; ``number`` tells it, and its pixels, from others."""
    same: Mapping[str, object] = {
        "StudyInstanceUID": f"1.2.{number}",
        "SeriesInstanceUID": f"1.2.{number}.1",
        "FrameOfReferenceUID": f"1.2.{number}.2",
        "SeriesNumber": number,
        "SeriesDescription": "T2 axial",
    }
    return {
        f"{folder}/{place}": slice_at(
            place,
            **{
                **same,
                "SOPInstanceUID": f"1.2.{number}.1.{place + 1}",
                "InstanceNumber": place + 1,
                "ImagePositionPatient": [-10, -20, STEP * place],
                **changes,
            },
        )
        for place in range(slices)
    }
