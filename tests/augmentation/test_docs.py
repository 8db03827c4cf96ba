"""docs/augmentation.md against the code, and the script that draws its pictures."""

import json
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from benchmarks import augmentation_pictures
from chaosprep.augmentation import PRESETS, AugmentorRecipe, Recipe, apply, preset, read_spec
from chaosprep.augmentation.augmentor import GEOMETRY
from chaosprep.augmentation.recipe import OPERATIONS

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "augmentation.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.M | re.S)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("pictures")
    return {path.name: path for path in augmentation_pictures.draw_pictures(place)}


def test_there_is_a_picture_of_every_operation_and_every_preset(drawn: dict[str, Path]) -> None:
    expected = {f"operation-{name}.png" for name in OPERATIONS}
    expected |= {f"preset-{name}.png" for name in (*PRESETS, "tutorial-augmentor")}
    assert set(drawn) == expected
    assert set(re.findall(r"\(augmentation/(.*?)\)", TEXT)) == expected
    assert {path.name for path in (DOCS / "augmentation").iterdir()} == expected


def test_the_pictures_are_those_that_the_script_draws(drawn: dict[str, Path]) -> None:
    for name, path in drawn.items():
        kept = np.asarray(Image.open(DOCS / "augmentation" / name).convert("L"), np.int16)
        made = np.asarray(Image.open(path).convert("L"), np.int16)
        assert kept.shape == made.shape
        # Another version of a library may move a few pixels by a grey level of the picture.
        assert (np.abs(kept - made) > 8).mean() < 0.002, name


def test_the_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in (DOCS / "augmentation").iterdir()) < 500_000


def test_the_presets_are_described_as_in_the_code() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) \|$", TEXT, flags=re.M))
    rows["mri"] = rows["mri"].removesuffix(" (the default)")
    assert rows == {name: one.description for name, one in PRESETS.items()}


def test_limits_and_defaults_are_those_of_the_code() -> None:
    rows = re.findall(
        r"^\| (?:`(\w+)`)? ?\| (?:`(\w+)`)? ?\| (.*?) ?\| (.*?) ?\| .*\|$", TEXT, re.M
    )
    found, name = {}, ""
    for operation, field, limits, default in rows:
        name = operation or name
        found[name, field] = limits, default
    assert {operation for operation, _ in found} == set(OPERATIONS)
    for operation in OPERATIONS:
        choice = getattr(msgspec.convert({operation: {}}, Recipe), operation)
        for field, (low, high) in choice.LIMITS.items():
            limits, default = found[operation, field]
            assert limits == f"{low:g} to {high:g}"
            assert json.loads(default) == pytest.approx(
                json.loads(msgspec.json.encode(getattr(choice, field)))
            )


def test_the_specs_are_recipes(tmp_path: Path) -> None:
    kinds = []
    for index, block in enumerate(blocks("toml")):
        path = tmp_path / f"{index}.toml"
        path.write_text(block, encoding="utf-8")
        kinds.append(type(read_spec(path)))
    assert kinds == [Recipe, AugmentorRecipe]


def test_the_recorded_parameters_can_be_applied() -> None:
    (block,) = blocks("json")
    image = np.arange(400, dtype=np.uint16).reshape(20, 20)
    assert apply(json.loads(block), image, None)[0].shape == (20, 20)


def test_the_python_example_runs() -> None:
    image = np.arange(400, dtype=np.uint16).reshape(20, 20)
    names: dict[str, object] = {"image": image, "mask": (image > 200).astype(np.uint8)}
    (block,) = blocks("python")
    exec(block, names)
    assert isinstance(names["new_image"], np.ndarray)
    assert names["new_image"].shape == (20, 20)


def test_what_augmentor_can_do_here_is_what_its_pipeline_has() -> None:
    from Augmentor import Pipeline

    assert all(callable(getattr(Pipeline, name)) for name in GEOMETRY)
    assert preset("tutorial", engine="augmentor").interpolation == "cubic"
