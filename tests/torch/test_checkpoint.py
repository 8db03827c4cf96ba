"""Checkpoints: read with care, and only what they are for."""

import json
import os
import pickle
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chaosprep.errors import ChaosprepError

torch = pytest.importorskip("torch")

from chaosprep.torch.checkpoint import load  # noqa: E402


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
    content["card"] = content["card"].replace('"network":"unet"', '"network":"unet++"', 1)
    torch.save(content, tmp_path / "mixed.pt")
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


def test_flipped_bytes_are_refused_or_harmless(run: Path, tmp_path: Path) -> None:
    data = (run / "best.pt").read_bytes()
    path = tmp_path / "flipped.pt"
    for place in range(0, 4000, 97):
        path.write_bytes(data[:place] + struct.pack("B", data[place] ^ 0xFF) + data[place + 1 :])
        with suppress(ChaosprepError):  # any other error fails the test
            load(path)


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
    """The card as it was before minor versions."""
    del card["manifest_minor"]
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
