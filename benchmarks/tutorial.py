"""The tutorial's way of the same work, written anew from its description; nothing of ours in it.

One step in a process of its own: python benchmarks/tutorial.py mask|figure|augment|all [SAMPLES]
SOURCE OUTPUT, where SOURCE is a stage directory and SAMPLES how many pairs to augment; `all` is
the three steps after a split by hand.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def mask(source: Path, output: Path, side: str = "*") -> None:
    """Liver masks of a side, pixel by pixel: 55 < grey <= 70 becomes 255."""
    import cv2

    for path in sorted(source.glob(f"{side}/masks/*.png")):
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert grey is not None
        cv2.imwrite(str(output / path.name), liver_of(grey))


def liver_of(m: "NDArray[Any]") -> "NDArray[np.uint8]":
    """The loop over the pixels."""
    import numpy as np

    rows, cols = m.shape
    liver = np.zeros((rows, cols), np.uint8)
    for i in range(rows):
        for j in range(cols):
            if 55 < m[i, j] <= 70:
                liver[i, j] = 255
            else:
                liver[i, j] = 0
    return liver


def figure(source: Path, output: Path, side: str = "*", pixels: int = 256) -> None:
    """PNG images: each slice of a side drawn as a matplotlib figure of `pixels` squared, in RGBA.

    Its grey goes from the least value of the slice to the largest.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import pydicom

    for path in sorted(source.glob(f"{side}/images/*.dcm")):
        dataset = pydicom.dcmread(path)
        drawn = plt.figure(figsize=(pixels / 100, pixels / 100), dpi=100)
        plt.axes((0, 0, 1, 1))
        plt.axis("off")
        plt.imshow(dataset.pixel_array, cmap="gray")
        plt.savefig(output / f"{path.stem}.png")
        plt.close(drawn)


def augment(source: Path, output: Path, samples: int, *, threads: bool = True) -> None:
    """Pairs from Augmentor's `sample`, of the training images and masks; in threads as it comes.

    Augmentor 0.2.12 runs on today's Pillow as it is (only `resize` with its ANTIALIAS filter would
    fail). Its ways, which matter for results and not for time: masks are resampled bicubic like the
    images and so get grey edges; a rotation crops the empty corners off and enlarges the rest; a
    chance is compared with a random number rounded to one decimal, so that 0.3 is 0.35; the
    threads share one unseeded generator; images and masks land in one folder under random names.
    """
    import Augmentor

    images = str(source / "train/images")
    pipeline = Augmentor.Pipeline(images, output_directory=str(output.resolve()))
    pipeline.ground_truth(str(source / "train/masks"))
    pipeline.rotate(probability=0.8, max_left_rotation=10, max_right_rotation=10)
    pipeline.flip_left_right(probability=0.5)
    pipeline.zoom_random(probability=0.3, percentage_area=0.85)
    pipeline.sample(samples, multi_threaded=threads)


def whole(source: Path, output: Path, samples: int) -> None:
    """The three steps, one after the other."""
    masks, images = output / "train/masks", output / "train/images"
    for folder in (masks, images):
        folder.mkdir(parents=True)
    mask(source, masks)
    figure(source, images)
    augment(output, output / "augmented", samples)


def main(step: str, *values: str) -> None:
    source, output = map(Path, values[-2:])
    output.mkdir()
    if step == "all":
        whole(source, output, int(values[0]))
    elif step == "augment":
        augment(source, output, int(values[0]))
    else:
        {"mask": mask, "figure": figure}[step](source, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
