"""convert --bias n4 on fields that are known: on the phantom, and on pixels of CHAOS."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep.phantom import Patient, write_chaos, writing
from chaosprep.phantom.contrast import Scanner, make_scanner
from chaosprep.stages.converting.params import ConvertParams

REAL = Path(__file__).parents[2].parent / "shared/real/derived/CHAOS_Train_Sets"
Volume = NDArray[np.float64]
LIVER, SPLEEN = (55, 70), (240, 255)


def known_field(shape: tuple[int, ...], spacing: tuple[float, ...]) -> Volume:
    """A smooth factor between 0.6 and 1.4, both of which it reaches."""
    z, y, x = np.meshgrid(
        *((np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)),
        indexing="ij",
    )
    wave = 0.6 * np.sin(np.pi * x / 400 + 0.4) + 0.6 * np.cos(np.pi * y / 300 + 0.7) + z / 300
    field: Volume = 0.6 + 0.8 * (wave - wave.min()) / (wave.max() - wave.min())
    return field


def spread(values: Volume) -> float:
    """The coefficient of variation."""
    return float(values.std() / values.mean())


def lay(field: Volume, folder: Path) -> None:
    """Multiply the slices of a series by a field."""
    files = sorted(folder.rglob("*.dcm"))
    for path, plane in zip(files, field, strict=True):
        header = pydicom.dcmread(path)
        header.PixelData = np.rint(header.pixel_array * plane).astype(np.uint16).tobytes()
        header.save_as(path)


def factors(root: Path, place: Path) -> tuple[Volume, chaosprep.Dataset]:
    """By what `convert` multiplied each pixel, (slices, rows, cols); nan where it was dark."""
    split = chaosprep.split(root, place / "s", val=0.0, sequence=("t1-in",))
    made = chaosprep.convert(split, place / "c", bias="n4", format="npy")
    before, after = (
        np.stack([one.image(row) for row in one.slices]).astype(float) for one in (split, made)
    )
    return np.divide(after, before, out=np.full(after.shape, np.nan), where=before > 50), split


@pytest.fixture
def even_coil(monkeypatch: pytest.MonkeyPatch) -> None:
    """A phantom whose coil has no field of its own."""

    def make(*given: Any) -> Scanner:
        scanner = make_scanner(*given)
        return replace(scanner, bias=np.ones_like(scanner.bias))

    monkeypatch.setattr(writing, "make_scanner", make)


def phantom(place: Path) -> Path:
    patient = Patient(id=1, sequences=("t1-in",), slices=12, matrix=96)
    return write_chaos(place / "r", [patient])


def test_a_field_of_40_percent_is_taken_out_of_liver_and_spleen(
    tmp_path: Path, even_coil: None
) -> None:
    root = phantom(tmp_path)
    field = known_field((12, 96, 96), (5.5, 4.1667, 4.1667))
    lay(field, root)
    found, split = factors(root, tmp_path)
    masks = np.asarray([split.case("MR001_t1-in").mask(row) for row in split.slices])
    for low, high in (LIVER, SPLEEN):
        organ = (masks >= low) & (masks <= high) & np.isfinite(found)
        assert spread((field * found)[organ]) < 0.4 * spread(field[organ])


def test_a_case_without_a_field_hardly_changes(tmp_path: Path, even_coil: None) -> None:
    found, _ = factors(phantom(tmp_path), tmp_path)
    assert np.nanmedian(np.abs(found - 1)) < 0.02


@pytest.mark.skipif(not REAL.is_dir(), reason="no CHAOS data beside the repository")
def test_a_field_on_top_of_that_of_a_real_patient_is_taken_out_of_the_liver(tmp_path: Path) -> None:
    """Nobody knows a real patient's own field: what is found without the other is left aside."""
    roots, series = [], Path("Train_Sets/MR/21/T1DUAL")
    for name in ("own", "more"):
        roots.append(tmp_path / name / "r")
        shutil.copytree(REAL / series, roots[-1] / series)
    field = known_field((32, 256, 256), (5.5, 1.25, 1.25))
    lay(field, roots[1] / series / "DICOM_anon/InPhase")
    (own, _), (more, split) = (factors(root, root.parent) for root in roots)
    masks = np.asarray([split.case("MR021_t1-in").mask(row) for row in split.slices])
    organ = (masks >= LIVER[0]) & (masks <= LIVER[1]) & np.isfinite(own) & np.isfinite(more)
    assert spread((field * more / own)[organ]) < 0.4 * spread(field[organ])


def test_the_defaults_are_those_of_the_documents() -> None:
    params = ConvertParams()
    page = (Path(__file__).parents[2] / "docs/intensity.md").read_text(encoding="utf-8")
    assert f"`--bias-grid` mm ({params.bias_grid:g})" in page
    assert f"`--bias-distance` ({params.bias_distance:g} mm)" in page
    assert f"`--bias-iterations` ({params.bias_iterations})" in page
