"""On a GPU: train learns, repeats, goes on elsewhere. Skipped where PyTorch finds none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ChaosprepError
from tests.torch.test_training import interrupted

torch = pytest.importorskip("torch")

from chaosprep.torch.checkpoint import EpochScore, load  # noqa: E402

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no GPU here")
SHORT: dict[str, Any] = {"epochs": 3, "batch": 4}


def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)


@pytest.fixture(scope="module")
def on_gpu(images: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three epochs on the GPU. Read only."""
    path = tmp_path_factory.mktemp("gpu") / "run"
    chaosprep.train(images, path, device="cuda", **SHORT)
    return path


def test_the_first_losses_are_those_of_the_processor(
    on_gpu: Path, images: Dataset, tmp_path: Path
) -> None:
    chaosprep.train(images, tmp_path / "run", device="cpu", **SHORT)
    here, there = (load(path).scores[0] for path in (on_gpu, tmp_path / "run"))
    assert here.train_loss == pytest.approx(there.train_loss, abs=0.01)
    assert load(on_gpu).scores[-1].train_loss < here.train_loss


def test_weights_saved_there_are_read_where_none_is(on_gpu: Path) -> None:
    weights = torch.load(on_gpu / "best.pt", weights_only=True)["weights"]
    assert {tensor.device.type for tensor in weights.values()} == {"cpu"}


def test_an_interrupted_run_goes_on_there_and_on_the_processor(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("there", "here"):
        interrupted(images, tmp_path / name, 1, **SHORT)
        epochs: list[int] = []

        def note(score: EpochScore, *_: object, epochs: list[int] = epochs) -> None:
            epochs.append(score.epoch)

        chaosprep.train(images, tmp_path / name, on_epoch=note, **SHORT)
        assert epochs == [2, 3]
        without_gpu(monkeypatch)  # the second time round


def test_masks_are_predicted_as_on_the_processor(
    on_gpu: Path, images: Dataset, tmp_path: Path
) -> None:
    there, here = (
        chaosprep.predict(on_gpu, images, tmp_path / name, device=name) for name in ("cuda", "cpu")
    )
    pairs = zip(there.slices, here.slices, strict=True)
    different = [np.mean(there.mask(one) != here.mask(other)) for one, other in pairs]
    assert np.mean(different) < 0.01


def test_a_fault_of_the_gpu_is_named(on_gpu: Path, images: Dataset, tmp_path: Path) -> None:
    torch.cuda.set_per_process_memory_fraction(1e-6)
    try:
        torch.cuda.empty_cache()
        with pytest.raises(ChaosprepError) as error:
            chaosprep.train(images, tmp_path / "run", device="cuda", **SHORT)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert error.value.code == "memory"
