"""A known bias field and who takes it away in what time: python -m benchmarks bias."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from benchmarks.measure import say
from benchmarks.section import Asked, Section
from benchmarks.tables import plural, spread
from chaosprep.imaging.intensity.body import body_mask
from chaosprep.imaging.intensity.coarse import Coarse, coarse_axes
from chaosprep.imaging.intensity.n4 import LEVELS, fit
from chaosprep.phantom import Patient
from chaosprep.phantom.anatomy import draw_anatomy
from chaosprep.phantom.contrast import make_scanner
from chaosprep.phantom.tissues import Tissue
from chaosprep.phantom.writing import STEP, generator, tissue_stack
from chaosprep.stages.converting.params import ConvertParams

TEXT = """\
A case of the phantom, in phase, without a field of its own and with a smooth one of +-40 % over the
image, from array to array on one thread. "Left" is the coefficient of variation, within the organ,
of what is left of the field, against that of the field itself; "without one" is the median change
of the body where there is no field. "SimpleITK" is its N4 with its own parameters and four levels
of at most 50 iterations, in the same body mask: at full resolution, or on every fourth pixel of a
slice, its field evaluated at all of them."""

SLICES, MATRIX = 12, 96
Volume = NDArray[np.floating[Any]]
Spacing = tuple[float, float, float]
Way = Callable[[Volume, Spacing], Volume]


def phantom() -> tuple[Volume, NDArray[np.uint8], Spacing]:
    """Values without a field and tissues, both (slices, rows, cols), and the spacing in mm."""
    patient = Patient(id=1, slices=SLICES, matrix=MATRIX)
    spacing = patient.spacing("t1-in")
    tissue = np.stack(
        tissue_stack(draw_anatomy(generator(0, patient, "anatomy")), patient, "t1-in")
    )
    scanner = make_scanner("t1-in", MATRIX, spacing, generator(0, patient, "scanner"))
    even = replace(scanner, bias=np.ones_like(scanner.bias))
    shown = [even.expose(one, generator(0, patient, "t1-in", n)) for n, one in enumerate(tissue)]
    return np.stack(shown).astype(np.float32), tissue, (STEP["t1-in"], spacing, spacing)


def known_field(shape: tuple[int, ...], spacing: Spacing) -> Volume:
    """A smooth factor between 0.6 and 1.4, both of which it reaches."""
    z, y, x = np.meshgrid(
        *((np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)),
        indexing="ij",
    )
    wave = 0.6 * np.sin(np.pi * x / 400 + 0.4) + 0.6 * np.cos(np.pi * y / 300 + 0.7) + z / 300
    field: Volume = 0.6 + 0.8 * (wave - wave.min()) / (wave.max() - wave.min())
    return field


def ours(volume: Volume, spacing: Spacing) -> Volume:
    """The field that `convert --bias n4` divides out, up to a factor."""
    params, body = ConvertParams(), body_mask(volume, spacing)
    slices, rows, cols = volume.shape
    axes = coarse_axes(
        (slices, rows, cols), spacing, params.bias_grid, params.bias_distance, LEVELS
    )
    coarse = Coarse(axes)
    for index, (plane, mask) in enumerate(zip(volume, body, strict=True)):
        coarse.add(index, plane, mask)
    field = fit(axes, *coarse.averages(), params.bias_iterations)
    return np.exp(np.stack([field.plane(index) for index in range(slices)]))


def plain(shrink: int, volume: Volume, spacing: Spacing) -> Volume:
    """The field that SimpleITK's own recipe finds."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(volume)
    mask = SimpleITK.GetImageFromArray(body_mask(volume, spacing).astype(np.uint8))
    for one in (image, mask):
        one.SetSpacing(spacing[::-1])
    n4 = SimpleITK.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations([50] * 4)
    n4.Execute(*(SimpleITK.Shrink(one, [shrink, shrink, 1]) for one in (image, mask)))
    field: Volume = np.exp(SimpleITK.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image)))
    return field


WAYS: dict[str, Way] = {
    "chaosprep": ours,
    "SimpleITK, every 4th pixel": partial(plain, 4),
    "SimpleITK, full resolution": partial(plain, 1),
}


def variation(values: Volume) -> float:
    """The coefficient of variation."""
    return float(values.std() / values.mean())


def measured(way: Way, repeats: int) -> list[str]:
    """What stands in the line of a way: seconds, what is left in two organs, the change without."""
    volume, tissue, spacing = phantom()
    field = known_field(volume.shape, spacing)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = way(np.rint(volume * field).astype(np.float32), spacing)
        seconds.append(time.perf_counter() - start)
    organs = [tissue == Tissue.LIVER, tissue == Tissue.SPLEEN]
    left = [variation((field / found)[organ]) / variation(field[organ]) for organ in organs]
    body, none = body_mask(volume, spacing), way(volume, spacing)
    factor = volume[body].sum() / (volume / none)[body].sum() / none
    change = float(np.median(np.abs(factor[body] - 1)))
    return [spread(seconds), *(f"{one:.0%}" for one in left), f"{change:.1%}"]


def measure_section(asked: Asked) -> list[str]:
    """The table."""
    from SimpleITK import ProcessObject

    machine, repeats = describe(), asked.repeats
    what = f"- {SLICES} slices of {MATRIX} x {MATRIX}; {plural(repeats, 'round')}."
    lines = ["| | seconds | left in the liver | in the spleen | without one |"]
    lines.append("|--|--:|--:|--:|--:|")
    before = ProcessObject.GetGlobalDefaultNumberOfThreads()
    ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        for name, way in WAYS.items():
            say(f"bias: {name}")
            lines.append(f"| {' | '.join([name, *measured(way, repeats)])} |")
    finally:
        ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    return [*machine, what, "", *lines]


SECTION: Section = Section("bias", "Bias fields", TEXT, measure_section)
"""Ours beside SimpleITK's N4."""
