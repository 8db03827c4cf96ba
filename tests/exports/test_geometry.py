"""Any geometry is written where it lies, or refused by name, and then split has said so."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosprep.dataset.records import Orientation, Spacing, Triple
from chaosprep.dataset.stacking import case_lattice
from chaosprep.errors import FileError
from chaosprep.formats.nifti import write_checked
from chaosprep.imaging.header import Header
from chaosprep.imaging.space.geometry import order_series
from chaosprep.imaging.space.lattice import Volume
from chaosprep.series.gathering import Shot
from chaosprep.series.uniform import find_spacings
from tests.formats.samples import header
from tests.imaging.turning import cosines_of, rotation


@dataclass(frozen=True)
class Row:
    """A row of the table, as far as its place is concerned."""

    id: str
    rows: int
    cols: int
    position: Triple | None
    orientation: Orientation | None
    spacing: Spacing | None


@st.composite
def scans(draw: st.DrawFn) -> list[Header]:
    """A stack as a scanner writes it: turned, rounded, now and then tilted or with a gap.

    In some stacks each slice has its own rounding of the cosines and of the pixel spacing.
    """
    axes = rotation(*draw(st.tuples(*[st.floats(-180, 180)] * 3)))
    cosines = np.round(cosines_of(axes), draw(st.integers(3, 8)))
    step = draw(st.floats(0.3, 5)) * axes[:, 2]
    step = step + draw(st.sampled_from([0, 0, 1e-4, 1e-2, 0.3])) * axes[:, 0]
    places = np.arange(draw(st.integers(1, 30)), dtype=float)
    if draw(st.booleans()):
        places[len(places) // 2 :] += draw(st.sampled_from([0.01, 0.04, 1]))
    first = np.array(draw(st.tuples(*[st.floats(-500, 500)] * 3)))
    positions = np.round(first + np.outer(places, step), draw(st.integers(1, 6)))
    shape = draw(st.tuples(*[st.integers(1, 512)] * 2))
    spacing = draw(st.tuples(*[st.floats(0.3, 5)] * 2))
    noise = np.random.default_rng(draw(st.integers(0, 2**32)))
    turn, stretch = (draw(st.sampled_from([0, 0, 1e-5, 1e-4, 3e-4])) for _ in range(2))
    return [
        header(
            rows=shape[0],
            cols=shape[1],
            pixel_spacing=tuple(np.multiply(spacing, noise.normal(1, stretch, 2)).tolist()),
            slice_thickness=1.0,
            image_position_patient=tuple(position.tolist()),
            image_orientation_patient=tuple((cosines + noise.normal(0, turn, 6)).tolist()),
        )
        for position in positions
    ]


def table(headers: Sequence[Header]) -> tuple[list[Row], list[str]]:
    """What split makes of them: rows in order, and the codes that its warnings tell."""
    order = order_series(headers)
    rows = []
    for index in order.indices:
        one = order.settled(index, headers[index])
        assert one.pixel_spacing is not None
        between = order.slice_spacing, *one.pixel_spacing
        place = one.image_position_patient, one.image_orientation_patient
        rows.append(Row(str(index), one.rows, one.cols, *place, between))
    told = [re.findall(r"refuse it as a volume \((.+)\)$", text) for text in order.warnings]
    return rows, [code for found in told for code in found]


def test_a_step_at_the_limit_is_judged_as_the_volume_is() -> None:
    """Cosines that each slice rounds for itself move such a step by a nanometre, if at all."""
    cosines = (
        (1.0000064, 1.049e-06, -5.35669e-06, 3.61595e-06, 1.00001304, 9.47081e-06),
        (0.9999937, 4.13e-07, -2.32503e-05, -2.18792e-06, 0.99998754, -7.32267e-06),
        (1.0000041, 1.0425e-05, -1.28535e-06, 1.366466e-05, 0.9999933, 3.5151e-06),
    )
    rows, told = table(
        [
            header(image_position_patient=(0.0, 0.0, z), image_orientation_patient=one)
            for z, one in zip((2.0, 2.3, 2.7), cosines, strict=True)
        ]
    )
    assert told == []
    assert case_lattice(rows).spacing[0] == pytest.approx(0.35)


@settings(max_examples=400)
@given(scans())
def test_a_volume_is_written_or_split_has_said_why_not(
    tmp_path_factory: pytest.TempPathFactory, headers: list[Header]
) -> None:
    if find_spacings([Shot(str(n), None, one) for n, one in enumerate(headers)]):
        return
    try:
        rows, told = table(headers)
    except FileError as error:
        assert error.code in ("orientation-skewed", "orientation-mixed")  # noqa: PT017 - either may come
        return
    if order_series(headers).duplicates:
        return  # each of them is a problem of its own
    if told:
        with pytest.raises(FileError) as caught:
            case_lattice(rows)
        assert caught.value.code in told
        return
    lattice = case_lattice(rows)
    shape = lattice.shape
    file = tmp_path_factory.mktemp("n") / "v.nii"
    write_checked(file, Volume(np.zeros(shape, np.uint8), lattice))
    image = SimpleITK.ReadImage(str(file))
    for number in (0, len(rows) - 1):
        place = np.array(image.TransformIndexToPhysicalPoint((0, 0, number)))
        off = np.linalg.norm(place - np.array(rows[number].position))
        # Beside a twentieth of a pixel, what steps may differ by, and how positions are rounded.
        assert off < 0.05 * min(lattice.spacing[1:]) + max(0.05 * lattice.spacing[0], 0.05) + 0.18
