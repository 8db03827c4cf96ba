"""Pairs of a stage directory as tensors, as other packages read and augment them.

The augmentation is that of the preset `mri` as far as the package has its operations, each as
often: affine, elastic, gamma, a smooth field, noise. Images are resampled by cubic curves and masks
by the nearest pixel, as in `mri`; noise is Rician where the package has that. Files are read with
cv2, and the two percentiles of each case, which become 0 and 1, are given.
"""

import os
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Way = Callable[[NDArray[np.float32], NDArray[Any]], object]
ROTATION, SCALE, SHEAR, SHIFT = 8.0, (0.92, 1.09), 3.0, 0.03
GAMMA, NOISE = (0.8, 1.25), (0.004, 0.02)
AFFINE = 0.97
"""How often `mri` turns, scales, stretches, shears or shifts: 1 - 0.2 x 0.5 x 0.7 x 0.8 x 0.5."""


class File(NamedTuple):
    """A pair on disk, and what is mapped to 0 and 1."""

    image: Path
    mask: Path
    low: float
    high: float


def read(file: File) -> tuple[Any, Any]:
    """Both as stored."""
    import cv2

    image, mask = (cv2.imread(str(one), cv2.IMREAD_UNCHANGED) for one in (file.image, file.mask))
    return image, mask


def work(way: Way, file: File) -> object:
    """Read a pair, scale it, do with it what the package does."""
    image, mask = read(file)
    scaled = (image.astype(np.float32) - np.float32(file.low)) / np.float32(file.high - file.low)
    return way(scaled, mask)


def albumentations() -> Way:
    """Affine, cubic; elastic of the same strength; gamma; a field of light; noise."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations as a
    import cv2
    import torch

    cubic = {"interpolation": cv2.INTER_CUBIC, "mask_interpolation": cv2.INTER_NEAREST}
    pipeline = a.Compose(
        [
            a.Affine(
                scale=SCALE,
                rotate=(-ROTATION, ROTATION),
                shear=(-SHEAR, SHEAR),
                translate_percent=(-SHIFT, SHIFT),
                p=AFFINE,
                **cubic,
            ),
            a.ElasticTransform(alpha=100, sigma=30, approximate=True, p=0.5, **cubic),
            a.RandomGamma(gamma_limit=(80, 125), p=0.5),
            a.Illumination(mode="linear", intensity_range=(0.05, 0.2), p=0.5),
            a.GaussNoise(std_range=NOISE, p=0.4),
        ],
        seed=0,
    )

    def way(image: NDArray[np.float32], mask: NDArray[Any]) -> object:
        made = pipeline(image=np.clip(image, 0, 1), mask=mask)
        return torch.from_numpy(made["image"])[None], torch.from_numpy(made["mask"])[None] > 0

    return way


def batchgenerators() -> Way:
    """nnU-Net's transforms: one resampling of image and mask; its smooth field is added."""
    import torch
    from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
    from batchgeneratorsv2.transforms.local.brightness_gradient import (
        BrightnessGradientAdditiveTransform,
    )
    from batchgeneratorsv2.transforms.noise.rician import RicianNoiseTransform
    from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
    from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
    from batchgeneratorsv2.transforms.utils.random import RandomTransform

    turn = np.deg2rad(ROTATION)

    @lru_cache
    def pipeline(shape: tuple[int, int]) -> Any:  # noqa: ANN401
        spatial = SpatialTransform(
            shape,
            patch_center_dist_from_border=0,
            random_crop=False,
            p_elastic_deform=0.5,
            p_rotation=AFFINE,
            rotation=(-turn, turn),
            p_scaling=0.5,
            scaling=SCALE,
            mode_seg="nearest",
            mode_image="bicubic",
        )
        gamma = GammaTransform(GAMMA, 0, True, 1, 0)
        field = BrightnessGradientAdditiveTransform((80.0, 160.0), max_strength=(0.05, 0.2))
        noise = RicianNoiseTransform(NOISE)  # it draws the standard deviation, whatever its name
        parts = ((gamma, 0.5), (field, 0.5), (noise, 0.4))
        some = [RandomTransform(one, apply_probability=chance) for one, chance in parts]
        return ComposeTransforms([spatial, *some])

    def way(image: NDArray[np.float32], mask: NDArray[Any]) -> object:
        pair = {"image": torch.from_numpy(image)[None]}
        pair["segmentation"] = torch.from_numpy(mask.astype(np.int16))[None]
        return pipeline(image.shape)(**pair)

    return way


def monai() -> Way:
    """MONAI's dictionary transforms, without their record of what was done, which costs time."""
    import torch
    from monai import transforms as m
    from monai.data import set_track_meta

    set_track_meta(False)
    both, how = ("image", "mask"), ("bicubic", "nearest")
    pipeline = m.Compose(
        [
            m.EnsureChannelFirstd(both, channel_dim="no_channel"),
            m.RandAffined(
                both,
                prob=AFFINE,
                rotate_range=np.deg2rad(ROTATION),
                scale_range=0.085,
                shear_range=np.tan(np.deg2rad(SHEAR)),
                translate_range=8,
                mode=how,
            ),
            m.Rand2DElasticd(both, spacing=(64, 64), magnitude_range=(0, 6), prob=0.5, mode=how),
            m.RandAdjustContrastd("image", prob=0.5, gamma=GAMMA),
            m.RandBiasFieldd("image", prob=0.5, degree=3, coeff_range=(0.0, 0.1)),
            m.RandRicianNoised("image", prob=0.4, std=NOISE[1], sample_std=True),
        ]
    )

    def way(image: NDArray[np.float32], mask: NDArray[Any]) -> object:
        return pipeline({"image": torch.from_numpy(image), "mask": torch.from_numpy(mask)})

    return way


def torchio() -> Way:
    """TorchIO's transforms, on a volume of one slice; they resample linearly."""
    import torch
    import torchio as t

    pipeline = t.Compose(
        [
            t.RandomAffine(
                scales=(1, 1, *SCALE, *SCALE),
                degrees=(-ROTATION, ROTATION, 0, 0, 0, 0),
                p=AFFINE,
            ),
            t.RandomElasticDeformation(max_displacement=(0, 6, 6), p=0.5),
            t.RandomGamma(log_gamma=(-0.22, 0.22), p=0.5),
            t.RandomBiasField(coefficients=0.1, order=3, p=0.5),
            t.RandomNoise(std=NOISE, p=0.4),
        ]
    )

    def way(image: NDArray[np.float32], mask: NDArray[Any]) -> object:
        pair = {"image": t.ScalarImage(tensor=torch.from_numpy(image)[None, None])}
        pair["mask"] = t.LabelMap(tensor=torch.from_numpy(mask)[None, None])
        return pipeline(t.Subject(**pair))

    return way


PEERS: dict[str, tuple[str, Callable[[], Way]]] = {
    "albumentations": ("albumentations", albumentations),
    "batchgeneratorsv2": ("batchgeneratorsv2", batchgenerators),
    "MONAI": ("monai", monai),
    "TorchIO": ("torchio", torchio),
}
"""By name: the package that is needed, and what makes its pipeline."""


def augmenting(name: str) -> Callable[[File], object]:
    """Read and augment one pair as a package does."""
    return partial(work, PEERS[name][1]())
