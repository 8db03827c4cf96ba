"""What a network was trained on and what it predicts on are compared with every default."""

import json
import shutil
from pathlib import Path

import pytest

from chaosprep import Dataset, open
from chaosprep.errors import ChaosprepError
from chaosprep.torch.preparation import check_alike, preparation

VALUES = {"liver": 255}


def without(dataset: Dataset, name: str, output: Path) -> Dataset:
    """A copy of a directory whose record lacks a parameter, as an earlier release's would."""
    shutil.copytree(dataset.directory, output)
    path = output / "datapackage.json"
    descriptor = json.loads(path.read_bytes())
    del descriptor["chaosprep"]["parameters"][name]
    path.write_text(json.dumps(descriptor))
    return open(output)


def test_a_parameter_that_the_training_data_lack_is_its_default(images: Dataset) -> None:
    check_alike(images, {"convert": {"window": "percentile"}}, VALUES)


def test_a_parameter_that_the_data_lack_is_its_default(images: Dataset, tmp_path: Path) -> None:
    older = without(images, "keep_16bit", tmp_path / "older")
    assert preparation(older) == preparation(images)
    check_alike(older, preparation(images), VALUES)


def test_a_value_that_is_not_the_default_differs_from_an_absent_one(stored: Dataset) -> None:
    with pytest.raises(ChaosprepError, match="convert keep_16bit True, in training False"):
        check_alike(stored, {"convert": {"window": "percentile"}}, VALUES)
