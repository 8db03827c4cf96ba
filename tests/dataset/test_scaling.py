"""Between which values a case is scaled: what its table says is what its pixels say."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pydicom
import pytest

import chaosprep
from chaosprep import Case, Dataset
from chaosprep.dataset.checking import decode_row
from chaosprep.dataset.records import CaseScaling, encode_row
from chaosprep.dataset.scaling import Measuring, Scaling, case_scaling, measured_scaling
from chaosprep.dataset.store import Store
from chaosprep.errors import ManifestError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.stages.converting.scaling import with_scaling

SIDE, PAD = 24, -2000


@pytest.fixture(scope="module")
def stored(livers: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The pairs of `images` with their stored values."""
    return chaosprep.convert(livers, tmp_path_factory.mktemp("stored"), keep_16bit=True)


def padded_pairs(place: Path, slopes: list[float]) -> Dataset:
    """One patient whose slices are signed, have a corner of padding, and these rescale slopes."""
    patient = Patient(id=1, sequences=("t1-in",), slices=len(slopes), matrix=SIDE)
    root = write_chaos(place / "root", [patient])
    for path, slope in zip(sorted(root.rglob("*.dcm")), slopes, strict=True):
        dataset = pydicom.dcmread(path)
        pixels = dataset.pixel_array.astype(np.int16) - 300
        pixels[:9, :9] = PAD
        dataset.PixelRepresentation = 1
        dataset.add_new(0x00280120, "SS", PAD)
        for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue"):
            if keyword in dataset:
                del dataset[keyword]
        dataset.RescaleSlope, dataset.RescaleIntercept = slope, -7
        dataset.PixelData = pixels.tobytes()
        dataset.save_as(path)
    return chaosprep.split(root, place / "split", val=0.0)


def without(case: Case) -> Case:
    """The case as an earlier release would have written it."""
    rows = (msgspec.structs.replace(row, scaling=msgspec.UNSET) for row in case.slices)
    return replace(case, slices=tuple(rows))


def unreadable(*_: Any, **__: Any) -> bytes:
    raise AssertionError("a file is read")


def test_keeping_16_bits_tells_two_percentiles_in_every_row_of_a_case(stored: Dataset) -> None:
    for case in stored.cases:
        low, high = np.percentile(case.volume().astype(np.float64), [0.5, 99.5])
        count = len(case.slices)
        told = CaseScaling(low=low, high=high, in_units=False, lowest=None, slices=count)
        assert {row.scaling for row in case.slices} == {told}


def test_no_file_is_read_for_what_the_table_tells(
    stored: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [case_scaling(without(case)) for case in stored.cases]
    monkeypatch.setattr(Store, "read", unreadable)
    assert [case_scaling(case) for case in stored.cases] == expected
    assert case_scaling(stored.cases[0], "none") == Scaling(0.0, 1.0)


@pytest.mark.parametrize("slopes", [[1.0, 1.0, 1.0], [1.0, 2.5, 0.75], [-1.0, -1.0, -1.0]])
@pytest.mark.parametrize("how", [{}, {"size": "40"}, {"spacing": 1.1}, {"format": "npy"}])
def test_the_table_tells_what_the_files_show(
    tmp_path: Path, slopes: list[float], how: dict[str, Any]
) -> None:
    split = padded_pairs(tmp_path, slopes)
    case = chaosprep.convert(split, tmp_path / "kept", keep_16bit=True, **how).cases[0]
    assert case.slices[0].scaling
    found = case_scaling(case)
    assert found == case_scaling(without(case))
    assert found.in_units == (len(set(slopes)) > 1)
    assert found.lowest is not None
    assert case_scaling(case, "none") == case_scaling(without(case), "none")


@pytest.mark.parametrize("how", [{}, {"format": "npy"}, {"window": "minmax"}])
def test_without_keep_16bit_a_table_has_no_such_column(
    livers: Dataset, tmp_path: Path, how: dict[str, Any]
) -> None:
    made = chaosprep.convert(livers, tmp_path / "made", patient=["MR001"], **how)
    assert b"scaling" not in (made.directory / "slices.jsonl").read_bytes()


def test_augment_carries_it_on_and_a_copy_has_none(stored: Dataset, tmp_path: Path) -> None:
    copied = chaosprep.augment(stored, tmp_path / "copied", patient=["MR001"])
    (case,) = copied.cases
    assert [row.scaling for row in case.slices if row.copy] == [None] * 4
    assert {row.scaling for row in case.slices if not row.copy} == {
        stored.case(case.id).slices[0].scaling
    }
    assert case_scaling(case) == case_scaling(stored.case(case.id))


def test_a_row_with_another_image_tells_nothing(stored: Dataset) -> None:
    row = stored.slices[0]
    assert row.with_image(row.image_file, (32, 32)).scaling is msgspec.UNSET


def test_a_case_that_lost_a_slice_is_counted_again(stored: Dataset) -> None:
    case = stored.cases[0]
    told = CaseScaling(low=1.0, high=5000.0, in_units=False, lowest=None, slices=4)
    rows = tuple(msgspec.structs.replace(row, scaling=told) for row in case.slices)
    whole, fewer = replace(case, slices=rows), replace(case, slices=rows[1:])
    assert case_scaling(whole) == Scaling(1.0, 5000.0)
    assert case_scaling(fewer) == case_scaling(without(fewer)) != Scaling(1.0, 5000.0)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"high": 2.0, "low": 2.0}, "scaling: high is not above low"),
        ({"slices": 0}, "scaling.slices: Expected `int` >= 1"),
        ({"middle": 1}, "scaling: Object contains unknown field `middle`"),
    ],
)
def test_a_table_that_tells_nonsense_is_refused(
    stored: Dataset, changes: dict[str, Any], text: str
) -> None:
    row = msgspec.json.decode(encode_row(stored.slices[0]))
    row["scaling"] |= changes
    with pytest.raises(ManifestError, match=text):
        decode_row(msgspec.json.encode(row))


@pytest.mark.parametrize("slopes", [[1.0, 1.0, 1.0], [1.0, 2.0, 0.5]], ids=["one", "several"])
def test_slices_one_after_another_give_what_all_at_once_do(
    tmp_path: Path, slopes: list[float]
) -> None:
    """Signed values with padding; of several rescales they are counted in modality units."""
    split = padded_pairs(tmp_path, slopes)
    (case,) = chaosprep.convert(split, tmp_path / "out", keep_16bit=True).cases
    measuring = Measuring(case.slices)
    for row in case.slices:
        measuring.add(row, case.image(row))
    found = measuring.scaling()
    assert found == measured_scaling(case.slices, case.pixels, case.lowest)
    assert (found.in_units, found.lowest is None) == (slopes[1] != 1, False)


@pytest.mark.parametrize("value", [np.nan, 1e31, 1e20])  # the last: one more is the same number
def test_a_case_that_nothing_can_be_told_of_has_none(tmp_path: Path, value: float) -> None:
    split = padded_pairs(tmp_path, [1.0, 1.0])
    rows = with_scaling(split.slices, {row.id: np.full((2, 2), value) for row in split.slices})
    assert [row.scaling for row in rows] == [None, None]
