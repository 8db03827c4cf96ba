"""The text for a paper: what was done is said with its counts, and what is not known is marked."""

import json
import shutil
from pathlib import Path

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.descriptor import StageRecord
from chaosprep.paper.claim import missing
from chaosprep.paper.counted import Counted, Side
from chaosprep.paper.sentences import sentences
from chaosprep.params import describe_params
from chaosprep.stage_table import STAGES, load_stage

UNSAID = {"compression", "max_pixels", "link", "write_split", "device"}
PLAIN = {
    "patient": ["MR001"],
    "format": "npy",
    "fold": 1,
    "window": "1,2",
    "spec": {"mirror": 1},
    "size": "64",
}
GIVEN = {"folds": 3, "repeats": 2, "samples": 9, "spacing": 1.5, "threshold": 0.5, "max_empty": 0.1}


def section(text: str, title: str) -> str:
    """The paragraph below a heading."""
    return text.split(f"## {title}\n\n")[1].partition("\n")[0]


def record(stage: str, **parameters: object) -> StageRecord:
    return StageRecord(
        stage=stage, version=1, versions={}, parameters=parameters, seed=0, inputs_sha256="0" * 64
    )


def test_counts_are_those_of_the_rows(images: Dataset) -> None:
    text = chaosprep.methods(images)
    rows = images.slices
    cases, patients = {row.case for row in rows}, {row.patient for row in rows}
    assert f"{len(rows)} slices of {len(cases)} cases" in section(text, "Data")
    assert f"of {len(patients)} patients." in section(text, "Data")
    for side in ("train", "val"):
        here = [row for row in rows if row.split == side]
        many = len({row.patient for row in here})
        assert f"{side} {many} patient" in section(text, "Division")
        assert f"{len(here)} slice" in section(text, "Division")


def test_every_stage_is_told_in_the_order_of_the_work(images: Dataset, tmp_path: Path) -> None:
    made = chaosprep.augment(images, tmp_path / "out", copies=2, seed=7)
    text = chaosprep.methods(made.directory)
    told = section(text, "Preparation")
    assert told.index("grey levels of the liver") < told.index("windowed to 8 bits")
    copies = sum(bool(row.copy) for row in made.slices)
    augmented = section(text, "Augmentation")
    assert "(2 copies of each slice, the preset mri, engine opencv, seed 7)" in augmented
    assert augmented.endswith(f"This gave {copies} copies.")
    assert f"{len(made.slices) - copies} slices of" in section(text, "Data")


def test_what_the_manifest_does_not_know_is_marked(images: Dataset) -> None:
    text = chaosprep.methods(images)
    assert "(NOT IN THE MANIFEST: whether and how the source was de-identified)" in text
    assert "(NOT IN THE MANIFEST: scanner, field strength, sequence timing and contrast)" in text


def test_data_of_no_known_source_have_a_gap_in_its_place(images: Dataset, tmp_path: Path) -> None:
    place = tmp_path / "nobodys"
    shutil.copytree(images.directory, place)
    descriptor = json.loads((place / "datapackage.json").read_text())
    descriptor |= {"licenses": [], "sources": []}
    (place / "datapackage.json").write_text(json.dumps(descriptor))
    told = section(chaosprep.methods(place), "Data")
    assert "(NOT IN THE MANIFEST: the source of the data and its citation)" in told
    assert "(NOT IN THE MANIFEST: the licence of the data)" in told


@pytest.mark.parametrize("stage", STAGES)
def test_every_parameter_that_is_no_default_changes_the_text(stage: str) -> None:
    params = load_stage(stage).params
    plain = sentences(record(stage))
    for field in describe_params(params):
        if field.name in UNSAID or (stage, field.name) in {("extract-labels", "all_organs")}:
            continue
        told = sentences(record(stage, **{field.name: _other(field.name, field.default)}))
        assert told != plain, field.name


def _other(name: str, default: object) -> object:
    """A value of a parameter that is not its default."""
    if name in GIVEN | PLAIN:
        return (GIVEN | PLAIN)[name]
    if isinstance(default, bool):
        return not default
    if isinstance(default, int | float):
        return default + 1 if isinstance(default, int) else (default + 1) / 3
    return [1, 2] if name == "range" else ["x"] if isinstance(default, tuple) else "x"


def test_a_stage_of_another_release_is_told_by_name_and_value() -> None:
    told = sentences(record("denoise", strength=3))
    assert told == ["The stage denoise was run.", "Further parameters of denoise: strength = 3."]


def test_a_parameter_of_a_later_release_is_told_by_name_and_value() -> None:
    told = sentences(record("convert", sharpen="much"))
    assert told[-1] == "Further parameters of convert: sharpen = much."


@pytest.mark.parametrize(
    ("stage", "hostile"),
    [
        ("convert", {"spacing": "x"}),
        ("convert", {"size": "64", "fit": 7}),
        ("split", {"val": [], "val_patient": 3}),
        ("split", {"threshold": {}}),
        ("extract-liver", {"range": 5}),
        ("augment", {"keep_label": "much"}),
        ("split", {"val": 10**400}),
        ("convert", {"spacing": 10**400}),
    ],
)
def test_a_value_that_no_release_writes_is_told_by_name(
    stage: str, hostile: dict[str, object]
) -> None:
    first, further = sentences(record(stage, **hostile))
    assert first == f"The stage {stage} was run."
    for name in hostile:
        assert f"{name.replace('_', '-')} = " in further


def test_the_checklist_has_its_seven_items(images: Dataset) -> None:
    lines = chaosprep.methods(images).splitlines()
    numbers = [line.split(" | ")[0].strip("| ") for line in lines if line.startswith("| ")]
    assert numbers == ["item", *map(str, range(7, 14))]


def test_left_out_cases_are_told_with_their_reason(images: Dataset, tmp_path: Path) -> None:
    table = tmp_path / "bad.csv"
    case = images.slices[0].case
    table.write_text(f"case,reason\n{case},breathing\n")
    made = chaosprep.augment(images, tmp_path / "out", exclude=[str(table)])
    told = section(chaosprep.methods(made), "Left out")
    assert told.startswith("augment left out 1 case")
    assert "(exclude: breathing)" in told
    assert case not in told


def test_the_text_names_no_place(images: Dataset) -> None:
    assert str(images.directory.parent) not in chaosprep.methods(images)


def test_sides_that_the_data_set_has_itself_are_not_called_asked_for(
    images: Dataset, tmp_path: Path
) -> None:
    told = section(chaosprep.methods(images), "Division")
    assert "(asked for: " in told
    assert "Sides, folds and a test set of the data set's own, where it has any, were kept." in told


def test_an_origin_that_stands_for_none_is_a_gap(images: Dataset, tmp_path: Path) -> None:
    place = tmp_path / "nobodys"
    shutil.copytree(images.directory, place)
    descriptor = json.loads((place / "datapackage.json").read_text())
    descriptor |= {
        "licenses": [{"name": "notspecified", "title": "License not specified"}],
        "sources": [{"title": "A folder of images that does not tell its origin"}],
    }
    (place / "datapackage.json").write_text(json.dumps(descriptor))
    told = section(chaosprep.methods(place), "Data")
    assert "(NOT IN THE MANIFEST: the source of the data and its citation)" in told
    assert "(NOT IN THE MANIFEST: the licence of the data)" in told


@pytest.mark.parametrize("stage", [*STAGES, "predict"])
def test_no_value_of_a_manifest_is_markup(stage: str) -> None:
    known = load_stage(stage).params.completed({}) if stage in STAGES else {"split": None}
    odd = "*_[a](b)|c\n# h"
    for name in known:
        text = " ".join(sentences(record(stage, **{name: odd})))
        assert "*_[" not in text, name
        assert "\n" not in text, name


def test_one_structure_is_no_structures(images: Dataset, tmp_path: Path) -> None:
    made = chaosprep.extract_labels(images, tmp_path / "one", organ=["liver"])
    told = section(chaosprep.methods(made), "Preparation")
    assert "Masks were made of the structure liver, as a label map." in told


def test_shares_are_told_as_they_were_given() -> None:
    told = " ".join(sentences(record("split", val=0.125, test=0.2)))
    assert "asked for: 12.5% for validation and 20% for testing;" in told


def test_one_slice_has_no_mask() -> None:
    (told, *_) = missing(Counted({"train": Side({"a"}, 1, 3)}, masked=2), [])
    assert told == "1 slice of 3 has no mask."


def test_values_that_were_resampled_are_not_called_untouched() -> None:
    (kept,) = sentences(record("convert", keep_16bit=True))
    assert kept == "Stored values were kept bit for bit, as png files."
    kept, resampled = sentences(record("convert", keep_16bit=True, spacing=1.5))
    assert kept == "Stored values were kept at their full depth, as png files."
    assert resampled.startswith(
        "Slices were resampled in-plane to 1.5 mm per pixel (images cubic, "
    )
    assert resampled.endswith("masks by nearest neighbour).")


def test_a_bias_field_is_told_first_and_its_quotient_is_not_called_untouched() -> None:
    field, kept = sentences(record("convert", keep_16bit=True, bias="n4", bias_distance=80.0))
    assert "found by N4 within the body (Tustison et al. 2010; grid of 6 mm, finest knots" in field
    assert "knots 80 mm apart, up to 50 iterations at each level), was divided out" in field
    assert kept == "Stored values were kept at their full depth, as png files."
    assert "bias" not in " ".join(sentences(record("convert", normalize="zscore")))


def test_it_is_told_how_values_were_normalized_and_whence_landmarks_came() -> None:
    (by_moments,) = sentences(record("convert", normalize="zscore", format="npy"))
    assert "mean of 0 and a standard deviation of 1 within the body" in by_moments
    (learned,) = sentences(record("convert", normalize="nyul"))
    assert "landmarks that were learned from the training side alone" in learned
    (given,) = sentences(record("convert", normalize="nyul", landmarks='{"landmarks":{}}'))
    assert "landmarks that were given" in given
