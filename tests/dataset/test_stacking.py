"""A case as volumes: where its voxels lie, in which units, with which labels."""

from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from chaosprep import Dataset
from chaosprep.dataset.organs import organ_labels
from chaosprep.dataset.records import Slice
from chaosprep.dataset.stacking import (
    case_lattice,
    image_volume,
    label_plane,
    label_volume,
    modality_values,
    originals,
)
from chaosprep.errors import ChaosprepError, FileError


def rows(dataset: Dataset) -> tuple[Slice, ...]:
    return originals(dataset.cases[0])


def code(found: tuple[Slice, ...]) -> str:
    with pytest.raises(FileError) as error:
        case_lattice(found)
    return error.value.code


def changed(row: Slice, **fields: Any) -> Slice:
    return msgspec.structs.replace(row, **fields)


def test_every_pixel_lies_where_its_slice_says(pairs: Dataset) -> None:
    found = rows(pairs)
    lattice = case_lattice(found)
    for index, row in enumerate(found):
        assert row.position is not None
        assert row.orientation is not None
        assert row.spacing is not None
        right, down = np.array(row.orientation[:3]), np.array(row.orientation[3:])
        expected = np.array(row.position) + 2 * row.spacing[1] * down + 3 * row.spacing[2] * right
        assert np.allclose(lattice.origin + lattice.steps @ (index, 2, 3), expected, atol=1e-3)
    assert lattice.spacing == pytest.approx(found[0].spacing)


def test_a_missing_slice_is_a_gap(pairs: Dataset) -> None:
    found = rows(pairs)
    assert code((*found[:1], *found[2:])) == "gap"


def test_slices_at_either_end_may_be_missing(pairs: Dataset) -> None:
    assert case_lattice(rows(pairs)[1:]).shape[0] == len(rows(pairs)) - 1


def test_slices_of_two_sizes_make_no_volume(pairs: Dataset) -> None:
    first, *others = rows(pairs)
    assert code((first, *(changed(row, rows=row.rows + 1) for row in others))) == "geometry-mixed"


def test_a_slice_without_position_makes_no_volume(pairs: Dataset) -> None:
    first, *others = rows(pairs)
    assert code((changed(first, position=None), *others)) == "geometry-unknown"


@pytest.mark.parametrize("spacing", [(5.5, 0.0, 1.0), (5.5, 1.0, -1.0)])
def test_pixels_without_a_size_make_no_volume(
    pairs: Dataset, spacing: tuple[float, float, float]
) -> None:
    """No header makes such a row; a manifest may be anybody's."""
    assert code(tuple(changed(row, spacing=spacing) for row in rows(pairs))) == "geometry-unknown"


def test_a_tilted_stack_is_named(pairs: Dataset) -> None:
    found = rows(pairs)
    tilted = tuple(
        changed(row, position=(row.position[0], row.position[1] + 2.0 * i, row.position[2]))
        for i, row in enumerate(found)
        if row.position
    )
    assert code(tilted) == "sheared"


def test_values_are_in_modality_units(pairs: Dataset) -> None:
    row = changed(rows(pairs)[0], slope=2.0, intercept=-1000.0)
    stored = np.array([[0, 600]], np.uint16)
    assert modality_values(row, stored).tolist() == [[-1000, 200]]
    assert modality_values(changed(row, slope=0.5), stored).tolist() == [[-1000.0, -700.0]]


def test_an_image_shown_by_a_table_is_taken_as_shown(images: Dataset) -> None:
    row = changed(rows(images)[0], window=None, window_source="dicom", intercept=-1000.0)
    assert modality_values(row, np.array([[7]], np.uint8)).tolist() == [[7]]


def test_a_windowed_image_is_taken_as_shown(images: Dataset) -> None:
    assert image_volume(images.cases[0]).voxels.dtype == np.uint8


def test_the_stored_values_are_the_volume(pairs: Dataset) -> None:
    case = pairs.cases[0]
    volume = image_volume(case)
    assert volume.lattice.shape == volume.voxels.shape
    assert (volume.voxels == case.volume()).all()


def test_labels_run_from_one(livers: Dataset) -> None:
    labels = organ_labels(livers)
    volume = label_volume(livers.cases[0], labels)
    assert labels == {"liver": 1}
    assert volume is not None
    areas = [row.pixels["liver"] for row in rows(livers)]
    assert volume.voxels.max() == 1
    assert [int(plane.sum()) for plane in volume.voxels] == areas


def test_a_mask_value_without_an_organ_is_named(livers: Dataset) -> None:
    case = livers.cases[0]
    object.__setattr__(case, "slices", tuple(changed(row, labels={7: "x"}) for row in case.slices))
    with pytest.raises(FileError, match="stands for no organ"):
        label_volume(case, {"x": 1})


def stack(pairs: Dataset, count: int, step: float, drift: float = 0.0) -> tuple[Slice, ...]:
    """Slices of one case, positions rounded to 0.1 mm, each shifted against the one before."""
    first = rows(pairs)[0]
    return tuple(
        changed(
            first,
            id=f"{first.case}_s{index:03d}",
            orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
            spacing=(round(step, 1), 1.0, 1.0),
            position=(0.0, round(drift * index, 3), round(step * index, 1)),
        )
        for index in range(count)
    )


def test_the_rounding_of_positions_does_not_add_up(pairs: Dataset) -> None:
    found = stack(pairs, 60, 10 / 3)
    lattice = case_lattice(found)
    last = lattice.origin + lattice.steps @ (59, 0, 0)
    assert np.allclose(last, found[-1].position or (), atol=1e-3)


def test_a_slight_tilt_that_adds_up_is_named(pairs: Dataset) -> None:
    assert code(stack(pairs, 40, 5.0, drift=0.2)) == "sheared"


def test_more_organs_than_labels_are_refused(livers: Dataset) -> None:
    names = {value: f"organ{value}" for value in range(1, 256)}
    case = livers.cases[0]
    many = tuple(changed(row, labels=names) for row in case.slices)
    fake: Any = SimpleNamespace(directory="d", label_map={}, cases=[SimpleNamespace(slices=many)])
    with pytest.raises(ChaosprepError, match="name 255 organs, a label map 254"):
        organ_labels(fake)


def test_a_huge_slope_gives_floats_and_no_overflow(pairs: Dataset) -> None:
    row = changed(rows(pairs)[0], slope=1e18)
    stored = np.array([[0, 600]], np.uint16)
    assert modality_values(row, stored).tolist() == [[0.0, 6e20]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_mask_gets_the_labels_of_its_organs_and_no_other_value_passes(
    pairs: Dataset, dtype: type[np.unsignedinteger[Any]]
) -> None:
    row = changed(rows(pairs)[0], labels={63: "liver", 254: "spleen"})
    mask = np.array([[0, 63], [254, 63]], dtype)
    assert label_plane(row, mask, {"liver": 2, "spleen": 1}).tolist() == [[0, 2], [1, 2]]
    with pytest.raises(FileError, match="holds 255, which stands for no organ"):
        label_plane(row, np.array([[0, 255]], dtype), {"liver": 2, "spleen": 1})


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_so_does_the_mask_of_one_organ(
    livers: Dataset, dtype: type[np.unsignedinteger[Any]]
) -> None:
    row = msgspec.structs.replace(livers.slices[0], labels={63: "liver"})
    mask = np.array([[0, 63], [63, 0]], dtype)
    for label in (1, 3):
        plane = label_plane(row, mask, {"liver": label})
        assert plane.dtype == np.uint8
        assert plane.tolist() == [[0, label], [label, 0]]
    for value in (1, 62, 64, 255):
        with pytest.raises(FileError, match=f"holds {value}, which stands for no organ"):
            label_plane(row, np.array([[0, value], [63, 0]], dtype), {"liver": 1})
