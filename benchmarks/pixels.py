"""The pixel work alone, in memory, in one process: python -m benchmarks pixels."""

import time
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from benchmarks.measure import say
from benchmarks.phantom_slices import Pair, phantom_slices
from benchmarks.section import Asked, Section
from benchmarks.tables import OURS, RATE, Result, compare, plural
from benchmarks.tutorial import liver_of
from benchmarks.verdicts import verdicts
from chaosprep.formats.dicom.reading import read
from chaosprep.formats.pictures import read_mask
from chaosprep.formats.png import decode_png, encode_png
from chaosprep.imaging.windows import apply_table, window_table
from chaosprep.phantom import Patient
from chaosprep.phantom.headers import series_header, set_pixels, set_position, uid
from chaosprep.stages.extract_liver import extract
from chaosprep.stages.organ_choice import ExtractLiverParams

TEXT = """\
The same slices from memory to memory, in one process and on one thread, nothing else around it:
no file, hash or manifest. The last column says how many kB a slice takes, where the result is
bytes: who compresses more has more to do. "zlib" compresses the bare pixels, so it is neither PNG
nor filtered."""
SLICES = 64
Way = Callable[[Any], object]


def groups(slices: Sequence[Pair]) -> dict[str, tuple[list[Any], dict[str, Way]]]:
    """What is compared: the input of each group, and the ways to do it."""
    images = [image for image, _ in slices]
    low, high = (float(end) for end in np.percentile(images, (0.5, 99.5)))
    table = window_table(low, high, np.uint16)
    shown = [apply_table(image, table) for image in images]
    compressors: dict[str, Way] = {"Pillow": pillow_png, "cv2": cv2_png}
    compressors |= {f"zlib level {level}": partial(bare, level) for level in (1, 6)}
    return {
        "mask: decode, extract, encode": (
            [encode_png(mask, "small") for _, mask in slices],
            {OURS: our_mask, "per-pixel loop": loop_mask, "numpy + cv2": cv2_mask},
        ),
        "read DICOM": (dicom_files(images), {OURS: read, "pydicom": pydicom_read}),
        "window and encode, 8-bit": (
            images,
            {
                OURS: lambda image: encode_png(apply_table(image, table)),
                "numpy + Pillow": lambda image: pillow_png(window(image, low, high)),
                "numpy + cv2": lambda image: cv2_png(window(image, low, high)),
            },
        ),
        "encode 8-bit PNG": (shown, {OURS: encode_png, **compressors}),
        "encode 16-bit PNG": (images, {OURS: encode_png, **compressors}),
        "decode 16-bit PNG": (
            [encode_png(image) for image in images],
            {OURS: decode_png, "Pillow": pillow_decode, "cv2": cv2_decode},
        ),
    }


def our_mask(data: bytes) -> bytes:
    return encode_png(extract(read_mask(data), ExtractLiverParams())[0])


def loop_mask(data: bytes) -> bytes:
    return cv2_png(liver_of(cv2_decode(data)))


def cv2_mask(data: bytes) -> bytes:
    grey = cv2_decode(data)
    liver = (grey > 55) & (grey <= 70)
    return cv2_png(liver.astype(np.uint8) * np.uint8(255))


def window(image: NDArray[np.uint16], low: float, high: float) -> NDArray[np.uint8]:
    """The window as one writes it by hand, in single precision."""
    scaled = (image.astype(np.float32) - low) * (255 / (high - low))
    return np.asarray(np.clip(np.rint(scaled), 0, 255), np.uint8)


def pillow_png(array: NDArray[Any]) -> bytes:
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def pillow_decode(data: bytes) -> NDArray[Any]:
    from PIL import Image

    return np.asarray(Image.open(BytesIO(data)))


def cv2_png(array: NDArray[Any]) -> bytes:
    return cv2.imencode(".png", array)[1].tobytes()


def cv2_decode(data: bytes) -> NDArray[Any]:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found is not None
    return found


def bare(level: int, array: NDArray[Any]) -> bytes:
    return zlib.compress(array.tobytes(), level)


def pydicom_read(data: bytes) -> NDArray[Any]:
    import pydicom

    return pydicom.dcmread(BytesIO(data)).pixel_array


def dicom_files(images: Sequence[NDArray[np.uint16]]) -> list[bytes]:
    """The images as the bytes of DICOM files."""
    from pydicom.uid import UID

    spacing = Patient(id=1, matrix=images[0].shape[0]).spacing("t1-in")
    header = series_header("t1-in", 1, Patient(id=1).orientation, implicit=False, seed=0)
    made = []
    for number, image in enumerate(images):
        set_position(header, [0.0, 0.0, 5.5 * number], 5.5 * number, number + 1)
        set_pixels(header, image, spacing)
        header.SOPInstanceUID = UID(uid(0, "MR", 1, "t1-in", number))
        header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
        stream = BytesIO()
        header.save_as(stream, enforce_file_format=True)
        made.append(stream.getvalue())
    return made


def run(slices: Sequence[Pair], repeats: int) -> list[Result]:
    """Time all ways of a group in turn, after one turn that does not count."""
    results = []
    for group, (items, ways) in groups(slices).items():
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        wrote: dict[str, str] = {}
        for number in range(repeats + 1):
            for name, way in ways.items():
                say(f"{group}: {name}")
                taken, wrote[name] = timed(way, items)
                if number:
                    seconds[name].append(taken)
        results += [
            Result(group, name, tuple(seconds[name]), len(items), wrote=wrote[name])
            for name in ways
        ]
    return results


def timed(way: Way, items: Sequence[Any]) -> tuple[float, str]:
    """Seconds for all items, and how many kB the results take each, where they are bytes."""
    size = 0
    start = time.perf_counter()
    for item in items:
        made = way(item)
        size += len(made) if isinstance(made, bytes) else 0
    taken = time.perf_counter() - start
    return taken, f"{size / len(items) / 1000:.1f} kB" if size else ""


def measure_section(asked: Asked) -> list[str]:
    """The table, on one thread."""
    machine = describe()
    cv2.setNumThreads(1)
    rounds = f"- {SLICES} slices of 256 x 256; {plural(asked.repeats, 'round')}."
    results = run(phantom_slices(SLICES), asked.repeats)
    return [*machine, rounds, "", *compare(results, RATE, "pixels"), "", *verdicts(results)]


SECTION: Section = Section("pixels", "Pixels alone", TEXT, measure_section)
