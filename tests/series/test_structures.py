"""One file per structure, and labels by name: nothing is lost, whatever lies on it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from chaosprep.errors import UsageError
from chaosprep.facts import Label
from chaosprep.formats.mask_file import MaskFormat, Opening
from chaosprep.layouts import folder
from chaosprep.layouts.layout import Where
from chaosprep.series.reading import Series, read_series
from chaosprep.series.source import SourceCase
from tests.formats.test_labels import npy
from tests.layouts.trees import COLS, ROWS, nifti, png_of, slice_at, write

COUNT = 3
SHAPE = (COUNT, ROWS, COLS)
AFFINE = np.diag([-1.5, -1.25, 5.5, 1])  # LPS to RAS of the sample's grid
AFFINE[:3, 3] = 10, 20, 0
ORGANS = "seg/{patient}/{organ}.nii"
Voxels = NDArray[Any]


def volume(voxels: Voxels, slope: float = 0.0) -> bytes:
    return nifti(voxels.transpose(2, 1, 0), AFFINE, slope)


def images(patient: str = "7", number: int = 1) -> dict[str, bytes]:
    return {f"scans/{patient}/{n}.dcm": slice_at(n, number) for n in range(COUNT)}


def find(root: Path, masks: str) -> tuple[SourceCase, ...]:
    found = folder.find(root, Where("scans/{patient}/{slice}.dcm", masks))
    assert found.problems == ()
    return found.cases


def case_of(root: Path, files: Mapping[str, bytes], masks: str = ORGANS, **more: Any) -> SourceCase:
    (case,) = find(write(root, images() | dict(files)), masks)
    return msgspec.structs.replace(case, **more)


def labelled(*names: str, first: int = 1) -> dict[int, Label]:
    return {value: Label(name) for value, name in enumerate(names, start=first)}


def box(value: int = 1, **at: slice) -> NDArray[np.uint8]:
    """A mask of one value in a part of the volume."""
    made = np.zeros(SHAPE, np.uint8)
    made[at.get("z", slice(None)), at.get("y", slice(None)), at.get("x", slice(None))] = value
    return made


def planes(series: Series) -> Voxels:
    assert series.problems == ()
    return np.stack([one.mask_array for one in series.slices if one.mask_array is not None])


def read_back(series: Series) -> dict[str, Voxels]:
    """Structure -> where it lies, (slices, rows, cols), as names and overlaps tell it."""
    stored = planes(series)
    return {
        name: np.isin(stored, [value, *(v for v, of in series.overlaps.items() if value in of)])
        for value, name in series.names.items()
    }


def told(series: Series) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.file) for problem in series.problems]


def test_twenty_overlapping_files_each_come_back_as_they_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    organs = {f"organ_{n:02d}": rng.integers(0, 2, SHAPE).astype(np.uint8) for n in range(20)}
    files = {f"seg/7/{name}.nii": volume(mask) for name, mask in organs.items()}
    series = read_series(case_of(tmp_path, files, labels=labelled(*organs, first=5)))
    assert {n: mask.tolist() for n, mask in read_back(series).items()} == {
        name: mask.astype(bool).tolist() for name, mask in organs.items()
    }
    assert min(series.overlaps) > 24  # the highest label
    assert planes(series).dtype == np.uint16


@settings(max_examples=60, deadline=None)
@given(st.lists(hnp.arrays(np.bool_, SHAPE), min_size=1, max_size=6), st.booleans())
def test_whatever_is_painted_every_structure_is_read_back(masks: list[Voxels], named: bool) -> None:
    with TemporaryDirectory() as place:
        names = [f"s{n}" for n in range(len(masks))]
        data = {
            f"seg/7/{name}.npy": npy(mask.astype(np.uint8) * 255)
            for name, mask in zip(names, masks, strict=True)
        }
        labels = labelled(*names, first=254) if named else {}
        case = case_of(Path(place), data, "seg/{patient}/{organ}.npy", labels=labels)
        series = read_series(case)
        found = read_back(series)
        assert set(found) == set(names)
        assert all(np.array_equal(found[n], m) for n, m in zip(names, masks, strict=True))
        assert set(series.overlaps).isdisjoint(series.names)


def test_cases_may_have_different_files_and_a_misspelt_one_is_a_structure_of_its_own(
    tmp_path: Path,
) -> None:
    files = images("1") | images("2", 2)
    files |= {"seg/1/liver.nii": volume(box(y=slice(1))), "seg/1/spleen.nii": volume(box())}
    files |= {"seg/2/Liver.nii": volume(box(x=slice(2))), "seg/2/splen.nii": volume(box())}
    labels = labelled("liver", "spleen", "splen")
    first, second = (
        read_series(msgspec.structs.replace(case, labels=labels))
        for case in find(write(tmp_path, files), ORGANS)
    )
    assert [int(mask.sum()) for mask in read_back(first).values()] == [COUNT * COLS, 36, 0]
    assert [int(mask.sum()) for mask in read_back(second).values()] == [COUNT * ROWS * 2, 0, 36]


@pytest.mark.parametrize(("value", "slope"), [(1, 0.0), (255, 0.0), (255, 1 / 255)])
def test_a_file_of_one_structure_may_have_any_one_value(
    tmp_path: Path, value: int, slope: float
) -> None:
    # 255 x float32(1/255) is 1.00000006, as scaled NIfTI files have it.
    files = {"seg/7/liver.nii": volume(box(value, z=slice(1, 2)), slope)}
    made = planes(read_series(case_of(tmp_path, files, labels=labelled("spleen", "liver"))))
    assert np.array_equal(made, box(2, z=slice(1, 2)))


def test_a_file_of_several_values_is_none_of_one_structure(tmp_path: Path) -> None:
    mask = box(1) + box(1, y=slice(1)) + box(1, x=slice(1), y=slice(1))
    files = {"seg/7/liver.nii": volume(box()), "seg/7/all.nii": volume(mask)}
    series = read_series(case_of(tmp_path, files))
    assert told(series) == [("mask-values", "seg/7/all.nii")]
    assert series.problems[0].reason == "the file of one structure holds 1, 2, 3"
    assert series.slices == ()


def test_a_file_that_names_several_structures_is_none_of_one(
    toy: Callable[..., SourceCase],
) -> None:
    case = toy(box(2), {1: "liver", 2: "spleen"}, organs={"m/7.toy": "liver"})
    series = read_series(case)
    assert told(series) == [("mask-values", "m/7.toy")]
    one = read_series(toy(box(2), {2: "spleen"}, organs={"m/7.toy": "liver"}))
    assert one.names == {1: "liver"}  # as the pattern has it


def test_what_is_wrong_with_many_files_in_the_same_way_is_one_line(tmp_path: Path) -> None:
    files = {f"seg/7/o{n}.nii": nifti(box().transpose(2, 1, 0), None) for n in range(9)}
    series = read_series(case_of(tmp_path, files | {"seg/7/x.nii": volume(box())}))
    assert told(series) == [("mask-grid", "seg/7/o0.nii")]
    assert series.problems[0].reason.endswith("are 0 (9 files)")


def test_an_empty_file_is_an_absent_structure(tmp_path: Path) -> None:
    files = {"seg/7/liver.nii": volume(box(0)), "seg/7/spleen.nii": volume(box())}
    found = read_back(read_series(case_of(tmp_path, files)))
    assert (found["liver"].any(), found["spleen"].all()) == (np.False_, np.True_)


def test_a_file_that_cannot_be_read_leaves_no_partial_mask(tmp_path: Path) -> None:
    files = {"seg/7/liver.nii": volume(box()), "seg/7/spleen.nii": b"\x00"}
    series = read_series(case_of(tmp_path, files))
    assert series.slices == ()
    assert [file for _, file in told(series)] == ["seg/7/spleen.nii"]


def test_an_unwanted_structure_costs_no_error(tmp_path: Path) -> None:
    files = {"seg/7/kidney_left.nii": volume(box()), "seg/7/broken.nii": b"\x00"}
    (write(tmp_path, files) / "seg/7/away.nii").symlink_to("/dev/null")  # no file to read
    labels = labelled("kidney_left", "broken", "away")
    case = case_of(tmp_path, files, roi=("Kidney*",), labels=labels)
    series = read_series(case)
    assert np.array_equal(planes(series), box())
    assert case.inputs() == series.inputs  # else no finished run would be gone on with
    nothing = read_series(msgspec.structs.replace(case, roi=("KIDNEY-RIGHT",)))
    assert not planes(nothing).any()


def test_slices_may_have_a_file_for_each_structure_that_they_show(tmp_path: Path) -> None:
    files = {
        "m/7/liver/0.png": png_of(box(255)[0]),
        "m/7/liver/1.png": png_of(box(255, y=slice(1))[0]),
        "m/7/spleen/1.png": png_of(box(1, x=slice(1))[0]),
        "m/7/spleen/5.png": png_of(box(1)[0]),
    }
    series = read_series(case_of(tmp_path, files, "m/{patient}/{organ}/{slice}.png"))
    assert sorted(told(series)) == [
        ("mask-missing", "scans/7/2.dcm"),
        ("mask-surplus", "m/7/spleen/5.png"),
    ]
    assert [one.mask for one in series.slices] == ["m/7/liver/0.png", "m/7/liver/1.png"]
    found = read_back(Series(series.slices, None, (), "", series.names, series.overlaps))
    assert np.array_equal(found["liver"], np.stack([box()[0], box(y=slice(1))[0]]))
    assert np.array_equal(found["spleen"], np.stack([box(0)[0], box(x=slice(1))[0]]))


@pytest.mark.parametrize("copied", [False, True])
def test_masks_of_an_image_that_is_there_twice_stay_or_go_with_it(
    tmp_path: Path, copied: bool
) -> None:
    files = {f"m/7/{organ}/{n}.png": png_of(box()[0]) for organ in "ab" for n in range(COUNT)}
    files["scans/7/1 (1).dcm"] = slice_at(1)
    if copied:
        files |= {f"m/7/{organ}/1 (1).png": png_of(box()[0]) for organ in "ab"}
    series = read_series(case_of(tmp_path, files, "m/{patient}/{organ}/{slice}.png"))
    assert {name: mask.all() for name, mask in read_back(series).items()} == {"a": True, "b": True}


def test_a_slice_of_another_size_is_named_with_its_file(tmp_path: Path) -> None:
    files = {f"m/7/{organ}/{n}.png": png_of(box()[0]) for organ in "ab" for n in range(COUNT)}
    files["m/7/b/1.png"] = png_of(np.zeros((2, 2), np.uint8))
    series = read_series(case_of(tmp_path, files, "m/{patient}/{organ}/{slice}.png"))
    assert told(series) == [("size-mismatch", "m/7/b/1.png")]
    assert [one.index for one in series.slices] == [0, 2]


class Toy:
    """A mask that names its labels: JSON of `names`, `labels` (slices, rows, cols), `overlaps`."""

    note = None

    def __init__(self, opening: Opening) -> None:
        said = json.loads(opening.data)
        self.names = {int(value): name for value, name in said["names"].items()}
        self.overlaps = {int(value): tuple(of) for value, of in said["overlaps"].items()}
        self._labels = np.array(said["labels"], np.uint16)

    def plane(self, index: int) -> Voxels:
        plane: Voxels = self._labels[index]
        return plane

    def surplus(self) -> None:
        return None


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., SourceCase]:
    """A case with one mask of a format that says its names; `labels` are the dataset's."""
    known = MaskFormat("toy", (".toy",), lambda path, data: path.endswith(".toy"), of_series=Toy)
    monkeypatch.setattr("chaosprep.formats.masks.plugged", lambda kind: (known,))

    def made(
        mask: Voxels,
        names: Mapping[int, str],
        overlaps: Mapping[int, Any] | None = None,
        **more: Any,
    ) -> SourceCase:
        said = {"names": names, "labels": mask.tolist(), "overlaps": overlaps or {}}
        data = {"m/7.toy": json.dumps(said).encode()}
        return case_of(tmp_path, data, "m/{patient}.toy", **more)

    return made


def test_numbers_of_a_case_become_those_of_the_dataset_by_name(
    toy: Callable[..., SourceCase],
) -> None:
    mask = box(1, x=slice(1)) + box(2, x=slice(1, 2))
    labels = labelled("spleen", "left kidney", "liver")
    one = read_series(toy(mask, {1: "Liver", 2: "Left_Kidney"}, labels=labels))
    other = read_series(toy(mask[..., ::-1], {2: "liver", 1: "left-kidney"}, labels=labels))
    assert np.array_equal(planes(one), box(3, x=slice(1)) + box(2, x=slice(1, 2)))
    assert np.array_equal(planes(other), box(2, x=slice(3, 4)) + box(3, x=slice(2, 3)))
    assert one.names == other.names == {1: "spleen", 2: "left kidney", 3: "liver"}


def test_numbers_that_are_the_datasets_stay_as_they_are(toy: Callable[..., SourceCase]) -> None:
    mask = box(1, x=slice(1)) + box(2, x=slice(1, 2))
    names = {1: "liver", 2: "spleen"}
    plain = read_series(toy(mask, names))
    named = read_series(toy(mask, names, labels=labelled("liver", "spleen", "aorta")))
    assert planes(plain).dtype == planes(named).dtype == np.uint8
    assert np.array_equal(planes(plain), planes(named))


def test_values_of_overlaps_are_above_every_label_of_the_dataset(
    toy: Callable[..., SourceCase],
) -> None:
    mask = box(1, x=slice(1)) + box(3, x=slice(1, 2))
    labels = labelled("liver", "spleen", "tumour", "aorta")
    series = read_series(toy(mask, {1: "tumour", 2: "liver"}, {3: (1, 2)}, labels=labels))
    assert np.array_equal(planes(series), box(3, x=slice(1)) + box(5, x=slice(1, 2)))
    assert series.overlaps == {5: (1, 3)}


def test_a_value_that_the_dataset_calls_otherwise_is_an_error_one_that_is_free_stays(
    toy: Callable[..., SourceCase],
) -> None:
    labels = labelled("liver", "spleen")
    series = read_series(toy(box(2), {1: "liver"}, labels=labels))
    assert told(series) == [("labels-differ", "m/7.toy")]
    assert "2 (spleen)" in series.problems[0].reason
    assert told(read_series(toy(box(2), {2: "aorta"}, labels=labels))) == [
        ("labels-differ", "m/7.toy")
    ]
    free = read_series(toy(box(7), {1: "liver"}, labels=labels))
    assert np.array_equal(planes(free), box(7))
    named = read_series(toy(box(7), {7: "aorta"}, labels=labels))
    assert named.names[7] == "aorta"


def test_of_named_labels_only_those_that_are_wanted_are_kept(
    toy: Callable[..., SourceCase],
) -> None:
    mask = box(1, x=slice(1)) + box(2, x=slice(1, 2)) + box(3, x=slice(2, 3))
    case = toy(mask, {1: "liver", 2: "Bed"}, {3: (1, 2)}, roi=("liver*",))
    series = read_series(case)
    assert np.array_equal(planes(series), box(1, x=slice(1)) + box(1, x=slice(2, 3)))
    assert (series.names, series.overlaps) == ({1: "liver"}, {})


def test_pictures_that_a_file_beside_them_names_are_renumbered_too(tmp_path: Path) -> None:
    files = {f"m/7/{n}.png": png_of(box(1)[0]) for n in range(COUNT)}
    files["m/7/labels.json"] = json.dumps({"liver": 1}).encode()
    find_png = partial(case_of, tmp_path, files, "m/{patient}/{slice}.png")
    assert np.array_equal(planes(read_series(find_png(labels=labelled("spleen", "liver")))), box(2))
    same = read_series(find_png(labels=labelled("liver")))
    assert [one.mask_data for one in same.slices] == [files["m/7/0.png"]] * COUNT


def test_names_of_masks_never_tell_who_it_is(tmp_path: Path) -> None:
    files = {"seg/7/liver.nii": volume(box()), "seg/7/Doe_Jane.nii": b""}
    write(tmp_path, images("7", 2) | files)  # patient 2 is Doe, Jane
    where = Where("scans/{patient}/{slice}.dcm", ORGANS)
    with pytest.raises(UsageError, match="can only be renamed"):
        folder.find(tmp_path, where)
    (case,) = folder.find(tmp_path, replace(where, strict=False)).cases
    (problem,) = read_series(case).problems
    assert (problem.file, "Doe" in problem.text) == (None, False)
    (tmp_path / "seg/7/Doe_Jane.nii").write_bytes(volume(box()))
    assert read_series(case).names == {2: "liver"}
