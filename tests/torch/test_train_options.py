"""train and predict with several channels, the network of nnU-Net, flips and oversampling."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

import chaosprep
from chaosprep import Dataset
from chaosprep.cli.main import main
from chaosprep.errors import ChaosprepError, NothingFoundError, ProblemsError, UsageError

torch = pytest.importorskip("torch")

from chaosprep.torch import SliceDataset  # noqa: E402
from chaosprep.torch.batches import Asked, Batches, CutOuts, Oversampled, padded  # noqa: E402
from chaosprep.torch.checkpoint import Card, encode, load  # noqa: E402
from chaosprep.torch.networks import predicted  # noqa: E402
from chaosprep.torch.parameters import TrainParams  # noqa: E402

BOTH = ("t1-in", "t1-out")
PREPARED: dict[str, Any] = {"spacing": 9.0, "keep_16bit": True}
ALL: dict[str, Any] = {
    "network": "dynunet",
    "optimizer": "sgd",
    "flips": "left-right",
    "foreground": 0.5,
    "patch": "24",
    "neighbours": 1,
    "channels": BOTH,
    "batch": 4,
}


class StopHereError(Exception):
    """A run is interrupted here."""


def stop(*_: object) -> None:
    raise StopHereError


@pytest.fixture(scope="module")
def both(phases: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Both phases of two patients to train on and one to validate. Read only."""
    return chaosprep.convert(phases, tmp_path_factory.mktemp("both") / "images", **PREPARED)


@pytest.fixture(scope="module")
def trained(both: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs with every option. Read only."""
    path = tmp_path_factory.mktemp("runs") / "run"
    chaosprep.train(both, path, epochs=2, **ALL)
    return path


@pytest.fixture(scope="module")
def beside(both: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch that sees both phases with their neighbours. Read only."""
    path = tmp_path_factory.mktemp("runs") / "run"
    chaosprep.train(both, path, epochs=1, neighbours=1, channels="t1-out,t1-in", batch=4)
    return path


def contents(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(run.iterdir())}


def changed(run: Path, to: Path, change: Callable[[Card], Card]) -> Path:
    """The best checkpoint of a run with another card."""
    found = load(run)
    to.write_bytes(encode(replace(found, card=change(found.card))))
    return to


def test_a_run_with_every_option_repeats_and_goes_on_to_the_same_bytes(
    both: Dataset, trained: Path, tmp_path: Path
) -> None:
    with pytest.raises(StopHereError):
        chaosprep.train(both, tmp_path / "run", epochs=2, on_epoch=stop, **ALL)
    assert not (tmp_path / "run" / "run.json").exists()
    chaosprep.train(both, tmp_path / "run", epochs=2, **ALL)
    assert contents(tmp_path / "run") == contents(trained)


def test_more_epochs_take_the_momentum_along(both: Dataset, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"optimizer": "sgd", "batch": 4}
    for name in ("whole", "cut"):
        chaosprep.train(both, tmp_path / name, epochs=1, **asked)
    held = load(tmp_path / "cut" / "last.pt").optimizer
    assert held is not None
    assert all("momentum_buffer" in one for one in held["state"].values())
    chaosprep.train(both, tmp_path / "whole", epochs=3, **asked)
    with pytest.raises(StopHereError):
        chaosprep.train(both, tmp_path / "cut", epochs=3, on_epoch=stop, **asked)
    chaosprep.train(both, tmp_path / "cut", epochs=3, **asked)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")
    assert load(tmp_path / "cut" / "last.pt").card.plans_before == ((1, 1),)


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded, use of fork")
def test_workers_change_no_byte(both: Dataset, trained: Path, tmp_path: Path) -> None:
    chaosprep.train(both, tmp_path / "run", epochs=2, workers=1, **ALL)
    assert contents(tmp_path / "run") == contents(trained)


def test_the_card_says_what_the_network_sees_and_how_it_was_trained(trained: Path) -> None:
    card = load(trained).card
    assert (card.seen.neighbours, card.seen.channels, card.seen.count) == (1, BOTH, 6)
    assert card.halvings == 2  # 24 pixels of a cut-out: 24, 12, 6
    assert card.sequences == BOTH
    record = json.loads((trained / "run.json").read_text())
    assert record["parameters"]["lr"] == 0.01
    assert record["parameters"]["channels"] == list(BOTH)
    assert record["sides"]["train"]["slices"] == 8


def test_a_card_of_the_network_of_earlier_releases_is_as_it_was(run: Path) -> None:
    card = json.loads(torch.load(run / "best.pt", weights_only=True)["card"])
    assert "halvings" not in card
    assert card["parameters"]["lr"] == 0.001
    for name in ("neighbours", "channels", "flips", "foreground"):
        del card["parameters"][name]
    older = replace(load(run).card, parameters=card["parameters"])
    assert older.seen.count == 1
    assert older.halved == 4


@pytest.mark.parametrize(
    "change",
    [
        lambda card: replace(card, parameters=card.parameters | {"neighbours": 10**9}),
        lambda card: replace(card, parameters=card.parameters | {"neighbours": "many"}),
        lambda card: replace(card, parameters=card.parameters | {"channels": ["a", "a"]}),
        lambda card: replace(card, halvings=60),
        lambda card: replace(card, network="unet"),
    ],
)
def test_a_card_that_asks_for_an_impossible_network_is_refused(
    trained: Path, tmp_path: Path, change: Callable[[Card], Card]
) -> None:
    path = changed(trained, tmp_path / "odd.pt", change)
    with pytest.raises(ChaosprepError) as error:
        load(path).network()
    assert error.value.code == "checkpoint"


def test_an_optimizer_has_a_learning_rate_of_its_own() -> None:
    assert [TrainParams(optimizer=one).rate() for one in ("adam", "radam", "sgd")] == [
        *(0.001, 0.001, 0.01)
    ]
    assert TrainParams(optimizer="sgd", lr=0.5).rate() == 0.5


def test_flips_come_beside_the_preset(organs: Dataset) -> None:
    plain, flipped = TrainParams().recipe(), TrainParams(flips="both").recipe()
    assert plain is not None
    assert flipped is not None
    assert replace(flipped, flip=None, flip_up_down=None) == plain
    assert TrainParams(augment="none").recipe() is None
    one = TrainParams(augment="none", flips="left-right").recipe()
    assert one is not None
    assert [name for name, _ in one.choices()] == ["flip"]


def test_flips_of_one_side_of_a_pair_are_refused(organs: Dataset, tmp_path: Path) -> None:
    one = chaosprep.extract_labels(
        chaosprep.open(organs.directory.parent / "masks"), tmp_path / "one", organ=["left-kidney"]
    )
    images = chaosprep.convert(one, tmp_path / "images")
    with pytest.raises(UsageError, match="mirrored left-kidney would carry the wrong name"):
        chaosprep.train(images, tmp_path / "run", flips="left-right", epochs=1)


def test_the_last_part_of_each_batch_shows_an_organ() -> None:
    order = Oversampled(10, seed=0, shown=[2, 5, 7], part=0.5, batch=4)
    plain = [*map(Asked, order._shuffled(10, "order"))]  # what it is beside
    found = list(order)
    assert [asked.foreground for asked in found] == [False, False, True, True] * 2 + [False] * 2
    assert [one for one in found if not one.foreground] == [
        one for place, one in enumerate(plain) if place % 4 < 2
    ]
    drawn = [asked.place for asked in found if asked.foreground]
    assert sorted(drawn[:3]) == [2, 5, 7]
    assert drawn[3] == drawn[0]
    order.epoch = 1
    assert list(order) != found


def test_a_cut_out_for_the_foreground_shows_an_organ(organs: Dataset) -> None:
    slices = SliceDataset(organs, labelled=True)
    cut = CutOuts(slices, (6, 10), seed=0)
    for epoch in range(4):
        slices.set_epoch(epoch)
        for place in range(len(slices)):
            if slices[place]["mask"].any():
                item = cut[Asked(place, foreground=True)]
                assert isinstance(item, dict)
                assert item["image"].shape == item["mask"].shape == (1, 6, 10)
                assert item["mask"].any()


def test_oversampling_shows_more_of_the_organs(both: Dataset) -> None:
    def share(foreground: float) -> float:
        items = CutOuts(SliceDataset(both), (12, 12), 0)
        batches = Batches(items, batch=4, seed=0, shuffled=True, foreground=foreground)
        masks = [batch["mask"] for epoch in range(4) for batch in batches.epoch(epoch)]
        return float(torch.cat(masks).mean())

    assert share(1.0) > 1.3 * share(0.0)


def test_a_gap_and_copies_are_said(
    both: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copied = chaosprep.augment(both, tmp_path / "copied")
    chaosprep.train(copied, tmp_path / "run", neighbours=1, epochs=1)
    assert "On the side train augmented copies are left out" in caplog.text


def test_predict_shows_the_network_what_train_did(
    both: Dataset, beside: Path, tmp_path: Path
) -> None:
    made = chaosprep.predict(beside, both, tmp_path / "out")
    assert {row.sequence for row in made.slices} == {"t1-out"}
    assert len(made.slices) == 16
    assert chaosprep.verify(made.directory).faults == ()
    network = load(beside).network().eval()
    masks = {row.id: made.mask(row) for row in made.slices}
    for split in ("train", "val", "test"):
        slices = SliceDataset(both, split, neighbours=1, channels=("t1-out", "t1-in"))
        for item in map(slices.__getitem__, range(len(slices))):
            batch = padded([item])
            assert isinstance(batch, dict)
            with torch.no_grad():
                found = predicted(network(batch["image"]))[0, :44, :44].numpy()
            assert (found * 255 == masks[item["id"]]).all()


def test_raw_data_come_to_the_masks_of_the_long_way(
    both: Dataset, beside: Path, two_phases: Path, tmp_path: Path
) -> None:
    masks = chaosprep.predict(beside, both, tmp_path / "masks")
    chaosprep.assemble(masks, tmp_path / "long")
    done = CliRunner().invoke(
        main, ["predict", str(beside), str(two_phases), "-o", str(tmp_path / "short"), "-q"]
    )
    assert done.exit_code == 0, done.stderr
    files = [sorted((tmp_path / one / "masks").iterdir()) for one in ("short", "long")]
    assert [[file.name for file in some] for some in files] == 2 * [
        [f"MR00{patient}_t1-out.nii.gz" for patient in (1, 2, 3, 4)]
    ]
    for one, other in zip(*files, strict=True):
        short, long = (np.asarray(nibabel.load(file).dataobj) for file in (one, other))  # type: ignore[attr-defined]
        assert np.array_equal(short, long)


def test_a_patient_without_a_channel_is_a_problem_of_his_case(
    phantom: Path, beside: Path, tmp_path: Path
) -> None:
    pairs = chaosprep.split(phantom, tmp_path / "pairs", val=0, sequence=BOTH)
    livers = chaosprep.extract_liver(pairs, tmp_path / "livers")
    images = chaosprep.convert(livers, tmp_path / "images", **PREPARED)
    pairs = chaosprep.split(phantom, tmp_path / "alone", val=0, sequence=["t1-out"])
    livers = chaosprep.extract_liver(pairs, tmp_path / "livers-alone")
    alone = chaosprep.convert(livers, tmp_path / "images-alone", **PREPARED)
    with pytest.raises(ProblemsError) as error:
        chaosprep.predict(beside, alone, tmp_path / "out")
    assert {one.code for one in error.value.problems} == {"channel-missing"}
    assert "MR001 has no t1-in" in str(error.value)
    made = chaosprep.predict(beside, images, tmp_path / "both")
    assert made.patients == ("MR001", "MR002", "MR003")


def test_no_other_sequence_stands_for_the_one_whose_masks_are_predicted(
    phantom: Path, beside: Path, tmp_path: Path
) -> None:
    pairs = chaosprep.split(phantom, tmp_path / "alone", val=0, sequence=["t1-in"])
    livers = chaosprep.extract_liver(pairs, tmp_path / "livers")
    images = chaosprep.convert(livers, tmp_path / "images", **PREPARED)
    with pytest.raises(NothingFoundError, match="has no t1-out") as error:
        chaosprep.predict(beside, images, tmp_path / "out")
    assert error.value.code == "channel-missing"


def test_a_part_of_a_batch_that_is_no_slice_is_refused() -> None:
    with pytest.raises(ValueError, match="less than one slice of a --batch of 8"):
        TrainParams(batch=8, foreground=0.05)


def test_another_slice_beside_it_makes_another_prediction(
    both: Dataset, beside: Path, tmp_path: Path
) -> None:
    """The key of a case holds the hashes of the other sequences: it is not taken for done."""
    from chaosprep.torch.parameters import PredictParams
    from chaosprep.torch.predict import plan

    params = PredictParams(checkpoint=str(beside))
    case = both.case("MR001_t1-out")
    complete = plan(both, [case], params).complete(case)
    row = next(row for row in both.slices if row.id == "MR001_t1-in_s002")
    assert row.image_sha256.encode() in complete.content()


def test_mirror_images_are_averaged_and_recorded(
    both: Dataset, trained: Path, tmp_path: Path
) -> None:
    plain = chaosprep.predict(trained, both, tmp_path / "plain", split="val")
    made = chaosprep.predict(trained, both, tmp_path / "out", split="val", mirror=True)
    assert (plain.made.parameters["mirror"], made.made.parameters["mirror"]) == (False, True)
    network = load(trained).network().eval()
    slices = SliceDataset(both, "val", neighbours=1, channels=BOTH)
    for item, row in zip(map(slices.__getitem__, range(len(slices))), made.slices, strict=True):
        image = item["image"][None]
        with torch.no_grad():
            mean = (network(image) + network(image.flip(-1)).flip(-1)) / 2
        assert (predicted(mean)[0].numpy() * 255 == made.mask(row)).all()


@pytest.mark.parametrize("raw", [False, True])
def test_mirror_images_that_the_network_never_saw_are_refused(
    both: Dataset, two_phases: Path, beside: Path, tmp_path: Path, raw: bool
) -> None:
    source = two_phases if raw else both.directory
    words = ["predict", beside, source, "-o", tmp_path / "out", "--mirror"]
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == 2
    assert "--mirror: the network was not trained on mirror images" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_command_takes_the_names_with_commas(both: Dataset, tmp_path: Path) -> None:
    words = ["train", both.directory, "-o", tmp_path / "run", "--epochs", "1", "-q"]
    words += ["--neighbours", "1", "--channels", "t1-in,t1-out", "--network", "dynunet"]
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == 0, done.stderr
    assert load(tmp_path / "run").card.seen.count == 6


def test_several_organs_are_learned_by_dynunet(organs: Dataset, tmp_path: Path) -> None:
    made = chaosprep.train(
        organs, tmp_path / "run", network="dynunet", optimizer="sgd", flips="both", epochs=2
    )
    masks = chaosprep.predict(made.path, organs, tmp_path / "out", mirror=True)
    assert masks.slices[0].labels == organs.slices[0].labels
    assert chaosprep.verify(masks.directory).faults == ()
