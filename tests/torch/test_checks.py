"""How often a loader compares files with their hashes: once in a process, or always."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import FileError

torch = pytest.importorskip("torch")

from chaosprep.torch import SliceDataset, VolumeDataset  # noqa: E402

NOT_IT = "not the one that the manifest records"
both = pytest.mark.parametrize("kind", [SliceDataset, VolumeDataset])


@pytest.fixture
def own(livers: Dataset, tmp_path: Path) -> Path:
    """Pairs whose images are npy, so that a byte can be changed and the file be sound."""
    return chaosprep.convert(livers, tmp_path / "own", format="npy", patient=["MR001"]).directory


def alter(directory: Path, end: bytes = b"") -> None:
    """Change the last pixel of the first image, and add something behind it."""
    file = min((directory / "train/images").iterdir())
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]) + end)


@both
def test_a_changed_file_is_refused_when_it_is_first_read(
    own: Path, kind: Callable[..., Any]
) -> None:
    shown = kind(own)
    alter(own)
    with pytest.raises(FileError, match=NOT_IT):
        shown[0]


@both
def test_a_file_that_was_compared_once_is_not_compared_again(
    own: Path, kind: Callable[..., Any]
) -> None:
    shown = kind(own, scale="none")
    before = shown[0]["image"]
    alter(own)
    assert (shown[0]["image"] != before).sum() == 1


@both
def test_its_size_is_compared_each_time(own: Path, kind: Callable[..., Any]) -> None:
    shown = kind(own)
    shown[0]
    alter(own, end=b"\n")
    with pytest.raises(FileError, match=NOT_IT):
        shown[0]


@both
def test_always_compares_each_time(own: Path, kind: Callable[..., Any]) -> None:
    shown = kind(own, check="always")
    shown[0]
    alter(own)
    with pytest.raises(FileError, match=NOT_IT):
        shown[0]


@both
def test_another_process_compares_for_itself(own: Path, kind: Callable[..., Any]) -> None:
    shown = kind(own)
    shown[0]
    alter(own)
    sent = pickle.loads(pickle.dumps(shown))  # noqa: S301 - our own
    with pytest.raises(FileError, match=NOT_IT):
        sent[0]


def test_a_file_that_was_refused_is_compared_again(own: Path) -> None:
    shown = SliceDataset(own)
    alter(own)
    for _ in range(2):
        with pytest.raises(FileError, match=NOT_IT):
            shown[0]
