"""train: it learns, repeats bit for bit, continues where it stopped, and refuses misfits."""

import csv
import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ChaosprepError, NothingFoundError, UsageError
from chaosprep.files import sha256
from chaosprep.phantom import Patient, write_chaos

torch = pytest.importorskip("torch")

from chaosprep.torch.batches import padded  # noqa: E402
from chaosprep.torch.checkpoint import EpochScore, encode, load  # noqa: E402
from chaosprep.torch.curves import as_png  # noqa: E402
from chaosprep.torch.epochs import OPTIMIZERS, Learner, rate  # noqa: E402
from chaosprep.torch.parameters import TrainParams  # noqa: E402

FILES = ("best.pt", "curves.csv", "curves.png", "last.pt", "run.json")


class StopHereError(Exception):
    """A run is interrupted here."""


def contents(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(run.iterdir())}


def interrupted(source: Dataset, run: Path, after: int, **params: Any) -> None:
    def stop(score: EpochScore, is_best: bool, epochs: int) -> None:
        if score.epoch == after:
            raise StopHereError

    with pytest.raises(StopHereError):
        chaosprep.train(source, run, on_epoch=stop, **params)


def code_of(source: Any, run: Path, **params: Any) -> str:  # noqa: ANN401 - whatever is refused
    with pytest.raises(ChaosprepError) as error:
        chaosprep.train(source, run, **params)
    return error.value.code


def test_two_epochs_on_the_phantom_find_the_liver_of_unseen_patients(tmp_path: Path) -> None:
    people = [Patient(id=id, slices=12, matrix=64, sequences=("t1-in",)) for id in range(1, 13)]
    pairs = chaosprep.split(write_chaos(tmp_path / "chaos", people), tmp_path / "split", val=0.17)
    images = chaosprep.convert(chaosprep.extract_liver(pairs, tmp_path / "l"), tmp_path / "images")
    scores: list[EpochScore] = []
    made = chaosprep.train(
        images,
        tmp_path / "run",
        epochs=2,
        batch=4,
        lr=0.01,
        on_epoch=lambda score, *_: scores.append(score),
    )
    assert scores[1].train_loss < scores[0].train_loss
    assert scores[1].val_loss < scores[0].val_loss
    assert sorted(made.dice) == ["MR002", "MR012"]
    assert min(made.dice.values()) > 0.5


def test_a_run_holds_its_files_and_says_what_made_it(run: Path, images: Dataset) -> None:
    assert tuple(contents(run)) == FILES
    record = json.loads((run / "run.json").read_text())
    assert record["manifest_sha256"] == sha256((images.directory / "datapackage.json").read_bytes())
    assert record["sides"]["train"] == {"patients": ["MR001", "MR003", "MR005"], "slices": 11}
    assert record["sides"]["val"] == {"patients": ["MR002"], "slices": 4}
    assert record["parameters"]["epochs"] == 3
    assert str(images.directory) not in (run / "run.json").read_text()
    assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_curves_have_a_line_an_epoch_and_the_best_is_the_greatest_dice(run: Path) -> None:
    lines = list(csv.DictReader((run / "curves.csv").read_text().splitlines()))
    assert [line["epoch"] for line in lines] == ["1", "2", "3"]
    assert list(lines[0]) == ["epoch", "train_loss", "val_loss", "dice", "MR002"]
    record = json.loads((run / "run.json").read_text())
    best = max(lines, key=lambda line: float(line["dice"]))
    assert int(best["epoch"]) == record["best_epoch"] == len(load(run).scores)
    assert float(best["dice"]) == pytest.approx(record["mean_dice"], abs=1e-6)


def test_the_best_weights_give_the_dice_that_was_told(
    run: Path, images: Dataset, tmp_path: Path
) -> None:
    masks = chaosprep.predict(run, images, tmp_path / "out", split="val")
    common = both = 0
    for row in masks.slices:
        original = next(one for one in images.slices if one.id == row.id)
        found, reference = masks.mask(row), images.mask(original)
        assert found is not None
        assert reference is not None
        common += int(((found > 0) & (reference > 0)).sum())
        both += int((found > 0).sum() + (reference > 0).sum())
    assert json.loads((run / "run.json").read_text())["dice"] == {
        "MR002": pytest.approx(2 * common / both)
    }


def test_what_a_network_sees_in_the_padding_does_not_count() -> None:
    everywhere = torch.nn.Conv2d(1, 1, 1)
    torch.nn.init.zeros_(everywhere.weight)
    torch.nn.init.ones_(everywhere.bias)
    ones = torch.ones(1, 40, 40)
    batch = padded([{"id": "a", "patient": "MR001", "image": ones, "mask": ones}])
    assert isinstance(batch, dict)
    assert batch["image"].shape == (1, 1, 48, 48)
    learner = Learner(everywhere, 1, TrainParams(), torch.device("cpu"))
    assert learner.validate([batch])[1] == {"MR001": 1.0}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(
    run: Path, images: Dataset, tmp_path: Path
) -> None:
    chaosprep.train(images.directory, tmp_path / "again", epochs=3, batch=4)
    assert contents(tmp_path / "again") == contents(run)
    chaosprep.train(images, tmp_path / "other", epochs=3, batch=4, seed=1)
    assert contents(tmp_path / "other")["curves.csv"] != contents(run)["curves.csv"]


def test_training_leaves_torchs_random_numbers_alone(images: Dataset, tmp_path: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    chaosprep.train(images, tmp_path / "run", epochs=1)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("optimizer", ["adam", "radam", "sgd"])
def test_an_interrupted_run_goes_on_to_the_same_bytes(
    images: Dataset, tmp_path: Path, optimizer: str
) -> None:
    params: dict[str, Any] = {"epochs": 3, "batch": 4, "patch": "24", "optimizer": optimizer}
    chaosprep.train(images, tmp_path / "whole", **params)
    interrupted(images, tmp_path / "run", 1, **params)
    assert not (tmp_path / "run" / "run.json").exists()
    interrupted(images, tmp_path / "run", 2, **params)
    epochs: list[int] = []
    chaosprep.train(
        images, tmp_path / "run", on_epoch=lambda score, *_: epochs.append(score.epoch), **params
    )
    assert epochs == [3]
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_a_kill_between_best_and_last_repeats_the_epoch(
    images: Dataset, run: Path, tmp_path: Path
) -> None:
    interrupted(images, tmp_path / "run", 1, epochs=3, batch=4)
    (tmp_path / "run" / "best.pt").write_bytes((run / "best.pt").read_bytes())
    chaosprep.train(images, tmp_path / "run", epochs=3, batch=4)
    assert contents(tmp_path / "run") == contents(run)


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded, use of fork")
def test_workers_change_no_byte(run: Path, images: Dataset, tmp_path: Path) -> None:
    chaosprep.train(images, tmp_path / "run", epochs=3, batch=4, workers=1)
    assert contents(tmp_path / "run") == contents(run)


def test_what_is_done_is_only_read(run: Path, images: Dataset) -> None:
    before = contents(run)
    made = chaosprep.train(images, run, epochs=3, batch=4)
    assert made.already_done
    assert made.dice == json.loads(before["run.json"])["dice"]
    assert contents(run) == before


def test_a_run_of_an_earlier_release_is_done_too(
    run: Path, images: Dataset, tmp_path: Path
) -> None:
    """Its card has no minor version and no hash, lacks a parameter, and has one that is gone."""
    older = Path(shutil.copytree(run, tmp_path / "run"))
    content = torch.load(older / "last.pt", weights_only=True)
    card = json.loads(content["card"])
    del card["manifest_minor"], card["content_sha256"], card["parameters"]["patience"]
    card["parameters"]["compression"] = "fast"
    torch.save(content | {"card": json.dumps(card)}, older / "last.pt")
    assert chaosprep.train(images, older, epochs=3, batch=4).already_done


def test_other_parameters_are_refused_by_name_and_overwrite_takes_them(
    images: Dataset, tmp_path: Path
) -> None:
    chaosprep.train(images, tmp_path, epochs=1)
    with pytest.raises(ChaosprepError, match=r"\(batch 8, now 4; |\(batch 8, now 4\)") as error:
        chaosprep.train(images, tmp_path, epochs=1, batch=4)
    assert error.value.code == "output-differs"
    assert not chaosprep.train(images, tmp_path, epochs=1, batch=4, overwrite=True).already_done


def test_a_run_goes_on_although_a_parameter_of_its_time_is_gone(
    images: Dataset, tmp_path: Path
) -> None:
    chaosprep.train(images, tmp_path, epochs=1)
    last = load(tmp_path / "last.pt")
    card = replace(
        last.card,
        parameters=last.card.parameters | {"compression": "fast"},
        manifest_minor=0,
    )
    (tmp_path / "last.pt").write_bytes(encode(replace(last, card=card)))
    assert chaosprep.train(images, tmp_path, epochs=1).already_done


def test_other_data_are_refused(run: Path, stored: Dataset) -> None:
    assert code_of(stored, run, epochs=3, batch=4) == "output-differs"


def test_a_damaged_last_checkpoint_is_named(images: Dataset, tmp_path: Path) -> None:
    interrupted(images, tmp_path, 1, epochs=2)
    (tmp_path / "last.pt").write_bytes(b"PK torn")
    assert code_of(images, tmp_path, epochs=2) == "checkpoint"


def test_a_foreign_directory_is_left_alone(images: Dataset, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert code_of(images, tmp_path, overwrite=True) == "output-foreign"
    assert contents(tmp_path) == {"thesis.txt": b"mine"}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["run.json", "last.pt", ".chaosprep/journal.jsonl"])
def test_a_name_alone_makes_no_folder_a_run(
    images: Dataset, tmp_path: Path, name: str, overwrite: bool
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text('{"lr": 0.1}')
    (tmp_path / "best.pt").write_text("mine")
    assert code_of(images, tmp_path, overwrite=overwrite) == "output-foreign"
    assert (tmp_path / "best.pt").read_text() == "mine"
    assert (tmp_path / name).read_text() == '{"lr": 0.1}'


@pytest.mark.parametrize("left", ["run.json", "last.pt"])
def test_a_run_is_known_by_its_record_or_its_checkpoint(
    run: Path, images: Dataset, tmp_path: Path, left: str
) -> None:
    (tmp_path / left).write_bytes((run / left).read_bytes())
    chaosprep.train(images, tmp_path, overwrite=True, epochs=3, batch=4)
    assert [(tmp_path / name).read_bytes() for name in FILES] == [
        (run / name).read_bytes() for name in FILES
    ]


def test_a_finished_run_without_its_best_checkpoint_is_no_success(
    run: Path, images: Dataset, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    (copy / "best.pt").unlink()
    with pytest.raises(ChaosprepError, match=r"best\.pt of its run is gone") as error:
        chaosprep.train(images, copy, epochs=3, batch=4)
    assert error.value.code == "checkpoint"


def test_a_stage_directory_is_no_place_for_a_run(images: Dataset, livers: Dataset) -> None:
    assert code_of(images, images.directory / "run") == "output-place"
    assert code_of(images, livers.directory) == "output-foreign"


def test_patience_stops_after_epochs_without_a_better_dice(images: Dataset, tmp_path: Path) -> None:
    scores: list[tuple[EpochScore, bool]] = []
    made = chaosprep.train(
        images,
        tmp_path,
        epochs=30,
        patience=2,
        lr=1e-12,  # learns nothing: the first epoch stays the best
        augment="none",
        on_epoch=lambda score, is_best, _: scores.append((score, is_best)),
    )
    assert (made.best_epoch, made.epochs) == (1, 3)
    assert [is_best for _, is_best in scores] == [True, False, False]


def test_the_learning_rate_falls_from_lr_to_almost_0() -> None:
    params = TrainParams(lr=0.02, epochs=10)
    assert rate(params, 0) == 0.02
    assert rate(params, 5) == pytest.approx(0.02 * 0.5**0.9)
    assert rate(params, 9) == pytest.approx(0.02 * 0.1**0.9)


def test_the_optimizers_are_those_of_their_names() -> None:
    assert {name: kind.__name__.lower() for name, kind in OPTIMIZERS.items()} == {
        "adam": "adam",
        "radam": "radam",
        "sgd": "sgd",
    }


def test_several_organs_and_the_other_network(organs: Dataset, tmp_path: Path) -> None:
    made = chaosprep.train(organs, tmp_path / "run", network="unet++", epochs=1)
    card = load(made.checkpoint).card
    assert list(card.labels) == ["liver", "right-kidney", "left-kidney", "spleen"]
    assert list(made.dice) == ["MR002"]


def test_a_fold_is_validated_on_and_the_others_trained_on(phantom: Path, tmp_path: Path) -> None:
    pairs = chaosprep.split(phantom, tmp_path / "split", folds=2)
    images = chaosprep.convert(chaosprep.extract_liver(pairs, tmp_path / "l"), tmp_path / "images")
    folds = {row.patient: row.fold for row in images.slices}
    for fold in (0, 1):
        made = chaosprep.train(images, tmp_path / f"run{fold}", fold=fold, epochs=1)
        assert sorted(made.dice) == sorted(name for name in folds if folds[name] == fold)
    with pytest.raises(UsageError, match=r"2: no such fold in .* There are: 0, 1"):
        chaosprep.train(images, tmp_path / "run2", fold=2)


def test_a_patient_on_both_sides_is_leakage(rewritten: Callable[..., Path], tmp_path: Path) -> None:
    def leak(row: dict[str, Any]) -> None:
        if row["patient"] == "MR003" and row["slice"] > 1:
            row["split"] = "val"

    with pytest.raises(ChaosprepError, match=r"^MR003: this patient is on both sides") as error:
        chaosprep.train(rewritten(leak), tmp_path / "run")
    assert error.value.code == "leakage"
    assert not (tmp_path / "run").exists()


def test_slices_without_a_mask_are_left_out(rewritten: Callable[..., Path], tmp_path: Path) -> None:
    def forget(row: dict[str, Any]) -> None:
        if row["slice"] == 0:
            row |= dict.fromkeys(("mask", "mask_sha256", "mask_bytes"))

    made = chaosprep.train(rewritten(forget), tmp_path / "run", epochs=1)
    record = json.loads((made.path / "run.json").read_text())
    assert [record["sides"][side]["slices"] for side in ("train", "val")] == [8, 3]


def test_a_side_without_masks_is_nothing_to_work_on(
    rewritten: Callable[..., Path], tmp_path: Path
) -> None:
    def forget(row: dict[str, Any]) -> None:
        if row["split"] == "val":
            row |= dict.fromkeys(("mask", "mask_sha256", "mask_bytes"))

    with pytest.raises(NothingFoundError, match="the side val has no slice with a mask"):
        chaosprep.train(rewritten(forget), tmp_path / "run")


def test_what_was_not_converted_is_refused(livers: Dataset, tmp_path: Path) -> None:
    assert code_of(livers, tmp_path / "run") == "order"


def test_a_loss_that_is_no_number_any_more_is_named_and_not_kept(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaosprep.torch.epochs._Mean.value", lambda mean: float("nan"))
    assert code_of(images, tmp_path / "run", epochs=1) == "diverged"
    assert not (tmp_path / "run" / "last.pt").exists()


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"patch": "ten"}, "patch must be N or ROWSxCOLS"),
        ({"lr": 0}, "lr"),
        ({"seed": 2**63}, "seed"),
        ({"seed": -(2**63) - 1}, "seed"),
        ({"network": "vgg"}, "must be one of"),
        ({"patient": ["MR009"]}, "MR009: no such patient"),
        ({"device": "cuda"}, "finds no GPU"),
    ],
)
def test_a_parameter_that_cannot_be_met_is_named(
    images: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    params: dict[str, Any],
    text: str,
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UsageError, match=text):
        chaosprep.train(images, tmp_path / "run", **params)
    assert not (tmp_path / "run").exists()


def test_too_little_memory_says_what_to_make_smaller(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("chaosprep.torch.epochs.Learner.train", full)
    with pytest.raises(ChaosprepError, match=r"smaller batch or patch"):
        chaosprep.train(images, tmp_path / "run")


def test_too_little_memory_of_the_processor_is_named_too(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaosprep.torch.epochs.Learner.train", lambda *_: torch.empty(10**15))
    assert code_of(images, tmp_path / "run") == "memory"


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        ("CUDA error: out of memory", "memory", "the device has too little memory"),
        (
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
            "memory",
            "the device has too little memory",
        ),
        (
            "CUDA error: device-side assert triggered\nCompile with `TORCH_USE_CUDA_DSA`",
            "gpu",
            "the GPU failed (CUDA error: device-side assert triggered)",
        ),
        (
            "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
            "gpu",
            "the GPU failed (cuDNN error: CUDNN_STATUS_EXECUTION_FAILED)",
        ),
    ],
)
def test_an_error_of_the_gpu_is_named_in_one_line(
    images: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    code: str,
    reason: str,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(said)

    monkeypatch.setattr("chaosprep.torch.epochs.Learner.train", fail)
    with pytest.raises(ChaosprepError) as error:
        chaosprep.train(images, tmp_path / "run")
    assert (error.value.code, error.value.reason) == (code, reason)


def test_a_run_on_the_processor_asks_for_no_memory_of_a_gpu(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def loader(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
        asked.append(named.pop("pin_memory", False))
        return torch.utils.data.DataLoader(*arguments, **named)

    def enough(*_: object) -> None:  # PyTorch's own steps would ask the GPU that there is not
        raise ChaosprepError("enough", "Stop here.", code="enough")

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("chaosprep.torch.batches.DataLoader", loader)
    monkeypatch.setattr("chaosprep.torch.epochs.Learner.train", enough)
    with pytest.raises(ChaosprepError, match="enough"):
        chaosprep.train(images, tmp_path / "run", epochs=1, device="cpu")
    assert asked == [False, False]


def test_a_gpu_that_cannot_take_its_random_numbers_back_is_named_too(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr("torch.set_rng_state", fail)  # called where a run ends, however it does
    assert code_of(images, tmp_path / "run", epochs=1) == "gpu"


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded, use of fork")
def test_the_death_of_a_process_that_loads_slices_is_named(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr("chaosprep.torch.batches.CutOuts.__getitem__", die)
    assert code_of(images, tmp_path / "run", workers=1) == "worker"


def test_an_error_that_nobody_foresaw_keeps_its_traceback(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("Caught RuntimeError in DataLoader worker process 0.")

    monkeypatch.setattr("chaosprep.torch.epochs.Learner.train", fail)
    with pytest.raises(RuntimeError, match="Caught"):
        chaosprep.train(images, tmp_path / "run")


def test_the_curves_are_drawn_alike_whatever_the_users_style() -> None:
    from matplotlib import rc_context

    scores = [EpochScore(1, 1.0, 1.0, {"MR001": 0.5}), EpochScore(2, 0.5, 0.6, {"MR001": 0.7})]
    drawn = as_png(scores)
    with rc_context({"axes.facecolor": "yellow", "font.size": 20}):
        assert as_png(scores) == drawn


def test_more_epochs_go_on_from_a_finished_run(images: Dataset, tmp_path: Path) -> None:
    first = chaosprep.train(images, tmp_path / "run", epochs=2, batch=4)
    began = load(tmp_path / "run" / "last.pt").scores
    made = chaosprep.train(images, tmp_path / "run", epochs=4, batch=4)
    last = load(tmp_path / "run" / "last.pt")
    assert (first.epochs, made.epochs, made.already_done) == (2, 4, False)
    assert last.scores[:2] == began
    assert last.card.plans_before == ((2, 2),)
    assert last.optimizer is not None
    assert last.optimizer["param_groups"][0]["lr"] == pytest.approx(1e-3 * (1 - 3 / 4) ** 0.9)
    best = load(tmp_path / "run" / "best.pt")
    assert best.scores[-1].epoch == max(last.scores, key=lambda one: one.mean).epoch
    again = chaosprep.train(images, tmp_path / "run", epochs=4, batch=4)
    assert again.already_done


def test_a_run_that_patience_ended_does_not_go_on_for_more_epochs(
    images: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options: dict[str, Any] = {"patience": 1, "lr": 1e-12, "augment": "none", "batch": 4}
    chaosprep.train(images, tmp_path / "run", epochs=5, **options)
    before = contents(tmp_path / "run")
    made = chaosprep.train(images, tmp_path / "run", epochs=9, **options)
    assert (made.epochs, made.already_done) == (2, True)
    assert contents(tmp_path / "run") == before
    assert "planned before" not in caplog.text


def test_going_on_that_was_interrupted_comes_to_the_same_bytes(
    images: Dataset, tmp_path: Path
) -> None:
    for name in ("whole", "cut"):
        chaosprep.train(images, tmp_path / name, epochs=1, batch=4)
    chaosprep.train(images, tmp_path / "whole", epochs=3, batch=4)

    def stop(score: object, is_best: bool, epochs: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chaosprep.train(images, tmp_path / "cut", epochs=3, batch=4, on_epoch=stop)
    assert not (tmp_path / "cut" / "run.json").exists()
    chaosprep.train(images, tmp_path / "cut", epochs=3, batch=4)
    for name in ("best.pt", "last.pt", "curves.csv", "run.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_fewer_epochs_than_are_done_are_refused(images: Dataset, tmp_path: Path) -> None:
    chaosprep.train(images, tmp_path / "run", epochs=2, batch=4)
    with pytest.raises(ChaosprepError, match="has 2 epochs already, but 1 are asked for") as error:
        chaosprep.train(images, tmp_path / "run", epochs=1, batch=4)
    assert "--epochs 2 or more" in error.value.remedy
    assert (tmp_path / "run" / "run.json").exists()
