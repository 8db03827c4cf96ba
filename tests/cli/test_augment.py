"""`augment` before the work: the presets, a preview, a recipe of one's own; and replay after it."""

import json
from pathlib import Path

import cv2
import pytest

import chaosprep as library
from chaosprep.augmentation import PRESETS
from chaosprep.augmentation.presets import PresetName

from .conftest import Run


@pytest.fixture(scope="session")
def images(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The five patients, converted."""
    place = tmp_path_factory.mktemp("augment")
    pairs = library.split(pristine, place / "split")
    masks = library.extract_liver(pairs, place / "liver")
    return library.convert(masks, place / "images").directory


def test_the_presets_are_listed_a_line_each(chaosprep: Run) -> None:
    result = chaosprep("augment", "--list-presets")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(PRESETS)
    assert "mirrors, so a label map needs its labels swapped" in result.stdout


@pytest.mark.parametrize(
    "words", [("--list-presets", "--json"), ("--json", "--list-presets", "-j", "1")]
)
def test_the_presets_are_json_where_it_is_asked_for(chaosprep: Run, words: tuple[str, ...]) -> None:
    result = chaosprep("augment", *words)
    told = {name: preset.description for name, preset in PRESETS.items()}
    assert json.loads(result.stdout) == told


def test_a_preview_is_a_picture_and_no_dataset(
    chaosprep: Run, images: Path, tmp_path: Path
) -> None:
    file = tmp_path / "sheet.png"
    result = chaosprep("augment", images, "--preview", file, "--preset", "tutorial")
    assert result.exit_code == 0, result.stderr
    picture = cv2.imread(str(file))
    assert picture is not None
    # Four patients train; an original and five copies, four times as large, captions below.
    assert picture.shape[0] > 4 * (4 * 64 + 4) - 4
    assert picture.shape[1] == 6 * (4 * 64 + 4) - 4
    assert list(tmp_path.iterdir()) == [file]


def test_the_preview_depends_on_preset_and_seed_alone(
    chaosprep: Run, images: Path, tmp_path: Path
) -> None:
    def sheet(name: str, *more: str) -> bytes:
        chaosprep("augment", images, "--preview", tmp_path / name, *more)
        return (tmp_path / name).read_bytes()

    assert sheet("a.png") == sheet("b.png")
    assert sheet("a.png") != sheet("c.png", "--seed", "1")
    assert sheet("a.png") != sheet("d.png", "--preset", "heavy")


def test_a_preview_tells_json_where_it_is_asked_for(
    chaosprep: Run, images: Path, tmp_path: Path
) -> None:
    file = tmp_path / "sheet.png"
    made = chaosprep("augment", images, "--preview", file, "--json")
    assert (json.loads(made.stdout), made.stderr) == ({"path": str(file)}, "")
    file.write_bytes(b"mine")
    refused = chaosprep("augment", images, "--preview", file, "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["code"] == "output-foreign"
    assert file.read_bytes() == b"mine"


def test_without_a_preview_the_output_is_needed(chaosprep: Run, images: Path) -> None:
    result = chaosprep("augment", images)
    assert result.exit_code == 2
    assert "Missing option '-o' / '--output'" in result.stderr


def test_a_recipe_of_ones_own_stands_in_the_manifest(
    chaosprep: Run, images: Path, tmp_path: Path
) -> None:
    spec = tmp_path / "mine.toml"
    spec.write_text("[rotation]\nprobability = 1.0\ndegrees = 5\n")
    result = chaosprep("augment", images, "-o", tmp_path / "out", "-j", "1", "--spec", spec)
    assert result.exit_code == 0, result.stderr
    made = library.open(tmp_path / "out")
    assert made.made.parameters["spec"] == {"rotation": {"probability": 1.0, "degrees": 5}}
    drawn = [row.augmentation["operations"] for row in made.slices if row.augmentation]
    assert all([one["operation"] for one in operations] == ["rotation"] for operations in drawn)


def test_a_recipe_with_a_mistake_is_a_usage_error(
    chaosprep: Run, images: Path, tmp_path: Path
) -> None:
    spec = tmp_path / "mine.toml"
    spec.write_text("[rotatoin]\nprobability = 1.0\n")
    result = chaosprep("augment", images, "-o", tmp_path / "out", "--spec", spec)
    assert result.exit_code == 2
    assert "rotatoin" in result.stderr


def test_the_augmentor_engine_does_the_tutorial(
    chaosprep: Run, images: Path, tmp_path: Path
) -> None:
    arguments = ("--engine", "augmentor", "--preset", "tutorial", "-j", "1")
    result = chaosprep("augment", images, "-o", tmp_path / "out", *arguments)
    assert result.exit_code == 0, result.stderr
    replayed = chaosprep("verify", tmp_path / "out", "--replay", "all", "-j", "1")
    assert replayed.exit_code == 0, replayed.stderr


@pytest.mark.parametrize("fields", [{}, {"keep_16bit": True}, {"format": "npy"}])
@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_copy_replays_to_the_byte(
    images: Path, tmp_path: Path, fields: dict[str, bool | str], preset: PresetName
) -> None:
    parent = library.open(images)
    if fields:
        source = images.parent / "liver"
        parent = library.convert(source, tmp_path / "c", **fields)  # type: ignore[arg-type]
    made = library.augment(parent, tmp_path / "out", preset=preset, copies=2)
    verdict = library.verify(made.directory, replay="all")
    assert (verdict.faults, verdict.warnings) == ((), tuple(verdict.warnings))
    assert not [warning for warning in verdict.warnings if warning.code == "replay-bytes"]


def test_a_copy_that_was_not_drawn_as_recorded_is_found(
    chaosprep: Run, images: Path, tmp_path: Path
) -> None:
    from tests.quality.conftest import Row, rewrite

    made = library.augment(library.open(images), tmp_path / "out")

    def lie(rows: list[Row]) -> None:
        for row in rows:
            if row["copy"]:
                row["augmentation"]["operations"] = [{"operation": "rotation", "degrees": 9.0}]

    rewrite(made.directory, lie)
    assert chaosprep("verify", made.directory, "-j", "1").exit_code == 0
    result = chaosprep("verify", made.directory, "-j", "1", "--replay", "3")
    assert result.exit_code == 1
    assert "made again from its original it has different pixels" in result.stderr
    faults = library.verify(made.directory, replay=3).faults
    assert {fault.code for fault in faults} == {"replay"}
    images_of = {row.image: row.id for row in library.open(made.directory).slices if row.copy}
    found = [images_of[fault.file] for fault in faults if fault.file in images_of]
    assert len(found) == len({*found}) == 3  # a mask that shows nothing is as it was recorded


@pytest.mark.parametrize("wanted", ["some", "-1"])
def test_replay_takes_a_number_or_all(chaosprep: Run, images: Path, wanted: str) -> None:
    result = chaosprep("verify", images, "--replay", wanted)
    assert result.exit_code == 2
