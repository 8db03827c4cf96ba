"""`compression` changes how PNG files are packed, in every stage, and never their pixels."""

from pathlib import Path

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.imaging.png.codec import Compression


def packed(dataset: Dataset) -> int:
    return sum(row.image_bytes + (row.mask_bytes or 0) for row in dataset.slices)


def stages(pairs: Dataset, place: Path, compression: Compression) -> list[Dataset]:
    masks = chaosprep.extract_liver(pairs, place / "liver", compression=compression)
    images = chaosprep.convert(masks, place / "images", compression=compression)
    return [masks, images, chaosprep.augment(images, place / "more", compression=compression)]


@pytest.mark.parametrize("compression", ["small", "none"])
def test_every_stage_packs_as_told(
    pairs: Dataset, tmp_path: Path, compression: Compression
) -> None:
    usual = stages(pairs, tmp_path / "fast", "fast")
    other = stages(pairs, tmp_path / compression, compression)
    for ours, theirs in zip(usual, other, strict=True):
        assert [row.id for row in ours.slices] == [row.id for row in theirs.slices]
        assert all(
            (ours.mask(row) == theirs.mask(twin)).all()  # type: ignore[union-attr]
            and (ours.image(row) == theirs.image(twin)).all()
            for row, twin in zip(ours.slices, theirs.slices, strict=True)
        )
        assert packed(theirs) != packed(ours)


@pytest.mark.parametrize("compression", ["fast", "small", "none"])
def test_a_copy_is_made_again_to_the_byte(
    pairs: Dataset, tmp_path: Path, compression: Compression
) -> None:
    verdict = chaosprep.verify(stages(pairs, tmp_path, compression)[-1].directory, replay="all")
    assert verdict.faults == ()
    assert verdict.warnings == ()
