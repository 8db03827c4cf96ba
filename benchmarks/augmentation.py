"""The transforms beside albumentations and Augmentor: python -m benchmarks.augmentation.

albumentations 2.0.8 is needed for its rows only (pip install albumentations==2.0.8). All sides run
on one thread of OpenCV; runs take turns, so that a busy moment hits all of them, and the best of
each counts.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.phantom_slices import phantom_slices, to_8_bits
from chaosprep.augmentation import PRESETS, apply, draw, draw_guarded, preset
from chaosprep.formats.png import decode_png, encode_png

Pairs = list[tuple[NDArray[Any], NDArray[np.uint8]]]
Work = Callable[[int, NDArray[Any], NDArray[np.uint8]], object]


def main() -> None:
    """Print pairs per second of every side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    one_thread()
    slices = phantom_slices(20)
    print("transforms alone, 256 x 256, pairs/s on one core")
    for name, rate in transforms(options.pairs, options.rounds).items():
        print(f"  {name:44}{rate:8.0f}")
    print("PNG to PNG, tutorial, pairs/s")
    with tempfile.TemporaryDirectory() as place:
        for name, rate in files(Path(place), slices, options.pairs, options.rounds).items():
            print(f"  {name:44}{rate:8.0f}")


def one_thread() -> None:
    """Keep OpenCV to one thread."""
    import cv2

    cv2.setNumThreads(1)


def transforms(pairs: int, rounds: int) -> dict[str, float]:
    """Return pairs per second of each preset, and of albumentations' way to do `heavy`.

    Each side has a process of its own, so that neither imports anything for the other.
    """
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, spawn) as one, ProcessPoolExecutor(1, spawn) as two:
        pools = [one, two] if find_spec("albumentations") else [one]
        sides = [our_transforms, their_transforms]
        found: dict[str, float] = {}
        for _ in range(rounds):
            for pool, side in zip(pools, sides, strict=False):
                for name, rate in pool.submit(side, pairs).result().items():
                    found[name] = max(found.get(name, 0.0), rate)
    return found


def our_transforms(pairs: int) -> dict[str, float]:
    """Time our side once."""
    slices = phantom_slices(20)
    runs = {f"{name} (uint16)": partial(ours, preset(name)) for name in PRESETS}
    runs["heavy, guarded (uint16)"] = partial(guarded, preset("heavy"))
    runs["heavy, labels interpolated (uint16)"] = partial(
        ours, preset("heavy"), mask_sampling="label"
    )
    other = preset("tutorial", engine="augmentor")
    runs["tutorial, Augmentor's geometry (uint16)"] = partial(ours, other)
    heavy = partial(ours, preset("heavy"))
    timings = {name: partial(timed, work, slices, pairs) for name, work in runs.items()}
    timings["heavy (uint8)"] = partial(timed, heavy, eight_bit(slices), pairs)
    timings["heavy (float32)"] = partial(timed, heavy, single_precision(slices), pairs)
    return best(timings, pairs, 1)


def their_transforms(pairs: int) -> dict[str, float]:
    """Time albumentations once."""
    slices, work = phantom_slices(20), albumentations_heavy()
    replay = albumentations_heavy(record=True)
    timings = {
        "heavy, albumentations recording (uint8)": partial(timed, replay, eight_bit(slices), pairs),
        "heavy, albumentations (uint8)": partial(timed, work, eight_bit(slices), pairs),
        "heavy, albumentations (float32)": partial(timed, work, single_precision(slices), pairs),
    }
    return best(timings, pairs, 1)


def eight_bit(slices: Pairs) -> Pairs:
    """Window the images."""
    return [(to_8_bits(image), mask) for image, mask in slices]


def single_precision(slices: Pairs) -> Pairs:
    """Cast the images."""
    return [(image.astype(np.float32), mask) for image, mask in slices]


def ours(recipe: Any, i: int, image: NDArray[Any], mask: NDArray[np.uint8], **how: Any) -> object:  # noqa: ANN401
    """Draw and apply."""
    return apply(draw(recipe, seed=0, slice_id=f"s{i}", copy=1), image, mask, **how)


def guarded(recipe: Any, i: int, image: NDArray[Any], mask: NDArray[np.uint8]) -> object:  # noqa: ANN401
    """Draw until no label is lost, and apply."""
    return apply(draw_guarded(recipe, mask, seed=0, slice_id=f"s{i}", copy=1), image, mask)


def albumentations_heavy(*, record: bool = False) -> Work:
    """Return the operations of `heavy` as albumentations does them, cubic and nearest.

    With ``record`` it says what it drew, as ours always does.
    """
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations as a
    import cv2

    cubic = {"interpolation": cv2.INTER_CUBIC, "mask_interpolation": cv2.INTER_NEAREST}
    part, hole = (-0.0625, 0.0625), (0.04, 0.12)
    pipeline = a.Compose(
        [
            a.Affine(translate_percent=part, scale=(0.9, 1.11), rotate=(-45, 45), p=0.75, **cubic),
            a.OneOf(
                [
                    a.NoOp(p=1.0),
                    a.HorizontalFlip(p=1.0),
                    a.VerticalFlip(p=1.0),
                    a.Transpose(p=1.0),
                    a.RandomRotate90(p=1.0),
                ],
                p=1.0,
            ),
            a.RandomResizedCrop(
                size=(256, 256), scale=(0.49, 1.0), ratio=(0.75, 1.3333), p=1.0, **cubic
            ),
            a.CoarseDropout(
                num_holes_range=(1, 6), hole_height_range=hole, hole_width_range=hole, p=0.5
            ),
        ],
        seed=0,
        save_applied_params=record,
    )

    def work(i: int, image: NDArray[Any], mask: NDArray[np.uint8]) -> object:
        return pipeline(image=image, mask=mask)

    return work


def timed(work: Work, slices: Pairs, pairs: int) -> None:
    """Do so many pairs, on one thread: albumentations' import sets that anew."""
    one_thread()
    for i in range(pairs):
        work(i, *slices[i % len(slices)])


def files(place: Path, slices: Pairs, pairs: int, rounds: int) -> dict[str, float]:
    """Return pairs per second from PNG to PNG: one and two processes, and Augmentor's threads."""
    for kind, many in (("8", eight_bit(slices)), ("16", slices)):
        for i, (image, mask) in enumerate(many):
            for side, pixels in (("images", image), ("masks", mask)):
                path = place / kind / side / f"{i:03}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(encode_png(pixels))
    (place / "out").mkdir()
    runs: dict[str, Callable[[], object]] = {
        "Augmentor's sample (8-bit)": partial(augmentor_sample, place / "8", pairs)
    }
    with (
        ProcessPoolExecutor(1, initializer=one_thread) as one,
        ProcessPoolExecutor(2, initializer=one_thread) as two,
    ):
        for pool, count, text in ((one, 1, "one process"), (two, 2, "two processes")):
            for kind in ("8", "16"):
                work = partial(in_processes, pool, count, place, kind, len(slices), pairs)
                runs[f"chaosprep, {text} ({kind}-bit)"] = work
        return best(runs, pairs, rounds)


def in_processes(
    pool: ProcessPoolExecutor, count: int, place: Path, kind: str, slices: int, pairs: int
) -> None:
    """Share the pairs out over the workers."""
    work = partial(png_to_png, place, kind, slices)
    list(pool.map(work, range(pairs), chunksize=max(1, pairs // (4 * count))))


def png_to_png(place: Path, kind: str, slices: int, i: int) -> None:
    """Read, draw, apply and write one pair."""
    image, mask = (
        decode_png((place / kind / side / f"{i % slices:03}.png").read_bytes())
        for side in ("images", "masks")
    )
    parameters = draw_guarded(preset("tutorial"), mask, seed=0, slice_id=f"s{i}", copy=1)
    for side, pixels in zip(("image", "mask"), apply(parameters, image, mask), strict=True):
        (place / "out" / f"{kind}-{i}-{side}.png").write_bytes(encode_png(np.asarray(pixels)))


def augmentor_sample(place: Path, pairs: int) -> None:
    """Let Augmentor's own pipeline make as many pairs, with its threads."""
    import contextlib
    import io

    import Augmentor

    silence = io.StringIO()
    with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
        pipeline = Augmentor.Pipeline(str(place / "images"), output_directory="../augmentor")
        pipeline.ground_truth(str(place / "masks"))
        pipeline.rotate(0.8, 10, 10)
        pipeline.flip_left_right(0.5)
        pipeline.zoom_random(0.3, 0.85)
        random.seed(0)
        pipeline.sample(pairs)


def best(runs: Mapping[str, Callable[[], object]], pairs: int, rounds: int) -> dict[str, float]:
    """Run all in turn, so many rounds, and return the best rate of each."""
    seconds: dict[str, float] = {}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name] = min(seconds.get(name, 1e9), time.perf_counter() - start)
    return {name: pairs / taken for name, taken in seconds.items()}


if __name__ == "__main__":
    main()
