"""Mosaics below a root of any files: each is a volume, whatever the series that they are of."""

from pathlib import Path

import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ProblemsError
from tests.formats.mosaics import Stack, csa, siemens, united_imaging
from tests.formats.samples import encoded

SERIES = {
    "SeriesInstanceUID": "1.2.3.4",
    "StudyInstanceUID": "1.2.3",
    "FrameOfReferenceUID": "1.2.3.5",
    "PatientID": "A-17",
    "SeriesDescription": "ep2d",
}


def stack(number: int, count: int = 7, **changes: object) -> Stack:
    return Stack(count, changes={**SERIES, "SOPInstanceUID": f"1.2.3.4.{number}", **changes})


def split(root: Path, output: Path) -> Dataset:
    return chaosprep.split(root, output, layout="headers", val=0)


def write(root: Path, files: dict[str, bytes]) -> Path:
    root.mkdir()
    for name, data in files.items():
        (root / name).write_bytes(data)
    return root


def volumes(made: Dataset, output: Path) -> dict[str, list[tuple[int | None, bytes]]]:
    """Case -> the frame and the file of each slice."""
    found: dict[str, list[tuple[int | None, bytes]]] = {}
    for row in made.slices:
        data = (output / row.image).read_bytes()
        found.setdefault(row.sequence, []).append((row.frame, data))
    return found


def test_mosaics_of_several_times_are_as_many_volumes(tmp_path: Path) -> None:
    data = [
        encoded(
            siemens(
                stack(n, AcquisitionNumber=n, InstanceNumber=n, AcquisitionTime=f"10111{n}"),
                tags={"B_value": []},
            )
        )
        for n in (1, 2, 3)
    ]
    root = write(tmp_path / "root", {"c": data[0], "a": data[1], "b.ima": data[2]})
    found = volumes(split(root, tmp_path / "out"), tmp_path / "out")
    assert found == {
        f"ep2d-t{number}": [(frame, data[number - 1]) for frame in range(7)] for number in (1, 2, 3)
    }


@pytest.mark.parametrize("maker", ["Siemens", "United Imaging"])
def test_mosaics_of_several_b_values_are_called_by_them(maker: str, tmp_path: Path) -> None:
    data = {}
    for number, b in enumerate((0, 400, 800)):
        if maker == "Siemens":
            picture = siemens(stack(number), tags={"B_value": [b]})
        else:
            picture = united_imaging(stack(number))
            picture.private_block(0x0065, "Image Private Header").add_new(0x09, "FD", float(b))
        data[f"ep2d-b{b}"] = encoded(picture)
    made = split(write(tmp_path / "root", data), tmp_path / "out")
    found = volumes(made, tmp_path / "out")
    assert found == {name: [(frame, one) for frame in range(7)] for name, one in data.items()}


def test_a_header_may_be_far_longer_than_the_pixels(tmp_path: Path) -> None:
    """The CSA header of the series holds the whole protocol, and comes before the pixels."""
    made = siemens(stack(1))
    protocol = csa({"MrPhoenixProtocol": ["x" * 400_000]})
    made.private_block(0x0029, "SIEMENS CSA HEADER").add_new(0x20, "OB", protocol)
    root = write(tmp_path / "root", {"one": encoded(made)})
    rows = split(root, tmp_path / "out").slices
    assert [row.frame for row in rows] == list(range(7))
    places = np.array([row.position for row in rows])
    np.testing.assert_allclose(places, np.array(stack(1).positions), atol=1e-6)


def test_a_mosaic_that_does_not_tell_enough_is_named(tmp_path: Path) -> None:
    lacking = siemens(stack(1), tags={"SliceNormalVector": []})
    root = write(tmp_path / "root", {"one": encoded(lacking), "two": encoded(siemens(stack(2)))})
    with pytest.raises(ProblemsError) as caught:
        split(root, tmp_path / "out")
    assert [problem.code for problem in caught.value.problems] == ["grid-of-slices"]
    rest = chaosprep.split(root, tmp_path / "rest", layout="headers", val=0, on_error="skip")
    assert volumes(rest, tmp_path / "rest").keys() == {"ep2d"}
