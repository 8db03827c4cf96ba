"""Opening a stage directory: nothing in it is believed before it is checked."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from chaosprep.dataset.decoding import decode_descriptor, release_of
from chaosprep.dataset.descriptor import (
    MANIFEST_MINOR,
    Descriptor,
    ShardDescriptor,
)
from chaosprep.dataset.manifest import DESCRIPTOR, SHARD, TABLE, WORKSPACE, Dataset, Lines
from chaosprep.dataset.migrations import newer, strange_field
from chaosprep.dataset.records import Slice, decode_row
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


def _opened(directory: Path, name: str, descriptor: Descriptor, descriptor_sha256: str) -> Dataset:
    table = next((r for r in descriptor.resources if r.path == TABLE), None)
    if table is None:
        raise ManifestError(f"{directory / name}: it names no {TABLE}", REMAKE, code="manifest")
    digest = hashlib.sha256()
    lines = _lines(directory / TABLE, digest)
    try:
        places = list(_index(lines, directory / TABLE))
    except ManifestError as error:
        if descriptor.tool.manifest_minor <= MANIFEST_MINOR or error.code != "manifest-row":
            raise
        for _ in lines:
            pass  # to the end, for the hash
        if f"sha256:{digest.hexdigest()}" != table.hash:
            raise
        unknown = [strange_field("column", error.reason)]
        raise newer(directory / name, release_of(descriptor), unknown) from error
    if f"sha256:{digest.hexdigest()}" != table.hash:
        raise ManifestError(
            f"{directory / TABLE}: the table is not the one that {name} records",
            REMAKE,
            code="manifest-hash",
        )
    return Dataset(directory, descriptor, descriptor_sha256, places)


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
            "Run the command that makes it again; it goes on where it stopped.",
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


def _lines(path: Path, digest: "hashlib._Hash") -> Iterator[bytes]:
    try:
        with open_regular(path) as file:
            for line in file:
                digest.update(line)
                yield line
    except FileError as error:
        raise ManifestError(f"{path}: {error.reason}", error.remedy, error.code) from error
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}", "Make it readable.", "manifest") from error


def _index(lines: Iterator[bytes], path: Path) -> Iterator[Lines]:
    """Group the lines into cases, checking each row and their order on the way."""
    start = stop = 0
    last: Slice | None = None
    ended: set[str] = set()
    for number, line in enumerate(lines, 1):
        try:
            row = decode_row(line)
            _check_order(last, row, ended)
        except ManifestError as error:
            raise ManifestError(
                f"{path} line {number}: {error.reason}", error.remedy, error.code
            ) from error
        if last is not None and last.case != row.case:
            yield Lines(last.case, last.patient, start, stop)
            ended.add(last.case)
            start = stop
        last, stop = row, stop + len(line)
    if last is not None:
        yield Lines(last.case, last.patient, start, stop)


def _check_order(last: Slice | None, row: Slice, ended: set[str]) -> None:
    if last is not None and row.id == last.id:
        raise ManifestError(f"id: {row.id!r} stands twice", REMAKE, "manifest-row")
    if last is not None and row.id < last.id:
        raise ManifestError(f"id: {row.id!r} is out of order", REMAKE, "manifest-row")
    if row.case in ended:
        raise ManifestError(f"case: {row.case!r} goes on after another", REMAKE, "manifest-row")
