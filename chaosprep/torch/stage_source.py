"""A stage directory as the source of a stream: its cases, here or behind a URL."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import DESCRIPTOR, TABLE
from chaosprep.dataset.opening import open_dataset
from chaosprep.torch.folders import Folder, LocalFolder
from chaosprep.torch.rows import Rows, Wanted
from chaosprep.torch.sources import given


class StageSource:
    """The cases of a stage directory that have wanted rows; each file is compared with its hash.

    Behind a URL, the descriptor and the table are copied here for as long as this lives.

    Raises:
        FileError: they cannot be read; ManifestError: they are damaged.
        UsageError: the dataset has no such fold.
    """

    noun = "case"

    def __init__(self, folder: Folder, wanted: Wanted) -> None:
        self._folder = folder
        directory = folder.directory if isinstance(folder, LocalFolder) else self._copied()
        rows = Rows(open_dataset(directory), wanted)
        self._dataset = rows.dataset
        self.labels = rows.labels
        self.parts = np.unique(rows.cases).tolist()

    def cases(self, part: int) -> Iterator[Case]:
        """The case of a place in the dataset; see `Source`."""
        case = self._dataset.cases[part]
        is_here = isinstance(self._folder, LocalFolder)
        yield case if is_here else replace(case, store=given(self._folder.read))

    def _copied(self) -> Path:
        """A folder with the manifest."""
        copy = Path(tempfile.mkdtemp())
        weakref.finalize(self, _remove, copy, os.getpid())
        for name in (DESCRIPTOR, TABLE):
            (copy / name).write_bytes(self._folder.read(name))
        return copy


def _remove(copy: Path, owner: int) -> None:
    """Remove a copy, but not where a forked worker has done with its own."""
    if os.getpid() == owner:
        shutil.rmtree(copy, ignore_errors=True)
