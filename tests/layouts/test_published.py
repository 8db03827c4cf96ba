"""Public data sets and BIDS become stage directories: sides, names and voxels as they were."""

from collections import Counter
from hashlib import sha256
from pathlib import Path

import numpy as np

import chaosprep
from chaosprep.dataset.manifest import Dataset
from tests.layouts.named import nibabel
from tests.layouts.published import amos, atlas, bids, cirrmri, totalsegmentator, write_tsv


def drawn(file: Path) -> Counter[int]:
    """Value -> how many voxels of a mask have it, by nibabel."""
    values, counts = np.unique(np.asarray(nibabel.load(file).dataobj), return_counts=True)
    return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))


def painted(made: Dataset, case: str) -> Counter[str]:
    """Structure -> how many pixels of a case's slices show it."""
    found: Counter[str] = Counter()
    for row in made.slices:
        if row.case == case:
            found.update(row.pixels)
    return found


def check_images(made: Dataset, root: Path) -> None:
    """Every image is the file that it was."""
    for row in made.slices:
        assert row.source is not None
        assert row.image_sha256 == sha256((root / row.source).read_bytes()).hexdigest()


def sides(made: Dataset) -> set[tuple[str, str]]:
    return {(row.case, row.split) for row in made.slices}


def test_amos(tmp_path: Path) -> None:
    root = amos(tmp_path / "amos22", {"Tr": (1,), "Va": (508,), "Ts": (9,)})
    made = chaosprep.split(tmp_path, tmp_path / "out", patient_from_name="amos_{patient}")
    assert sides(made) == {("P0001_ct", "train"), ("P0508_mr", "val"), ("P0009_ct", "test")}
    check_images(made, root)
    voxels, pixels = drawn(root / "labelsVa/amos_0508.nii.gz"), painted(made, "P0508_mr")
    assert (pixels["spleen"], pixels["right kidney"]) == (voxels[1], voxels[2])


def test_atlas(tmp_path: Path) -> None:
    root = atlas(tmp_path / "train")
    made = chaosprep.split(root, tmp_path / "out", val_patient=["P007"])
    assert sides(made) == {("P000_t1-ce", "train"), ("P007_t1-ce", "val")}
    check_images(made, root)
    voxels, pixels = drawn(root / "labelsTr/lb7.nii.gz"), painted(made, "P007_t1-ce")
    assert (pixels["liver"], pixels["tumor"]) == (voxels[1], voxels[2])


def test_cirrmri(tmp_path: Path) -> None:
    place = "Cirrhosis_T2_3D"
    files = (f"{place}/train_images/1.nii.gz", f"{place}/valid_images/2.nii.gz")
    root = cirrmri(tmp_path / "set", *files)
    made = chaosprep.split(root, tmp_path / "out")
    assert sides(made) == {("P001_t2", "train"), ("P002_t2", "val")}
    check_images(made, root)
    voxels = drawn(root / f"{place}/valid_masks/2.nii.gz")
    assert painted(made, "P002_t2")["liver"] == voxels[1]


def test_totalsegmentator(tmp_path: Path) -> None:
    lines = ("s0000;50;m;train", "s0001;60;f;val")
    root = totalsegmentator(tmp_path / "set", {"s0000": "mri", "s0001": "mri"}, lines)
    made = chaosprep.split(root, tmp_path / "out", patient_from_name="{patient}")
    assert sides(made) == {("s0000_mr", "train"), ("s0001_mr", "val")}
    check_images(made, root)
    for name in ("liver", "kidney_right"):
        voxels = drawn(root / f"s0001/segmentations/{name}.nii.gz")
        assert painted(made, "s0001_mr")[name] == voxels[1]


def test_bids(tmp_path: Path) -> None:
    images = [f"sub-0{n}/anat/sub-0{n}_T1w" for n in (1, 2)]
    masks = [f"m/sub-0{n}/anat/sub-0{n}_dseg" for n in (1, 2)]
    root = bids(tmp_path / "set", images, masks)
    write_tsv(root / "dseg.tsv", ("index", "name"), (1, "liver"), (2, "spleen"))
    made = chaosprep.split(root, tmp_path / "out", val_patient=["P002"])
    assert sides(made) == {("P001_T1w", "train"), ("P002_T1w", "val")}
    check_images(made, root)
    voxels, pixels = drawn(root / f"derivatives/{masks[1]}.nii.gz"), painted(made, "P002_T1w")
    assert (pixels["liver"], pixels["spleen"]) == (voxels[1], voxels[2])
