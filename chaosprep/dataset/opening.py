"""Opening a stage directory: nothing in it is believed before it is checked."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from chaosprep.dataset.decoding import decode_descriptor, release_of
from chaosprep.dataset.descriptor import (
    MANIFEST_MINOR,
    Descriptor,
    Resource,
    ShardDescriptor,
    TableFile,
)
from chaosprep.dataset.indexing import Indexing
from chaosprep.dataset.manifest import DESCRIPTOR, SHARD, WORKSPACE, Dataset
from chaosprep.dataset.migrations import newer, strange_field
from chaosprep.dataset.table import TABLE, Table, table_names
from chaosprep.errors import REMAKE, FileError, ManifestError
from chaosprep.files import open_regular, read_regular, sha256


def open_dataset(directory: str | Path) -> Dataset:
    """Open a finished stage directory and check its table against its descriptor.

    Raises:
        ManifestError: it is unfinished, damaged, or holds something that a table may not.
    """
    directory = Path(directory)
    path = directory / DESCRIPTOR
    try:
        data = read_regular(path)
    except FileError as error:
        if (directory / SHARD).exists():
            raise _partial(directory) from error
        _check_begun(directory, "stage", DESCRIPTOR, error)
        raise ManifestError(
            f"{directory}: not a stage directory ({DESCRIPTOR}: {error.reason})",
            _where_stages_are(directory),
            code="unfinished",
        ) from error
    return _opened(directory, DESCRIPTOR, decode_descriptor(path, data, Descriptor), sha256(data))


def open_shard(directory: str | Path) -> Dataset:
    """Open a finished part of a stage, as `open_dataset` does a whole one.

    Raises:
        ManifestError: `not-a-shard`, or what `open_dataset` raises.
    """
    directory = Path(directory)
    return _opened(directory, SHARD, *read_shard(directory))


def open_output(directory: Path) -> Dataset:
    """Open what a run has finished: a stage directory, or a part of one."""
    return (open_shard if (directory / SHARD).exists() else open_dataset)(directory)


def is_finished(directory: Path) -> bool:
    """Whether a stage directory, or a part of one, has been committed here."""
    return any((directory / name).exists() for name in (DESCRIPTOR, SHARD))


def commit_of(directory: Path) -> tuple[int, ...] | None:
    """What tells the commit that stands here from one before or after it; None without any."""
    for name in (DESCRIPTOR, SHARD):
        with suppress(OSError):
            found = (directory / name).stat()
            return found.st_dev, found.st_ino, found.st_ctime_ns
    return None


def _opened(directory: Path, name: str, descriptor: Descriptor, descriptor_sha256: str) -> Dataset:
    resource = table_of(directory / name, descriptor)
    files, indexing = resource.table_files(), Indexing()
    whole = [hashlib.sha256()] if resource.files else []
    for file in files:
        _read(directory, name, descriptor, file, indexing, *whole)
    if any(f"sha256:{digest.hexdigest()}" != resource.hash for digest in whole):
        reason = f"{directory / name}: the hash of the table is not that of its files together"
        raise ManifestError(reason, REMAKE, code="manifest-hash")
    table = Table(directory, tuple(file.path for file in files), tuple(indexing.ends))
    return Dataset(directory, descriptor, descriptor_sha256, table, indexing.places)


def table_of(path: Path, descriptor: Descriptor) -> Resource:
    """The resource of a descriptor, which is at this path, that is its table.

    Raises:
        ManifestError: `manifest`, there is none.
    """
    for resource in descriptor.resources:
        if _is_table(resource):
            return resource
    reason = f"{path}: it names no {TABLE}, nor its files in their order"
    raise ManifestError(reason, REMAKE, code="manifest")


def _is_table(resource: Resource) -> bool:
    """Whether a resource is the table: by its path, so that nothing else is ever opened for it."""
    if not resource.files:
        return resource.path == TABLE
    names = table_names(len(resource.files))
    return resource.path == names and names == tuple(file.path for file in resource.files)


def _read(
    directory: Path,
    name: str,
    descriptor: Descriptor,
    file: TableFile,
    indexing: Indexing,
    *more: "hashlib._Hash",
) -> None:
    """Check the rows of a file, and the file against its hash; more hashes are told of it too."""
    path, digest = directory / file.path, hashlib.sha256()
    lines = _lines(path, digest, *more)
    try:
        indexing.read(lines, path)
    except ManifestError as error:
        if descriptor.tool.manifest_minor <= MANIFEST_MINOR or error.code != "manifest-row":
            raise
        for _ in lines:
            pass  # to the end, for the hash
        if f"sha256:{digest.hexdigest()}" != file.hash:
            raise
        unknown = [strange_field("column", error.reason)]
        raise newer(directory / name, release_of(descriptor), unknown) from error
    if f"sha256:{digest.hexdigest()}" != file.hash:
        raise ManifestError(
            f"{path}: the table is not the one that {name} records", REMAKE, code="manifest-hash"
        )


def open_parent(directory: Path, params: object, bench: object = None) -> Dataset:
    """The `open` of every stage that works on a stage directory."""
    return open_dataset(directory)


def read_shard(directory: Path) -> tuple[ShardDescriptor, str]:
    """The descriptor of a part of a stage and its SHA-256.

    Raises:
        ManifestError: there is none, or it is not one of ours.
    """
    path = directory / SHARD
    try:
        data = read_regular(path)
    except FileError as error:
        _check_begun(directory, "shard", SHARD, error)
        raise ManifestError(
            f"{directory}: not a shard ({SHARD}: {error.reason})",
            "Give the directories that a stage made with --shard.",
            code="not-a-shard",
        ) from error
    return decode_descriptor(path, data, ShardDescriptor), sha256(data)


def _check_begun(directory: Path, what: str, name: str, error: FileError) -> None:
    """Refuse what a run has begun and not finished."""
    if (directory / WORKSPACE).exists():
        raise ManifestError(
            f"{directory}: an unfinished {what} ({name}: {error.reason})",
            "Run the command that makes it again; it continues where it stopped.",
            code="unfinished",
        ) from error


def _partial(directory: Path) -> ManifestError:
    shard = read_shard(directory)[0].shard
    return ManifestError(
        f"{directory}: shard {shard.index} of {shard.count}, not a whole stage",
        "Merge the shards first: chaosprep merge SHARD... -o DIR.",
        code="shard",
    )


def _where_stages_are(directory: Path) -> str:
    inside = sorted(path.parent for path in directory.glob(f"*/{DESCRIPTOR}"))
    if inside:
        return f"Its stages are: {', '.join(map(str, inside))}."
    return "Give the output directory of split, extract-liver, extract-labels, convert or augment."


def is_stage_directory(directory: Path) -> bool:
    """Whether a directory has a descriptor of ours, whole or damaged, be it of a part."""
    return any(is_descriptor(directory / name) for name in (DESCRIPTOR, SHARD))


def is_descriptor(path: Path) -> bool:
    """Whether a file is a descriptor of ours, whole or damaged."""
    try:
        return b'"chaosprep"' in read_regular(path)
    except FileError:
        return False


def _lines(path: Path, *digests: "hashlib._Hash") -> Iterator[bytes]:
    try:
        with open_regular(path) as file:
            for line in file:
                for digest in digests:
                    digest.update(line)
                yield line
    except FileError as error:
        raise ManifestError(f"{path}: {error.reason}", error.remedy, error.code) from error
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}", "Make it readable.", "manifest") from error
