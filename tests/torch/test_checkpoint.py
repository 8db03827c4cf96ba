"""Checkpoints: read with care, and only what they are for."""

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaosprep import Dataset
from chaosprep.errors import ChaosprepError

torch = pytest.importorskip("torch")

from chaosprep.torch.checkpoint import Card, Checkpoint, encode, load  # noqa: E402
from chaosprep.torch.content import content_hash  # noqa: E402
from chaosprep.torch.parameters import PredictParams  # noqa: E402
from chaosprep.torch.predict import open_alike  # noqa: E402


class Bomb:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


def refused(path: Path) -> str:
    with pytest.raises(ChaosprepError) as error:
        load(path)
    assert error.value.code == "checkpoint"
    return str(error.value)


def test_a_run_is_its_best_checkpoint(run: Path) -> None:
    checkpoint = load(run)
    assert checkpoint.card.labels == {"liver": 1}
    assert checkpoint.card.values == {"liver": 255}
    assert checkpoint.card.prepared["convert"]["window"] == "percentile"
    weights = checkpoint.network().state_dict()
    assert all(torch.equal(weights[name], checkpoint.weights[name]) for name in weights)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "plain pickle"])
def test_a_pickle_bomb_does_not_go_off(tmp_path: Path, zipped: bool) -> None:
    target, path = tmp_path / "bang", tmp_path / "bomb.pt"
    if zipped:
        torch.save({"card": Bomb(target)}, path)
    else:
        path.write_bytes(pickle.dumps(Bomb(target)))
    assert "not a checkpoint" in refused(path)
    assert not target.exists()
    if zipped:
        torch.load(path, weights_only=False)
    else:
        pickle.loads(path.read_bytes())  # noqa: S301
    assert target.exists()  # it would have


@pytest.mark.parametrize("cut", [0, 1, 100, 5000, -1])
def test_a_torn_file_is_refused(run: Path, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "torn.pt"
    path.write_bytes((run / "best.pt").read_bytes()[:cut])
    refused(path)


@pytest.mark.parametrize("content", [{}, {"card": "{}"}, [1], torch.zeros(2)])
def test_somebody_elses_file_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "other.pt"
    torch.save(content, path)
    assert "not a checkpoint of chaosprep train" in refused(path)


def test_weights_of_another_network_are_refused(run: Path, tmp_path: Path) -> None:
    content = torch.load(run / "best.pt", weights_only=True)
    card = Card(**json.loads(content.pop("card")) | {"network": "unet++"})
    made = Checkpoint(card=card, scores=(), weights=content["weights"])
    (tmp_path / "mixed.pt").write_bytes(encode(made))
    with pytest.raises(ChaosprepError, match="do not fit its network"):
        load(tmp_path / "mixed.pt").network()


def test_a_card_with_unknown_fields_is_refused(run: Path, tmp_path: Path) -> None:
    content = torch.load(run / "best.pt", weights_only=True)
    content["card"] = content["card"].replace("{", '{"more":1,', 1)
    torch.save(content, tmp_path / "more.pt")
    refused(tmp_path / "more.pt")


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        ('{"liver":2}', '{"liver":255}'),
        ("{}", "{}"),
        ('{"liver":1}', '{"spleen":255}'),
        ('{"liver":1}', '{"liver":0}'),
        ('{"liver":1}', '{"liver":65536}'),
    ],
)
def test_a_card_whose_labels_and_values_cannot_be_is_refused(
    run: Path, tmp_path: Path, labels: str, values: str
) -> None:
    content = torch.load(run / "best.pt", weights_only=True)
    card = content["card"]
    assert '"labels":{"liver":1},"values":{"liver":255}' in card
    new = f'"labels":{labels},"values":{values}'
    content["card"] = card.replace('"labels":{"liver":1},"values":{"liver":255}', new)
    torch.save(content, tmp_path / "card.pt")
    assert "not a checkpoint of chaosprep train" in refused(tmp_path / "card.pt")


def small(path: Path, **changes: object) -> Path:
    """A checkpoint with few weights: what is read of it does not ask for a whole network."""
    card: dict[str, Any] = {
        "chaosprep": "9.9.9",
        "network": "unet",
        "labels": {"liver": 1, "spleen": 2},
        "values": {"liver": 255, "spleen": 3},
        "prepared": {},
        "manifest_sha256": "0" * 64,
        "parameters": {},
    }
    weights: dict[str, Any] = {
        "a": torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 7,
        "b": torch.arange(5),
    }
    optimizer = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 0.1}]}
    content: dict[str, Any] = {"scores": (), "weights": weights, "optimizer": optimizer} | changes
    made = Checkpoint(card=Card(**card | content.pop("card", {})), **content)
    path.write_bytes(encode(made))
    return path


def test_no_flipped_bit_changes_what_is_read(tmp_path: Path) -> None:
    """Each bit that is flipped is refused, or lies where nothing is read from."""
    data = small(tmp_path / "whole.pt").read_bytes()
    whole, path = load(tmp_path / "whole.pt"), tmp_path / "flipped.pt"
    step = max(1, 61 // int(os.environ.get("CHAOSPREP_ATTACKS", "1")))
    harmless, codes = 0, set[str]()
    for bit in range(0, 8 * len(data), step):
        place, mask = bit // 8, 1 << bit % 8
        path.write_bytes(data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :])
        try:
            found = load(path)
        except ChaosprepError as error:
            codes.add(error.code)
        else:
            harmless += 1
            assert (found.card, found.scores) == (whole.card, whole.scores)
            for held in ("weights", "optimizer"):
                assert content_hash(getattr(found, held)) == content_hash(getattr(whole, held))
    assert codes == {"checkpoint"}
    assert harmless < 8 * len(data) / step / 2


@pytest.mark.parametrize("name", ["last.pt", "best.pt"])
def test_flipped_bits_of_weights_are_refused(run: Path, tmp_path: Path, name: str) -> None:
    data = bytearray((run / name).read_bytes())
    for place in range(5000, len(data), len(data) // 5):
        data[place] ^= 1
        (tmp_path / "flipped.pt").write_bytes(data)
        refused(tmp_path / "flipped.pt")
        data[place] ^= 1


def test_other_weights_under_the_same_card_are_refused(tmp_path: Path) -> None:
    """Whole as a file, and nothing in it is odd but what the hash tells."""
    path = small(tmp_path / "a.pt")
    content = torch.load(path, weights_only=True)
    content["weights"]["a"][1, 2, 3] += 1
    torch.save(content, path)
    assert "or damaged" in refused(path)


def test_the_hash_is_of_values_and_not_of_their_order() -> None:
    one = {"a": torch.ones(2, 3), "b": {"x": 1, "y": [torch.zeros(1)]}}
    other = {"b": {"y": [torch.zeros(1)], "x": 1}, "a": torch.ones(3, 2).T.contiguous()}
    assert content_hash(one) == content_hash(other)
    for changed in (
        one | {"a": torch.ones(3, 2)},
        one | {"a": torch.ones(2, 3, dtype=torch.float64)},
        one | {"b": {"x": True, "y": [torch.zeros(1)]}},
        one | {"c": None},
    ):
        assert content_hash(changed) != content_hash(one)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    assert "not a checkpoint" in refused(
        small(tmp_path / "nan.pt", weights={"a": torch.ones(3), "b": torch.tensor([1.0, value])})
    )


def test_views_that_repeat_few_bytes_without_end_are_refused(tmp_path: Path) -> None:
    path = small(tmp_path / "a.pt")
    content = torch.load(path, weights_only=True)
    content["weights"]["a"] = torch.ones(1).expand(10**6, 10**6)
    torch.save(content, path)
    refused(path)


def test_packed_members_are_refused(tmp_path: Path) -> None:
    """torch stores as it is; what is packed could unpack to any size."""
    path = small(tmp_path / "a.pt")
    with (
        zipfile.ZipFile(path) as whole,
        zipfile.ZipFile(tmp_path / "b.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in whole.namelist():
            packed.writestr(name, whole.read(name))
    refused(tmp_path / "b.pt")


@pytest.mark.parametrize(
    "card",
    [
        {
            "labels": {f"o{i}": i for i in range(1, 300)},
            "values": {f"o{i}": i for i in range(1, 300)},
        },
        {"labels": {"a": 1, "b": 2}, "values": {"a": 7, "b": 7}},
        {"labels": {"a" * 201: 1}, "values": {"a" * 201: 1}},
        {"labels": {"": 1}, "values": {"": 1}},
        {"labels": {"a\x1b[2J": 1}, "values": {"a\x1b[2J": 1}},
    ],
    ids=["many", "one value twice", "long", "empty", "a terminal's"],
)
def test_labels_beyond_all_bounds_are_refused(tmp_path: Path, card: dict[str, Any]) -> None:
    refused(small(tmp_path / "labels.pt", card=card))


def test_255_labels_of_16_bits_are_taken(tmp_path: Path) -> None:
    labels = {f"organ {i}": i for i in range(1, 256)}
    card = {"labels": labels, "values": {name: 65535 - at for name, at in labels.items()}}
    assert load(small(tmp_path / "a.pt", card=card)).card.labels == labels


def test_any_name_that_a_table_can_hold_is_taken(tmp_path: Path) -> None:
    labels = {"no\u00a0break": 1, "zero\u200bwidth": 2, "肝臓": 3, "x" * 200: 4}
    assert load(small(tmp_path / "a.pt", card={"labels": labels, "values": labels}))


def test_a_checkpoint_without_a_hash_is_taken_and_said(
    run: Path, images: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = recarded(run, tmp_path / "old.pt", as_0_1_0)
    open_alike(images.directory, PredictParams(checkpoint=str(old)))
    assert "no hash of its content" in caplog.text
    caplog.clear()
    open_alike(images.directory, PredictParams(checkpoint=str(run)))
    assert caplog.text == ""


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path).startswith(f"{tmp_path}/best.pt: the file is missing.")


def recarded(run: Path, path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A checkpoint whose card was changed."""
    content = torch.load(run / "best.pt", weights_only=True)
    card = json.loads(content["card"])
    change(card)
    content["card"] = json.dumps(card)
    torch.save(content, path)
    return path


def as_0_1_0(card: dict[str, Any]) -> None:
    """The card as it was before minor versions, and hashes."""
    del card["manifest_minor"], card["content_sha256"]
    card["parameters"]["compression"] = "small"


def test_a_card_of_an_earlier_release_is_read_without_what_is_gone(
    run: Path, tmp_path: Path
) -> None:
    card = load(recarded(run, tmp_path / "old.pt", as_0_1_0)).card
    assert "compression" not in card.parameters
    assert card.prepared == load(run).card.prepared


def test_a_card_of_a_later_release_is_refused_by_what_is_unknown(run: Path, tmp_path: Path) -> None:
    news = {"manifest_minor": 99, "chaosprep": "9.9.0", "scale": "case"}
    said = refused(recarded(run, tmp_path / "new.pt", lambda card: card.update(news)))
    assert "chaosprep 9.9.0 wrote it" in said
    assert "the field scale" in said
    assert "damaged" not in said


@pytest.mark.parametrize("where", ["parameters", "prepared"])
def test_a_parameter_of_a_later_release_is_named(run: Path, tmp_path: Path, where: str) -> None:
    def add(card: dict[str, Any]) -> None:
        found = card["parameters"] if where == "parameters" else card["prepared"]["convert"]
        found["gamma"] = 2

    said = refused(recarded(run, tmp_path / "new.pt", add))
    assert f"the parameter gamma of {'train' if where == 'parameters' else 'convert'}" in said
