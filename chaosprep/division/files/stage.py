"""A stage directory, or its `datapackage.json`: the sides and folds of its table."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from chaosprep.dataset.manifest import DESCRIPTOR, SHARD, Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.division.files.content import Content
from chaosprep.division.files.said import Said, known
from chaosprep.division.sides import KnownSplit
from chaosprep.files import read_regular, sha256

_KEY = "key "  # what stands before a key's fingerprint among the recorded parameters


def takes(content: Content) -> bool:
    """Whether it is a folder, or called as a manifest is."""
    return content.path.is_dir() or content.path.name in (DESCRIPTOR, SHARD)


def read(content: Content, fold: int | None) -> KnownSplit:
    """The sides and folds of its patients, by their ids, and the key that made these.

    Raises:
        ManifestError: it is no finished stage directory.
        FileError: as `known` does.
    """
    folder = content.path if content.path.is_dir() else content.path.parent
    if not (folder / DESCRIPTOR).is_file():
        open_dataset(folder)  # which says best what is missing
    digest = sha256(read_regular(folder / DESCRIPTOR))
    said, key, asked = _told(str(folder.absolute()), digest)
    return replace(known(said, fold), key=key, are_ids=True, asked=asked)


@lru_cache(4)  # a run asks several times, and a table may have a million lines
def _told(
    folder: str, descriptor_sha256: str
) -> tuple[tuple[Said, ...], str | None, dict[str, object]]:
    dataset = open_dataset(Path(folder))
    rows = (row for case in dataset.cases for row in case.slices)
    said = dict.fromkeys(Said(row.patient, row.split, row.fold, row.folds or ()) for row in rows)
    asked = next((one.parameters for one in dataset.history if one.stage == "split"), {})
    return tuple(said), _key(dataset), asked


def _key(dataset: Dataset) -> str | None:
    """The fingerprint of the key that made the ids, as split has recorded it."""
    for stage in dataset.history:
        told = stage.parameters.get("pseudonymize")
        if isinstance(told, str) and told.startswith(_KEY):
            return told.removeprefix(_KEY)
    return None
