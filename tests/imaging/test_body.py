"""Where the body is: on the phantom, whose tissues are known, and where there is none to find."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaosprep.imaging.intensity.body import body_mask, least_cross_entropy
from chaosprep.phantom import Patient
from chaosprep.phantom.anatomy import draw_anatomy
from chaosprep.phantom.contrast import make_scanner
from chaosprep.phantom.tissues import Tissue
from chaosprep.phantom.writing import STEP, generator, tissue_stack

SPACING = (5.0, 2.0, 2.0)


def ball(side: int = 40, radius: float = 14.0) -> NDArray[np.bool_]:
    """A ball in the middle of a cube of voxels of (5, 2, 2) mm."""
    z, y, x = np.ogrid[:side, :side, :side]
    middle = (side - 1) / 2
    return (z - middle) ** 2 + (y - middle) ** 2 + (x - middle) ** 2 < radius**2


def noisy(body: NDArray[np.bool_], seed: int = 0) -> NDArray[np.uint16]:
    """A body of 300 in air of 5, with noise."""
    noise = np.random.default_rng(seed).normal(0, 4, body.shape)
    return np.clip(np.where(body, 300, 5) + noise, 0, None).astype(np.uint16)


@pytest.mark.parametrize(
    ("sequence", "least"), [("t1-in", 0.98), ("t1-out", 0.97), ("t2-spir", 0.94)]
)
def test_the_body_of_the_phantom_is_found(sequence: str, least: float) -> None:
    patient = Patient(id=1, slices=12, matrix=128)
    spacing = patient.spacing(sequence)
    anatomy = draw_anatomy(generator(0, patient, "anatomy"))
    tissue = np.stack(tissue_stack(anatomy, patient, sequence))
    scanner = make_scanner(sequence, 128, spacing, generator(0, patient, "scanner"))
    shown = [scanner.expose(one, generator(0, patient, n)) for n, one in enumerate(tissue)]
    found = body_mask(np.stack(shown), (STEP[sequence], spacing, spacing))
    body = tissue != Tissue.AIR
    assert 2 * (found & body).sum() / (found.sum() + body.sum()) >= least
    assert (found & ~body).sum() <= 0.02 * body.sum()
    organs = np.isin(tissue, (Tissue.LIVER, Tissue.SPLEEN, Tissue.LEFT_CORTEX))
    assert found[organs].all()


def test_a_hole_in_a_slice_is_body() -> None:
    body = ball()
    hollow = body & ~ball(radius=7)
    assert body_mask(noisy(hollow), SPACING)[20, 20, 20]


def test_what_lies_apart_is_not_body() -> None:
    voxels = noisy(ball())
    voxels[2:8, 2:10, 2:10] = 300
    found = body_mask(voxels, SPACING)
    assert found[20, 20, 20]
    assert not found[2:8, 2:10, 2:10].any()


def test_padding_is_never_body_and_does_not_move_the_threshold() -> None:
    voxels = noisy(ball()).astype(np.int32)
    padding = np.zeros(voxels.shape, bool)
    padding[:, :4] = padding[:, 18:20] = True
    marked = np.where(padding, -30_000, voxels)
    found = body_mask(marked, SPACING, padding)
    assert not found[padding].any()
    assert found[20, 22, 20]
    assert not found[20, 5, 5]


def test_values_that_are_not_finite_count_as_padding() -> None:
    voxels = noisy(ball()).astype(np.float32)
    voxels[0, 0, 0], voxels[20, 20, 20], voxels[20, 20, 21] = np.inf, np.nan, -np.inf
    found = body_mask(voxels, SPACING)
    assert not found[0, 0, 0]
    assert not found[20, 20, 20:22].any()
    assert found[20, 18, 20]


def test_a_body_that_touches_the_edge_does_not_swell_there() -> None:
    voxels = noisy(np.zeros((3, 60, 60), bool))
    voxels[:, 20:40, :] = 300
    found = body_mask(voxels, SPACING)
    assert found[:, 20:40].all()
    assert found[:, :20].sum() == found[:, 40:].sum() == 0


@pytest.mark.parametrize("value", [0, 7, -3, 65535])
def test_a_flat_volume_is_all_body(value: int) -> None:
    padding = np.zeros((2, 5, 4), bool)
    padding[0, 0, 0] = True
    assert np.array_equal(body_mask(np.full((2, 5, 4), value), SPACING, padding), ~padding)


def test_nothing_but_padding_has_no_body() -> None:
    padding = np.ones((2, 5, 4), bool)
    assert not body_mask(np.zeros((2, 5, 4), np.uint16), SPACING, padding).any()


@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from(["u1", "i2", "u2", "i4", "f4", "f8"]),
    spacing=st.tuples(*[st.sampled_from([1e-6, 0.5, 3.0, 1e6])] * 3),
)
def test_noise_of_any_size_and_type_has_some_body_and_no_error(
    shape: tuple[int, int, int], seed: int, dtype: str, spacing: tuple[float, float, float]
) -> None:
    voxels = np.random.default_rng(seed).integers(0, 100, shape).astype(dtype)
    found = body_mask(voxels, spacing)
    assert found.dtype == bool
    assert found.shape == shape
    assert found.any()


def test_numbers_at_the_end_of_all_floats_are_no_error() -> None:
    voxels = np.zeros((2, 8, 8))
    voxels[0], voxels[1] = np.finfo(float).max, np.finfo(float).min
    assert body_mask(voxels, SPACING).all()


def test_it_does_not_depend_on_the_number_of_threads() -> None:
    import cv2
    import SimpleITK

    voxels, before = noisy(ball()), cv2.getNumThreads()
    process = SimpleITK.ProcessObject
    threads, found = process.GetGlobalDefaultNumberOfThreads(), []
    try:
        for number in (1, 2, 4):
            cv2.setNumThreads(number)
            process.SetGlobalDefaultNumberOfThreads(number)
            found.append(body_mask(voxels, SPACING).tobytes())
    finally:
        cv2.setNumThreads(before)
        process.SetGlobalDefaultNumberOfThreads(threads)
    assert len(set(found)) == 1


def test_the_threshold_parts_two_peaks_where_cross_entropy_is_least() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(20, 4, 6000), rng.normal(90, 12, 4000)])
    values = np.clip(values, 0, 150)
    values[:2] = 0, 150

    def entropy(level: float) -> float:
        parts = values[values <= level], values[values > level]
        return float(-sum(part.sum() * np.log(part.mean()) for part in parts))

    best = min(np.linspace(10, 140, 1301), key=entropy)
    found = least_cross_entropy(values)
    assert found is not None
    assert found == pytest.approx(best, abs=0.5)
    assert entropy(found) == pytest.approx(entropy(best), rel=1e-4)


def test_a_few_very_bright_voxels_do_not_move_the_threshold() -> None:
    values = np.concatenate([np.full(6000, 10.0), np.full(4000, 90.0), np.linspace(10, 90, 100)])
    bright = np.concatenate([values, np.full(5, 1e6)])
    found, with_bright = least_cross_entropy(values), least_cross_entropy(bright)
    assert found is not None
    assert with_bright is not None
    assert with_bright == pytest.approx(found, abs=1.0)
