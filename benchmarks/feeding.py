"""Pairs of a stage directory as tensors, one process: python -m benchmarks feeding."""

import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import lru_cache
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

from benchmarks.augmentation import one_thread
from benchmarks.feeding_peers import PEERS, File, augmenting, read
from benchmarks.machine import describe
from benchmarks.measure import say
from benchmarks.section import Asked, Section
from benchmarks.tables import OURS, Result, Unit, compare, plural
from benchmarks.verdicts import Expectation, verdicts

TEXT = """\
What a `DataLoader` worker does for a network: `chaosprep.torch.SliceDataset` on 16-bit PNG, as it
is and with `augment="mri"`, beside `cv2.imread` of image and mask, which makes no tensors and
checks nothing, and beside pipelines of other packages: cv2 reads, then affine, elastic, gamma, a
smooth field and noise, each as often as in `mri`, cubic as there (but TorchIO), and by the quickest
way that the package has. Rician noise, as in `mri`, is what batchgeneratorsv2 and MONAI have too.
"Read raw" takes the stored values of images alone, npy in a tar for each case, whose hashes were
compared before, beside `np.fromfile` at the same places. Each side has a process and a thread of
its own; they take turns, on the same files, which the memory holds. The time is the processor's."""
SIDES = (256, 288, 320)
SLICES = 20  # of a patient
RAW, READ, AUGMENT = "read raw", "read", "read and augment"
GROUPS = {RAW: (OURS, "np.fromfile"), READ: (OURS, "cv2.imread"), AUGMENT: (OURS, *PEERS)}
LOOKED_UP = (
    "Finding a slice in its table and checking its size and header costs a fifth of reading it."
)
DRAWN = (
    "Of some 3 ms for a pair, noise takes 0.75 (1.8 where it is drawn), the cubic resample 0.45, "
    "inflating PNG 0.36, the map 0.27, drawing 0.2; a seed settles the bytes of all of them."
)
EXPECTED = (
    Expectation(RAW, "np.fromfile", 0.8, why=LOOKED_UP),
    Expectation(READ, "cv2.imread", 1.0),
    Expectation(AUGMENT, "albumentations", 2.0, why=DRAWN),
    Expectation(AUGMENT, "batchgeneratorsv2", 4.0, why=DRAWN),
    Expectation(AUGMENT, "MONAI", 8.0, why=DRAWN),
)
RATE = Unit("pairs/s", lambda seconds, count: count / seconds)
Run = Callable[[], None]


def write_pairs(folder: Path, patients: int) -> Path:
    """A stage directory of 16-bit PNG, its patients of different matrices; beside it, `raw`."""
    import chaosprep
    from chaosprep.phantom import Patient, write_chaos

    people = [
        Patient(id=id, slices=SLICES, matrix=SIDES[id % len(SIDES)], sequences=("t1-in",))
        for id in range(1, patients + 1)
    ]
    pairs = chaosprep.split(write_chaos(folder / "chaos", people), folder / "split", val=0)
    masks = chaosprep.extract_liver(pairs, folder / "masks")
    chaosprep.convert(masks, folder / "raw", format="npy", store="tar")
    return chaosprep.convert(masks, folder / "pairs", keep_16bit=True).directory


@lru_cache
def files_of(directory: Path) -> list[File]:
    """The pairs, and what their case is scaled by."""
    import chaosprep

    found = []
    for row in chaosprep.open(directory).slices:
        assert row.scaling
        assert row.mask is not None
        ends = row.scaling.low, row.scaling.high
        found.append(File(directory / row.image, directory / row.mask, *ends))
    return found


@lru_cache
def prepared(group: str, side: str, directory: Path) -> Run:
    """What a side does once for all pairs; made once in its process."""
    if group == RAW:
        return reading_raw(side, directory.with_name("raw"))
    if side == OURS:
        from chaosprep.torch import SliceDataset

        ours = SliceDataset(directory, augment="mri" if group == AUGMENT else None)

        def all_of_ours() -> None:
            for index in range(len(ours)):
                ours[index]
            ours.set_epoch(ours.epoch + 1)

        return all_of_ours
    one = read if group == READ else augmenting(side)

    def all_of_theirs() -> None:
        for file in files_of(directory):
            one(file)

    return all_of_theirs


def reading_raw(side: str, directory: Path) -> Run:
    """The stored values of every image in the containers of a directory."""
    import numpy as np

    import chaosprep
    from chaosprep.formats.npy import layout_of

    opened = chaosprep.open(directory)
    rows = list(opened.slices)
    start = layout_of(opened.store.read(rows[0].image_file)).start  # type: ignore[union-attr]
    places = [
        (directory / row.image_file.place, row.image_file.offset + start, row.rows, row.cols)
        for row in rows
    ]

    def ours() -> None:
        for row in rows:
            opened.pixels(row, check=False)

    def theirs() -> None:
        for path, offset, height, width in places:
            np.fromfile(path, rows[0].dtype, height * width, offset=offset).reshape(height, width)

    return ours if side == OURS else theirs


def timed(group: str, side: str, directory: Path) -> float:
    """Seconds of the processor for all pairs, on one thread: imports may set that anew."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        work = prepared(group, side, directory)
        files_of(directory)
        torch.set_num_threads(1)
        one_thread()
        start = time.process_time()
        work()
        return time.process_time() - start


def run(directory: Path, repeats: int) -> list[Result]:
    """Time all sides in turn, after one turn that does not count."""
    sides = [(group, side) for group, some in GROUPS.items() for side in some]
    seconds: dict[tuple[str, str], list[float]] = {side: [] for side in sides}
    with ExitStack() as stack:
        spawn = get_context("spawn")
        pools = {
            side: stack.enter_context(ProcessPoolExecutor(1, spawn))
            for side in sides
            if side[1] not in PEERS or find_spec(PEERS[side[1]][0])
        }
        for number in range(repeats + 1):
            for side, pool in pools.items():
                say(f"{side[0]}, round {number}: {side[1]}")
                taken = pool.submit(timed, *side, directory).result()
                seconds[side] += [taken] if number else []
    count = len(files_of(directory))
    return [Result(*side, tuple(found), count) for side, found in seconds.items()]


def measure_section(asked: Asked) -> list[str]:
    """The table."""
    if find_spec("torch") is None:
        return ["- Not measured: PyTorch is not installed."]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        machine = describe(folder, peers=True)
        directory = write_pairs(folder, max(2, asked.slices // 160))
        results = run(directory, asked.repeats)
        count = plural(len(files_of(directory)), "pair")
    sizes = ", ".join(map(str, SIDES))
    note = f"- {count} of {sizes} pixels a side; {plural(asked.repeats, 'round')}."
    return [
        *machine,
        note,
        "",
        *compare(results, RATE, "feeding"),
        "",
        *verdicts(results, EXPECTED),
    ]


SECTION: Section = Section("feeding", "Feeding a network", TEXT, measure_section)
