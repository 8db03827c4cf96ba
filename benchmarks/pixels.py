"""The pixel work of the mask stage alone: grey PNG in, binary PNG out, in memory, one process."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.report import Result, ours
from benchmarks.tutorial import liver_of
from chaosprep.imaging.images import encode_png, read_mask
from chaosprep.stages.extract_liver import ExtractLiverParams, extract

STAGE = "mask pixels alone"


def measure_pixels(source: Path, *, slices: int, repeats: int, peer: str) -> list[Result]:
    """Time both ways on the same masks, taking turns; no file is written."""
    masks = [path.read_bytes() for path in sorted(source.glob("*/masks/*.png"))[:slices]]
    ways = {ours(1): _our_way, peer: _tutorial_way}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            rates[name].append(_rate(way, masks))
    return [Result(STAGE, name, tuple(found), None, None) for name, found in rates.items()]


def _rate(way: Callable[[bytes], bytes], masks: Sequence[bytes]) -> float:
    start = time.perf_counter()
    for mask in masks:
        way(mask)
    return len(masks) / (time.perf_counter() - start)


def _our_way(mask: bytes) -> bytes:
    return encode_png(extract(read_mask(mask), ExtractLiverParams())[0])


def _tutorial_way(mask: bytes) -> bytes:
    grey = cv2.imdecode(np.frombuffer(mask, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    return cv2.imencode(".png", liver_of(grey))[1].tobytes()
