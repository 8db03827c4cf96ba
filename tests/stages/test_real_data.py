"""The stages on CHAOS data; skipped where these are not at hand. Nothing of them is kept here."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset

REAL = Path(__file__).parents[2].parent / "shared" / "real"
DERIVED = REAL / "derived" / "CHAOS_Train_Sets"
ORIGINAL = REAL / "original"

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="no CHAOS data beside the repository")


def grey(path: Path) -> NDArray[Any]:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    out = tmp_path_factory.mktemp("derived") / "split"
    return chaosprep.split(DERIVED, out, link="sym")


def test_split_finds_six_patients_and_203_in_phase_slices(pairs: Dataset) -> None:
    assert pairs.patients == ("MR001", "MR005", "MR010", "MR021", "MR031", "MR039")
    assert len(pairs.slices) == 203
    assert {row.sequence for row in pairs.slices} == {"t1-in"}
    assert len({row.patient for row in pairs.slices if row.split == "val"}) == 1


def test_slices_rise_along_z_by_their_spacing(pairs: Dataset) -> None:
    for case in pairs.cases:
        heights = [row.position[2] for row in case.slices if row.position]
        assert len(heights) == len(case.slices)
        steps = np.diff(heights)
        assert (steps > 0).all()
        assert case.slices[0].spacing is not None
        assert np.median(steps) == pytest.approx(case.slices[0].spacing[0])


def test_liver_pixels_are_those_of_the_source_mask(pairs: Dataset, tmp_path: Path) -> None:
    made = chaosprep.extract_liver(pairs, tmp_path / "out")
    assert len(made.slices) == 203
    total = 0
    for row in made.slices:
        image = DERIVED / row.source
        source = grey(image.parents[2] / "Ground" / f"{image.stem}.png")
        liver = (source >= 55) & (source <= 70)
        mask = grey(made.directory / str(row.mask))
        assert np.array_equal(mask == 255, liver)
        assert np.array_equal(mask == 0, ~liver)
        total += int(liver.sum())
    assert total > 100_000


def test_keep_16bit_is_pydicoms_pixel_array_on_every_slice(pairs: Dataset, tmp_path: Path) -> None:
    made = chaosprep.convert(pairs, tmp_path / "out", keep_16bit=True)
    assert len(made.slices) == 203
    for row in made.slices:
        stored = pydicom.dcmread(DERIVED / row.source).pixel_array
        image = grey(made.directory / row.image)
        assert image.dtype == stored.dtype == np.uint16
        assert np.array_equal(image, stored)


def test_every_sequence_pairs_without_a_warning(tmp_path: Path) -> None:
    sequences = ["t1-out", "t2-spir"]
    made = chaosprep.split(
        DERIVED, tmp_path / "out", sequence=sequences, val_patient=["MR021"], link="sym"
    )
    assert made.patients == ("MR001", "MR021")
    assert {row.warnings for row in made.slices} == {()}
    for row in made.slices:
        image = DERIVED / row.source
        number = int(image.stem[-5:])
        if row.sequence == "t1-out":
            mask = image.parents[2] / "Ground" / f"{image.stem[:-5]}{number + 1:05d}.png"
        else:
            mask = image.parents[1] / "Ground" / f"{image.stem}.png"
        assert (made.directory / str(row.mask)).resolve() == mask.resolve()


def test_jobs_do_not_matter_and_seeds_do(tmp_path: Path) -> None:
    def prepared(name: str, **fields: Any) -> dict[str, bytes]:
        output = tmp_path / name
        chaosprep.prepare(DERIVED, output, patient=["MR005", "MR039"], val=0.5, **fields)
        files = (path for path in output.rglob("*") if path.is_file())
        return {path.relative_to(output).as_posix(): path.read_bytes() for path in files}

    one, two = prepared("one", jobs=1), prepared("two", jobs=2)
    assert one == two
    other = prepared("other", jobs=2, seed=1)
    assert other["augmented/slices.jsonl"] != one["augmented/slices.jsonl"]


def test_ct_3_shows_liver_under_its_masks(tmp_path: Path) -> None:
    """141 HU with the right pairing, 36 with masks paired to the slices sorted by z."""
    pairs = chaosprep.split(ORIGINAL, tmp_path / "pairs", sequence=["ct"])
    made = chaosprep.extract_liver(pairs, tmp_path / "liver")
    assert len(made.slices) == 78
    assert {row.split for row in made.slices} == {"test"}
    assert {row.spacing[0] for row in made.slices if row.spacing} == {2.0}
    under: list[NDArray[Any]] = []
    for row in made.slices:
        header = pydicom.dcmread(ORIGINAL / row.source)
        hounsfield = header.pixel_array * float(header.RescaleSlope) + float(
            header.RescaleIntercept
        )
        under.append(hounsfield[grey(made.directory / str(row.mask)) == 255])
    mean = np.concatenate(under).mean()
    assert 138 <= mean <= 144
