"""Shards of `export webdataset` as the source of a stream, read as they come."""

import hashlib
import tarfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Annotated, BinaryIO, cast

import msgspec
from msgspec import Meta

from chaosprep.dataset.case import Case
from chaosprep.dataset.checking import check_path
from chaosprep.dataset.organs import MOST_ORGANS
from chaosprep.dataset.records import Count, File, Sha256, Size, Slice, Split, Value
from chaosprep.errors import BROKEN, RECOPY, FileError, ManifestError, UsageError, about
from chaosprep.exports.samples import file_fields, row_of
from chaosprep.facts import Name
from chaosprep.torch.checks import Check
from chaosprep.torch.folders import Folder, LocalFolder, fetching
from chaosprep.torch.sources import given
from chaosprep.words import there_are

Sample = tuple[Slice, dict[File, bytes]]
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)
_STEP = 2**20
_AT_ONCE = 2**16  # bytes: tarfile asks for 10 KiB each time, and copies what it holds


class Shard(msgspec.Struct, frozen=True):
    """A tar file as its index has it; `side` is whose index that is."""

    url: str
    nsamples: Size
    filesize: Size
    sha256: Sha256
    side: Split = "train"


class _Index(msgspec.Struct, frozen=True):
    labels: Annotated[dict[Name, Value], Meta(max_length=MOST_ORGANS)]
    shardlist: list[Shard]
    folds: tuple[Count, ...] = ()

    def __post_init__(self) -> None:
        if len({shard.url for shard in self.shardlist}) < len(self.shardlist):
            raise ValueError("a shard is listed twice")


class ShardSource:
    """The shards of a folder that `export webdataset` wrote: of a side, or of all that have folds.

    A shard is compared with its index, and its files with their hashes, once in each process that
    reads it to its end, or always; its files are always compared where they come from a URL.

    Raises:
        FileError: `index`, an index is none; UsageError: `split` or `fold`, there is none such.
    """

    noun = "shard"
    more = ", or export with a smaller --shard-mb"

    def __init__(self, folder: Folder, split: Split, fold: int | None, check: Check) -> None:
        splits: tuple[Split, ...] = (split,) if fold is None else ("train", "val")
        indexes = [index for one in splits if (index := _read_index(folder, one)) is not None]
        if not indexes:
            raise UsageError(
                f"{folder.shown}: it has no {split}.json, and is not a stage directory",
                "Give a folder that export webdataset wrote, or a side that it has.",
                code="split",
            )
        folds = sorted({str(one) for index in indexes for one in index.folds})
        if fold is not None and str(fold) not in folds:
            reason = f"{fold}: no such fold to validate on in {folder.shown}"
            raise UsageError(reason, there_are(folds), code="fold")
        organs = {organ: at for index in indexes for organ, at in index.labels.items()}
        self.labels = {organ: label for label, organ in enumerate(organs, start=1)}
        self.parts = [shard for index in indexes for shard in index.shardlist]
        self._folder = folder
        self._check = check
        self._checked: set[str] = set()

    def cases(self, part: Shard) -> Iterator[Case]:
        """The cases of a shard; see `Source`.

        Raises:
            FileError: `shard`, it is cut short, or not the one of the index; `sample`; `hash`.
        """
        is_due = self._check == "always" or part.url not in self._checked
        compared = is_due or not isinstance(self._folder, LocalFolder)
        count = 0
        with about(part.url), self._folder.open(part.url) as file:
            read = _Hashed(file, part.url, hashing=is_due)
            found = _samples(read, part, self.labels)
            for (id, patient), some in groupby(found, lambda one: _whose(one[0])):
                samples = list(some)
                count += len(samples)
                files = {file: data for _, held in samples for file, data in held.items()}
                rows = tuple(row for row, _ in samples)
                yield Case(given(files.__getitem__), id, patient, rows, check=compared)
            _check_whole(read, count, part)
        self._checked.add(part.url)


@dataclass
class _Hashed:
    """A file that is read on, and the hash of what was read."""

    file: BinaryIO
    name: str
    hashing: bool
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def read(self, size: int) -> bytes:
        with fetching(self.name):
            data = self.file.read(size)
        if self.hashing:
            self.digest.update(data)
        return data


def _read_index(folder: Folder, split: Split) -> _Index | None:
    """The index of a side, None where there is none."""
    name = f"{split}.json"
    try:
        index = msgspec.json.decode(folder.read(name), type=_Index)
        for shard in index.shardlist:
            check_path("url", shard.url)
    except FileError as error:
        if error.code == "file-missing":
            return None
        raise
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ManifestError) as error:
        raise FileError(
            f"{folder.shown}: {name} is not an index that export webdataset writes",
            "Export the dataset again.",
            code="index",
        ) from error
    shards = [msgspec.structs.replace(shard, side=split) for shard in index.shardlist]
    return msgspec.structs.replace(index, shardlist=shards)


def _samples(read: _Hashed, shard: Shard, known: Collection[str]) -> Iterator[Sample]:
    """The rows of a tar file, and the bytes of the files of each by their paths."""
    try:
        with tarfile.open(fileobj=cast(BinaryIO, read), mode="r|", bufsize=_AT_ONCE) as tar:
            members = _members(tar, shard)
            for key, some in groupby(members, lambda one: one[0].partition(".")[0]):
                held = {name.partition(".")[2]: data for name, data in some}
                with about(f"{shard.url}: {key}"):
                    row = row_of(held)
                    if not set(row.labels.values()) <= {*known}:
                        raise _strange("its labels are not those of the index")
                    if row.split != shard.side:
                        raise _strange("it is of another side than the index")
                image, mask = (held.get(field or "", b"") for field in file_fields(held))
                files = {row.image_file: image}
                if row.mask_file is not None:
                    files[row.mask_file] = mask
                yield row, files
    except (tarfile.TarError, *BROKEN) as error:
        raise _cut(shard) from error


def _members(tar: tarfile.TarFile, shard: Shard) -> Iterator[tuple[str, bytes]]:
    """The names and bytes of the members of a tar file; what is no plain file is refused."""
    for member in tar:
        is_plain = member.type in _PLAIN and 0 <= member.size <= shard.filesize
        data = tar.extractfile(member) if is_plain else None
        if data is None:
            raise _cut(shard)
        yield member.name, data.read()
        vars(tar)["members"].clear()  # it would keep each that was ever read


def _check_whole(read: _Hashed, count: int, shard: Shard) -> None:
    """Read a shard to its end, and compare it with its index."""
    while read.read(_STEP):
        pass
    same = not read.hashing or read.digest.hexdigest() == shard.sha256
    if not same or count != shard.nsamples:
        raise _cut(shard)


def _strange(reason: str) -> FileError:
    return FileError(reason, "Export the dataset again.", code="sample")


def _cut(shard: Shard) -> FileError:
    return FileError("it is cut short, or is not the shard that its index records", RECOPY, "shard")


def _whose(row: Slice) -> tuple[str, str]:
    return row.case, row.patient
