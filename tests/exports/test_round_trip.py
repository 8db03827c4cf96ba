"""What is exported and read again: the same voxels, places, patients, sides, folds and names."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset
from chaosprep.exports import monai, nnunet
from tests.exports.seen import load
from tests.layouts.named import AFFINE, decathlon, nibabel

FORMS = [(nnunet, "nnunet"), (monai, "decathlon")]
each_form = pytest.mark.parametrize(("form", "layout"), FORMS, ids=["nnunet", "decathlon"])
EXACT = ("id", "case", "patient", "sequence", "slice", "split", "fold", "pixels")


def exported(form: Any, dataset: Dataset, place: Path, **fields: Any) -> Path:  # noqa: ANN401
    path: Path = form.export(dataset, place, **fields).path
    return path


def told(dataset: Dataset) -> list[tuple[object, ...]]:
    """What must be the same; an export numbers labels anew, their names stay."""
    return [
        (*(getattr(row, name) for name in EXACT), *row.labels.values()) for row in dataset.slices
    ]


def volume(file: Path) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Voxels and affine as nibabel reads them."""
    image = nibabel.load(file)
    return np.asanyarray(image.dataobj), image.affine


@each_form
@pytest.mark.parametrize("divided", ["phases", "folds"])
def test_the_rows_come_back(
    form: Any,  # noqa: ANN401
    layout: str,
    divided: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    dataset = request.getfixturevalue(divided)
    out = exported(form, dataset, tmp_path / "out")
    back = chaosprep.split(out, tmp_path / "back", layout=layout)
    assert told(back) == told(dataset)
    for row, before in zip(back.slices, dataset.slices, strict=True):
        assert (row.rows, row.cols, row.spacing) == (before.rows, before.cols, before.spacing)
        assert row.position == pytest.approx(before.position, abs=1e-3)
        assert row.orientation == pytest.approx(before.orientation, abs=1e-6)
    assert {value: label.name for value, label in back.label_map.items()} == {
        value: name for name, value in load_labels(out).items()
    }


def load_labels(out: Path) -> dict[str, int]:
    """The names and numbers of a `dataset.json`, in either form, without the background."""
    said = load(out / "dataset.json")["labels"]
    is_named = isinstance(next(iter(said.values())), int)
    pairs = said.items() if is_named else ((name, int(value)) for value, name in said.items())
    return {name: value for name, value in pairs if value}


@each_form
def test_the_files_of_another_export_are_the_same(
    form: Any,  # noqa: ANN401
    layout: str,
    phases: Dataset,
    tmp_path: Path,
) -> None:
    first = exported(form, phases, tmp_path / "first")
    back = chaosprep.split(first, tmp_path / "back", layout=layout)
    second = exported(form, back, tmp_path / "second")
    files = sorted(file.relative_to(first) for file in first.rglob("*.nii.gz"))
    assert files == sorted(file.relative_to(second) for file in second.rglob("*.nii.gz"))
    assert len(files) == 12
    for file in files:
        (voxels, affine), (others, place) = volume(first / file), volume(second / file)
        assert np.array_equal(voxels, others)
        assert np.allclose(affine, place, atol=1e-5)
    one, other = load(first / "dataset.json"), load(second / "dataset.json")
    for name in ("labels", "channel_names", "modality", "training", "validation", "test"):
        assert one.get(name) == other.get(name), name
    if form is nnunet:
        assert load(first / "splits_final.json") == load(second / "splits_final.json")


@each_form
def test_cases_of_one_channel_each_come_back_as_the_patient_s(
    form: Any,  # noqa: ANN401
    layout: str,
    phases: Dataset,
    tmp_path: Path,
) -> None:
    out = exported(form, phases, tmp_path / "out", channels="single")
    back = chaosprep.split(out, tmp_path / "back", layout=layout)
    assert told(back) == told(phases)


@each_form
def test_the_export_says_whose_each_case_is(
    form: Any,  # noqa: ANN401
    layout: str,
    phases: Dataset,
    tmp_path: Path,
) -> None:
    out = exported(form, phases, tmp_path / "out", channels="single")
    lines = (out / "patients.csv").read_text().splitlines()
    assert lines[0] == "case,patient"
    assert sorted(lines[1:]) == [
        f"MR00{n}_t1-{phase},MR00{n}" for n in (1, 2, 3, 4) for phase in ("in", "out")
    ]


def test_a_volume_of_four_dimensions_is_divided_into_its_channels(tmp_path: Path) -> None:
    root = decathlon(tmp_path / "Task05_Prostate", ["p_0", "p_1"])
    back = chaosprep.split(
        root, tmp_path / "back", layout="decathlon", patient_from_name="{patient}", val=0.5
    )
    out = exported(nnunet, back, tmp_path / "out", sequences=["T2", "ADC"])
    for case in ("p_0", "p_1"):
        voxels, _ = volume(root / f"imagesTr/{case}.nii.gz")
        labels, _ = volume(root / f"labelsTr/{case}.nii.gz")
        id = f"{case.replace('_', '-')}_T2-ADC"
        for channel in (0, 1):
            found, affine = volume(out / f"imagesTr/{id}_000{channel}.nii.gz")
            assert np.array_equal(canonical(found, affine), canonical(voxels[..., channel], AFFINE))
        mask, affine = volume(out / f"labelsTr/{id}.nii.gz")
        assert np.array_equal(canonical(mask, affine), canonical(labels, AFFINE))


def canonical(voxels: NDArray[Any], affine: NDArray[np.float64]) -> NDArray[Any]:
    """Voxels in the order of right, anterior, superior, with the place of the first at the end."""
    image = nibabel.as_closest_canonical(nibabel.Nifti1Image(voxels, affine))
    return np.append(np.asanyarray(image.dataobj).ravel(), image.affine[:3, 3])
