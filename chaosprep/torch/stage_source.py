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
from chaosprep.dataset.decoding import decode_descriptor
from chaosprep.dataset.descriptor import Descriptor
from chaosprep.dataset.manifest import DESCRIPTOR
from chaosprep.dataset.opening import open_dataset, table_of
from chaosprep.dataset.records import File
from chaosprep.torch.checks import Check, Checks
from chaosprep.torch.folders import Folder, LocalFolder
from chaosprep.torch.rows import Rows, Wanted
from chaosprep.torch.sources import given


class StageSource:
    """The cases of a stage directory that have wanted rows.

    Files are compared with their hashes until their case was read whole in this process, or always;
    behind a URL always.

    Behind a URL, the descriptor and the table are copied here for as long as this lives.

    Raises:
        FileError: they cannot be read; ManifestError: they are damaged.
        UsageError: the dataset has no such fold.
    """

    noun = "case"
    more = ""

    def __init__(self, folder: Folder, wanted: Wanted, check: Check) -> None:
        self._folder = folder
        directory = folder.directory if isinstance(folder, LocalFolder) else self._copied()
        rows = Rows(open_dataset(directory), wanted)
        self._dataset = rows.dataset
        self.labels = rows.labels
        self.parts = np.unique(rows.cases).tolist()
        self._checks = Checks(len(self._dataset.cases), check)

    def cases(self, part: int) -> Iterator[Case]:
        """The case of a place in the dataset; see `Source`."""
        case = self._dataset.cases[part]
        if not isinstance(self._folder, LocalFolder):
            yield replace(case, store=given(self._get))
            return
        yield replace(case, check=self._checks.is_due(part))
        self._checks.passed(part)

    def _get(self, file: File) -> bytes:
        if file.container is None:
            return self._folder.read(file.path)
        return self._folder.part(file.container, file.offset, file.bytes)

    def _copied(self) -> Path:
        """A folder with the manifest."""
        copy = Path(tempfile.mkdtemp())
        weakref.finalize(self, _remove, copy, os.getpid())
        path, data = copy / DESCRIPTOR, self._folder.read(DESCRIPTOR)
        path.write_bytes(data)
        for file in table_of(path, decode_descriptor(path, data, Descriptor)).table_files():
            (copy / file.path).write_bytes(self._folder.read(file.path))
        return copy


def _remove(copy: Path, owner: int) -> None:
    """Remove a copy, but not where a forked worker has done with its own."""
    if os.getpid() == owner:
        shutil.rmtree(copy, ignore_errors=True)
