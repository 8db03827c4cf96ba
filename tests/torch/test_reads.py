"""What the workers of a loader read and hash: each file once in an epoch, and no file for scaling.

Each worker counts in its own process and sends along what an item took.
"""

import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest

from chaosprep import Dataset
from chaosprep.dataset import store
from chaosprep.files import read_regular, sha256

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402
from torch.utils.data import Dataset as TorchDataset  # noqa: E402

from chaosprep.torch import SliceDataset  # noqa: E402
from chaosprep.torch.checks import Check  # noqa: E402


class Counted(TorchDataset):  # type: ignore[misc]
    """Items of slices: the process that made each, and which files it read and hashed."""

    def __init__(self, slices: SliceDataset) -> None:
        self.slices = slices

    def __len__(self) -> int:
        return len(self.slices)

    def __getitem__(self, index: int) -> tuple[int, list[str], int]:
        reads: list[str] = []
        hashes: list[int] = []

        def reading(path: str, **how: Any) -> bytes:
            reads.append(Path(path).name.partition(".")[0])
            return read_regular(path, **how)

        def hashing(data: bytes) -> str:
            hashes.append(len(data))
            return sha256(data)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "read_regular", reading)
            patch.setattr(store, "sha256", hashing)
            id = self.slices[index]["id"]
        assert reads == [id, id], "its image and its mask, and nothing else"
        return os.getpid(), reads, len(hashes)


def _same(batch: list[Any]) -> list[Any]:
    return batch


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded, use of fork")
@pytest.mark.parametrize(
    ("method", "check", "hashed"),
    [("fork", "always", [2, 2]), ("fork", "once", [2, 0]), ("forkserver", "once", [2, 0])],
)
def test_each_file_is_read_once_in_an_epoch_and_hashed_once_in_a_process(
    stored: Dataset, method: str, check: Check, hashed: list[int]
) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("this system has no such way")
    slices = SliceDataset(stored, augment="mri", check=check)
    loader = DataLoader(
        Counted(slices),
        batch_size=2,
        num_workers=2,
        persistent_workers=True,
        collate_fn=_same,
        multiprocessing_context=multiprocessing.get_context(method),
    )
    for hashes in hashed:
        items = [item for batch in loader for item in batch]
        assert len({pid for pid, _, _ in items} - {os.getpid()}) == 2
        assert sorted(id for _, reads, _ in items for id in reads) == sorted(
            2 * [row.id for row in stored.slices if row.split == "train"]
        )
        assert {count for _, _, count in items} == {hashes}
