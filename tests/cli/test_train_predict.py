"""`chaosprep train` and `chaosprep predict`."""

import json
import sys
from pathlib import Path

import pytest

import chaosprep as library
from chaosprep import Dataset

from .conftest import Run


@pytest.mark.parametrize("verb", ["train", "predict"])
def test_without_torch_both_say_how_to_get_it(
    chaosprep: Run,
    images: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    first = [tmp_path] if verb == "predict" else []
    result = chaosprep(verb, *first, images.directory, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: torch is not installed. Run: pip install 'chaosprep[train]' "
        "(without a GPU, PyTorch's CPU build first).\n"
    )
    assert not (tmp_path / "out").exists()


def test_without_torch_a_dataset_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(library.ChaosprepError, match=r"chaosprep\[train\]") as error:
        from chaosprep.torch import SliceDataset  # noqa: F401
    assert error.value.code == "extra"


def test_without_torch_help_is_there(chaosprep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "--patience" in chaosprep("train", "--help").stdout
    text = chaosprep("predict", "--help").stdout
    assert "RUN DIR" in text
    assert "by -j workers" in " ".join(text.split())  # raw data alone
    assert "--checkpoint" not in text


def test_train_writes_no_png_and_does_not_ask_how(chaosprep: Run) -> None:
    assert "--compression" not in chaosprep("train", "--help").stdout
    assert "--compression" in chaosprep("predict", "--help").stdout


@pytest.fixture(scope="module")
def run(images: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch").set_num_threads(1)
    path = tmp_path_factory.mktemp("run") / "run"
    library.train(images, path, epochs=1)
    return path


def test_train_tells_each_epoch_and_what_came_of_it(
    chaosprep: Run, images: Dataset, tmp_path: Path
) -> None:
    pytest.importorskip("torch").set_num_threads(1)
    command = ("train", images.directory, "-o", tmp_path / "run", "--epochs", "2")
    result = chaosprep(*command)
    assert result.exit_code == 0, result.stderr
    first, second = result.stderr.splitlines()
    assert first.startswith("train: epoch 1 of 2, loss ")
    assert first.endswith(" (best)")
    assert second.startswith("train: epoch 2 of 2, loss ")
    line = result.stdout.rstrip()
    assert line.startswith("train: 2 epochs, best ")
    assert "(MR002 0." in line
    assert line.endswith(f" -> {tmp_path}/run/best.pt")
    again = chaosprep(*command, "--json")
    assert again.stderr == ""
    made = json.loads(again.stdout)
    assert made["already_done"]
    assert list(made["dice"]) == ["MR002"]


def test_an_error_of_train_is_json_too(chaosprep: Run, livers: Dataset, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    result = chaosprep("train", livers.directory, "-o", tmp_path / "run", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["code"] == "order"


def test_predict_closes_as_every_stage_does(
    chaosprep: Run, run: Path, images: Dataset, tmp_path: Path
) -> None:
    command = ("predict", run, images.directory, "-o", tmp_path / "out", "--split", "val")
    planned = chaosprep(*command, "-n")
    assert planned.exit_code == 0, planned.stderr
    assert planned.stdout.endswith("(dry run)\n")
    assert not (tmp_path / "out").exists()
    result = chaosprep(*command)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == (
        f"predict: 1 case, 4 slices, 0 skipped -> {tmp_path}/out/datapackage.json\n"
    )
    assert chaosprep(*command).stdout.endswith(" (already done)\n")


def test_predict_on_data_prepared_otherwise_is_an_error_without_traceback(
    chaosprep: Run, run: Path, livers: Dataset, tmp_path: Path
) -> None:
    result = chaosprep("predict", run, livers.directory, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "prepared differently from the training data (no convert)" in result.stderr
    assert "Traceback" not in result.stderr
