"""The imagefolder: what lies where, what the tables say, and what is refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset, Slice
from chaosprep.errors import ProblemsError
from chaosprep.exports import huggingface
from chaosprep.exports.huggingface import export
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.options import RunOptions

SIDES = {"train": "train", "val": "validation", "test": "test"}


def table(folder: Path, side: str) -> list[dict[str, Any]]:
    file = folder / side / "metadata.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line) for line in lines]


def codes(error: ProblemsError) -> set[str]:
    return {problem.code for problem in error.problems}


@pytest.fixture(scope="module")
def half_masked(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Two patients with masks, and a test set of one without, as CHAOS has it."""
    place = tmp_path_factory.mktemp("half")
    patient = {"sequences": ("t1-in",), "slices": 3, "matrix": 32}
    write_chaos(place / "root", [Patient(id=id, **patient) for id in (1, 2)])  # type: ignore[arg-type]
    write_chaos(place / "root", [Patient(id=9, **patient)], sets="Test_Sets")  # type: ignore[arg-type]
    pairs = chaosprep.split(place / "root", place / "pairs", val=0.0)
    return chaosprep.convert(pairs, place / "images")


def test_every_row_names_its_files_and_they_are_the_datasets(
    images: Dataset, tmp_path: Path
) -> None:
    made = export(images, tmp_path / "out")
    found = {
        values["id"]: (side, values) for side in SIDES.values() for values in table(made.path, side)
    }
    assert set(found) == {row.id for row in images.slices}
    for row in images.slices:
        side, values = found[row.id]
        assert side == SIDES[row.split]
        assert row.mask is not None
        for kind, path in (("image", row.image), ("mask", row.mask)):
            there = made.path / side / values[f"{kind}_file_name"]
            assert there.samefile(images.directory / path)


def test_across_file_systems_files_are_copied(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*names: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    made = export(images, tmp_path / "out")
    row = images.slices[0]
    there = made.path / SIDES[row.split] / "images" / f"{row.id}.png"
    assert there.read_bytes() == (images.directory / row.image).read_bytes()
    assert not there.samefile(images.directory / row.image)


def test_values_are_plain_and_objects_are_text(images: Dataset, tmp_path: Path) -> None:
    made = export(images, tmp_path / "out")
    row = next(row for row in images.slices if row.split == "val")
    values = next(values for values in table(made.path, "validation") if values["id"] == row.id)
    assert json.loads(values["labels"]) == {"255": "liver"}
    assert json.loads(values["pixels"]) == row.pixels
    assert values["augmentation"] == "null"
    assert values["spacing"] == list(row.spacing or ())
    assert values["patient"] == row.patient
    assert not {type(value) for value in values.values()} & {dict, type(None)}


def test_a_column_that_one_side_does_not_know_is_left_out(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = huggingface.metadata

    def without_window(row: Slice) -> dict[str, Any]:
        return plain(row) | ({"window": None} if row.split == "val" else {})

    monkeypatch.setattr(huggingface, "metadata", without_window)
    made = export(images, tmp_path / "out")
    assert made.notes == ("window is not known on every side, and left out",)
    for side in ("train", "validation"):
        assert all("window" not in values for values in table(made.path, side))
        assert all("position" in values for values in table(made.path, side))


@pytest.mark.parametrize("kind", ["dicom", "npy"])
def test_only_png_is_taken(livers: Dataset, tmp_path: Path, kind: str) -> None:
    if kind == "npy":
        livers = chaosprep.convert(livers, tmp_path / "npy", format="npy")
    with pytest.raises(ProblemsError) as caught:
        export(livers, tmp_path / "out")
    assert codes(caught.value) == {"image-format"}
    assert all("chaosprep convert" in problem.remedy for problem in caught.value.problems)
    assert not (tmp_path / "out").exists()


def test_slices_without_a_mask_among_others_are_named(half_masked: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        export(half_masked, tmp_path / "out")
    assert {(p.code, p.id) for p in caught.value.problems} == {("mask-missing", "MR009_t1-in")}
    made = export(half_masked, tmp_path / "out", options=RunOptions(on_error="skip"))
    assert (made.cases, made.slices, len(made.skipped)) == (2, 6, 1)
    assert not (made.path / "test").exists()


def test_without_any_mask_there_is_no_column_of_masks(tmp_path: Path) -> None:
    patient = Patient(id=9, sequences=("t1-in",), slices=3, matrix=32)
    write_chaos(tmp_path / "root", [patient], sets="Test_Sets")
    pairs = chaosprep.split(tmp_path / "root", tmp_path / "pairs")
    bare = chaosprep.convert(pairs, tmp_path / "images")
    made = export(bare, tmp_path / "out")
    assert made.notes == ()
    assert all("mask_file_name" not in values for values in table(made.path, "test"))


def test_a_file_that_is_not_as_recorded_is_a_problem(livers: Dataset, tmp_path: Path) -> None:
    images = chaosprep.convert(livers, tmp_path / "images")
    row = images.slices[0]
    file = images.directory / row.image
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(ProblemsError) as caught:
        export(images, tmp_path / "out")
    assert [(p.code, p.id, p.file) for p in caught.value.problems] == [
        ("hash", row.case, row.image)
    ]
    assert not (tmp_path / "out").exists()


def test_the_card_tells_licence_counts_and_how_to_load(images: Dataset, tmp_path: Path) -> None:
    made = export(images, tmp_path / "out")
    card = (made.path / "README.md").read_text()
    head = card.split("---\n")[1].splitlines()
    assert head[:3] == ["license: cc0-1.0", "task_categories:", "- image-segmentation"]
    train = [row for row in images.slices if row.split == "train"]
    patients, cases = {row.patient for row in train}, {row.case for row in train}
    assert f"| train | {len(patients)} | {len(cases)} | {len(train)} |" in card
    assert 'load_dataset("imagefolder"' in card
    assert (made.path / "LICENSE-DATA.txt").exists()


@pytest.mark.parametrize("name", ["CC-BY-NC-SA-4.0", "notspecified", None])
def test_the_hub_knows_the_licence_or_is_told_where_it_stands(
    images: Dataset, monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    from chaosprep.dataset.descriptor import License
    from chaosprep.exports.huggingface_card import card

    monkeypatch.setattr(Dataset, "licenses", (License(name=name),))
    line = card(images, images.slices).splitlines()[1]
    assert line == ("license: cc-by-nc-sa-4.0" if name == "CC-BY-NC-SA-4.0" else "license: other")


def test_the_same_dataset_gives_the_same_bytes_with_any_number_of_workers(
    images: Dataset, tmp_path: Path
) -> None:
    def content(name: str, jobs: int) -> dict[str, bytes]:
        place = export(images, tmp_path / name, options=RunOptions(jobs=jobs)).path
        files = (path for path in place.rglob("*") if path.is_file())
        return {path.relative_to(place).as_posix(): path.read_bytes() for path in files}

    assert content("one", 1) == content("two", 2)
