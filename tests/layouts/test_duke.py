"""The Duke Liver Dataset as a dataset root: DICOM masks in a parallel tree, kinds of series."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chaosprep.errors import UsageError
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.reading import read_series
from tests.formats.samples import dicom
from tests.layouts.published import found, names, told
from tests.layouts.trees import COLS, ROWS, STEP, slice_at, write

COUNT = 3
PLACE = "Segmentation/Segmentation"
TYPES = "Label,Series Description\n2,Arterial T1w\n9,Axial T2w\n"


def mask_at(place: int, value: int = 1) -> bytes:
    """The liver on a slice, as a DICOM slice: one row of it."""
    pixels = np.zeros((ROWS, COLS), np.uint8)
    pixels[place % ROWS, :] = value
    return dicom(pixels, ImagePositionPatient=[-10, -20, STEP * place])


def series(patient: int, number: int, **changes: Any) -> dict[str, bytes]:
    """The images and masks of a series; masks are numbered from the other end."""
    base = f"{PLACE}/{patient:04d}/{number}"
    files = {f"{base}/images/{n:04d}.dicom": slice_at(n, patient, **changes) for n in range(COUNT)}
    return files | {f"{base}/masks/{COUNT - n:04d}.dicom": mask_at(n) for n in range(COUNT)}


def key(*rows: Sequence[int]) -> dict[str, bytes]:
    """The tables that say what kind of series each is: patient, series, label."""
    lines = "".join(",".join(map(str, row)) + "\n" for row in rows)
    return {
        "SegmentationKey.csv": f"DLDS,Series,Label\n{lines}".encode(),
        "SequenceTypes.csv": TYPES.encode(),
    }


def duke(root: Path, *parts: Mapping[str, bytes]) -> Path:
    return write(root, {path: data for part in parts for path, data in part.items()})


def test_series_are_called_by_their_kinds(tmp_path: Path) -> None:
    tree = duke(tmp_path, series(1, 4), series(2, 7), key((1, 4, 2), (2, 7, 2)))
    root = found(tree, "duke")
    assert [case.id for case in root.cases] == ["P0001_arterial-t1w", "P0002_arterial-t1w"]
    assert (root.problems, root.notes) == ((), ())


def test_several_series_of_a_kind_are_told_by_their_numbers(tmp_path: Path) -> None:
    tree = duke(
        tmp_path, series(1, 4), series(1, 5), series(1, 6), key((1, 4, 2), (1, 5, 2), (1, 6, 9))
    )
    assert [case.id for case in found(tree, "duke").cases] == [
        "P0001_arterial-t1w-s4",
        "P0001_arterial-t1w-s5",
        "P0001_axial-t2w",
    ]


def test_zeros_before_a_number_make_no_other_series(tmp_path: Path) -> None:
    tree = duke(tmp_path, series(1, 4), {"SegmentationKey.csv": b"DLDS,Series,Label\n0001,04,2\n"})
    assert [case.id for case in found(tree, "duke").cases] == ["P0001_type-2"]


def test_without_the_table_series_are_called_by_their_numbers(tmp_path: Path) -> None:
    root = found(duke(tmp_path, series(1, 4)), "duke")
    assert [case.id for case in root.cases] == ["P0001_s4"]
    assert root.notes == ("there is no SegmentationKey.csv: series are called by their numbers",)


def test_a_series_that_the_table_lacks_is_said(tmp_path: Path) -> None:
    root = found(duke(tmp_path, series(1, 4), series(1, 5), key((1, 4, 2))), "duke")
    assert [case.id for case in root.cases] == ["P0001_arterial-t1w", "P0001_s5"]
    assert root.notes == ("SegmentationKey.csv does not say what kind of series 1 of 2 are",)


@pytest.mark.parametrize("value", [1, 255])
def test_the_liver_is_whatever_is_not_0_in_the_plane_of_the_image(
    tmp_path: Path, value: int
) -> None:
    tree = duke(tmp_path, series(1, 4))
    for place in range(COUNT):
        file = tree / f"{PLACE}/0001/4/masks/{COUNT - place:04d}.dicom"
        file.write_bytes(mask_at(place, value))
    root = found(tree, "duke")
    assert names(root) == {1: "liver"}
    read = read_series(root.cases[0])
    assert read.problems == ()
    shown = [np.flatnonzero(np.asarray(one.mask_array).any(axis=1)).tolist() for one in read.slices]
    assert shown == [[place % ROWS] for place in range(COUNT)]
    assert {int(np.max(np.asarray(one.mask_array))) for one in read.slices} == {1}


def test_a_series_without_masks_is_a_problem_under_the_name_of_its_kind(tmp_path: Path) -> None:
    tree = duke(tmp_path, series(1, 4), series(2, 7), key((1, 4, 2), (2, 7, 9)))
    for file in (tree / f"{PLACE}/0002/7/masks").iterdir():
        file.unlink()
    root = found(tree, "duke")
    assert [case.id for case in root.cases] == ["P0001_arterial-t1w"]
    assert [(one.id, one.code) for one in root.problems] == [("P0002_axial-t2w", "ground-missing")]


def test_with_a_key_a_patient_is_a_pseudonym_and_a_series_its_kind(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_bytes(bytes(range(32)))
    secret.chmod(0o600)
    tree = duke(tmp_path / "set", series(1, 4), key((1, 4, 2)))
    (case,) = found(tree, "duke", pseudonymize=str(secret)).cases
    assert case.id == f"{Key(bytes(range(32))).patient('0001')}_arterial-t1w"


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    tree = duke(tmp_path, series(1, 4), {"SegmentationKey.csv": b"a,b\n1,2\n"})
    with pytest.raises(UsageError, match=r"SegmentationKey\.csv: it has no column DLDS"):
        found(tree, "duke")


def test_auto_takes_it_and_passes_what_is_only_to_be_classified_over(tmp_path: Path) -> None:
    other = {f"Series_Classification/0001/1/{n:04d}.dicom": slice_at(n) for n in range(2)}
    root = found(duke(tmp_path, series(1, 4), key((1, 4, 2)), other), "auto")
    assert [case.id for case in root.cases] == ["P0001_arterial-t1w"]
    assert root.notes == ("read as the Duke Liver Dataset: --layout duke",)
    assert told(root) == []
