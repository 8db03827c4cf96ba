"""What networks see of normalized images, and on what data their predictions are refused."""

from pathlib import Path

import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ChaosprepError, UsageError
from tests.stages.normalized import METHODS, Method, Normal, Values, told, two_sequences

pytest.importorskip("torch", reason="PyTorch is not installed")

from chaosprep.torch import SliceDataset, SliceStream, VolumeDataset
from chaosprep.torch.preparation import check_alike, preparation

ENDS: dict[Method, tuple[float, float]] = {"zscore": (0.0, 1.0), "nyul": (1.0, 100.0)}


def expected(dataset: Dataset, case: str, method: Method) -> Values:
    """A case's values, (slices, rows, cols), with the ends of the scale at 0 and 1."""
    low, high = ENDS[method]
    return (told(dataset, case) - low) / (high - low)


@pytest.mark.parametrize("method", METHODS)
def test_every_reader_gives_the_normalized_values(
    normalized: Normal, tmp_path: Path, method: Method
) -> None:
    made = normalized[method]
    shards = chaosprep.export("webdataset", made, tmp_path / "shards").path
    values = {case: expected(made, case, method) for case in made.case_ids}
    for items in (
        SliceDataset(made),
        SliceStream(made.directory, buffer=0),
        SliceStream(shards, buffer=0),
    ):
        seen = 0
        for item in items:
            case, _, number = item["id"].rpartition("_s")
            assert np.allclose(item["image"][0], values[case][int(number)], atol=1e-5)
            seen += 1
        assert seen == 24
    for volume in VolumeDataset(made):
        assert np.allclose(volume["image"][0], values[volume["id"]], atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_npy_and_png_are_the_same_to_a_network(
    scanners: Dataset, normalized: Normal, tmp_path: Path, method: Method
) -> None:
    npy = chaosprep.convert(scanners, tmp_path / "npy", normalize=method, format="npy")
    for one, other in zip(SliceDataset(npy), SliceDataset(normalized[method]), strict=True):
        assert np.allclose(one["image"], other["image"], atol=1e-4)


def test_landmarks_of_the_training_data_make_the_preparation_equal(
    scanners: Dataset, normalized: Normal, tmp_path: Path
) -> None:
    trained = normalized["nyul"]
    new = chaosprep.convert(
        scanners,
        tmp_path / "new",
        normalize="nyul",
        landmarks=str(trained.directory),
        patient=["MR006"],
    )
    assert preparation(new) == preparation(trained)

    check_alike(new, preparation(trained), _values(trained))


def _values(dataset: Dataset) -> dict[str, int]:
    return {label.name: value for value, label in dataset.labels.items()}


def test_landmarks_of_its_own_are_another_preparation(
    scanners: Dataset, normalized: Normal, tmp_path: Path
) -> None:
    trained = normalized["nyul"]
    own = chaosprep.convert(scanners, tmp_path / "own", normalize="nyul", patient=["MR001"])
    with pytest.raises(ChaosprepError, match="convert with different landmarks") as caught:
        check_alike(own, preparation(trained), _values(trained))
    assert caught.value.code == "prepared-differently"


def test_another_normalization_is_another_preparation(normalized: Normal) -> None:
    trained = normalized["nyul"]
    with pytest.raises(ChaosprepError, match="normalize 'zscore', in training 'nyul'"):
        check_alike(normalized["zscore"], preparation(trained), _values(trained))


def test_raw_data_are_prepared_with_the_landmarks_of_the_run(tmp_path: Path) -> None:
    pairs = two_sequences(tmp_path, sequence=("t1-in",))
    livers = chaosprep.extract_liver(pairs, tmp_path / "livers")
    images = chaosprep.convert(livers, tmp_path / "images", normalize="nyul")
    run = tmp_path / "run"
    chaosprep.train(images, run, epochs=1, batch=4)
    there = chaosprep.predict(run, images, tmp_path / "there")
    made = chaosprep.predict_raw(run, tmp_path / "root", tmp_path / "raw", sequence=["t1-in"])
    assert made.cases == len(there.case_ids) == 3


def test_a_fold_that_was_learned_from_does_not_validate(tmp_path: Path) -> None:
    folds = two_sequences(tmp_path, val_patient=(), folds=3, sequence=("t1-in",))
    made = chaosprep.convert(folds, tmp_path / "out", normalize="nyul")
    assert len(SliceDataset(made, "val", fold=0)) == 3
    with pytest.raises(UsageError, match="fold 1") as caught:
        SliceDataset(made, "val", fold=1)
    assert caught.value.code == "fold-learned"
    shards = chaosprep.export("webdataset", made, tmp_path / "shards").path
    assert len(list(SliceStream(shards, "val", fold=0))) == 3
    with pytest.raises(UsageError, match="1: no such fold"):
        SliceStream(shards, "val", fold=1)
    zscore = chaosprep.convert(folds, tmp_path / "z", normalize="zscore")
    assert len(SliceDataset(zscore, "val", fold=1)) == 3
