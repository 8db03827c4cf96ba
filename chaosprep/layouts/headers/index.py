"""The headers of all files below a root, read once: in batches, by several processes."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from chaosprep.errors import ChaosprepError
from chaosprep.layouts.headers.batches import Pool, pack
from chaosprep.layouts.headers.cache import Cache
from chaosprep.layouts.headers.head import Entry
from chaosprep.layouts.headers.listing import list_below
from chaosprep.layouts.headers.reading import read_entry
from chaosprep.layouts.root import listing
from chaosprep.workbench import Workbench

_BATCH = 128  # files
_FEW = 4  # batches that are read before other processes would have begun


def read_index(
    root: Path, bench: Workbench, say: Callable[[str], None] = lambda text: None
) -> tuple[Entry, ...]:
    """An entry for each file below a root, by path; and for each thing that is none.

    What an earlier run with the same bench read is not read again, unless its file has another
    size, mtime or ctime. ``say`` is told what a user should know of what is kept.

    Raises:
        ChaosprepError: the root cannot be listed, or the processes cannot be started.
    """
    with listing():
        files, found = list_below(root)
    pool = Pool()
    with Cache(root, bench) as cache:
        sought = {file.path: file[1:] for file in files}
        records, known = 0, dict[str, Entry]()
        for entry in cache.load(pool):
            records += 1
            if sought.get(entry.path) == (entry.size, entry.mtime, entry.changed):
                known[entry.path] = entry
        if records > 2 * len(known):
            cache.begin_anew([*known.values()], _BATCH)
        for batch in _read(root, [path for path in sought if path not in known], bench):
            cache.append(batch)
            found += pool.unpack(batch)
        for text in cache.said:
            say(text)
    found += known.values()
    return tuple(sorted(found, key=lambda entry: entry.path))


def _read(root: Path, paths: Sequence[str], bench: Workbench) -> Iterator[bytes]:
    """Read files, in whatever order; one that no process survives is an entry too."""
    read = partial(read_batch, root)
    jobs = bench.jobs if len(paths) > _FEW * _BATCH else 1
    batches = [tuple(paths[at : at + _BATCH]) for at in range(0, len(paths), _BATCH)]
    again = list[tuple[str, ...]]()
    for batch, result in bench.work(read, batches, jobs):
        if not isinstance(result, ChaosprepError):
            yield result
        else:
            again += [(path,) for path in _survived(batch, result)]
    for alone, result in bench.work(read, again, jobs):
        if not isinstance(result, ChaosprepError):
            yield result
        else:
            yield pack(
                [Entry(path, 0, 0, "unreadable", result.code) for path in _survived(alone, result)]
            )


def _survived(batch: tuple[str, ...], error: ChaosprepError) -> tuple[str, ...]:
    """The files of a batch whose process died; any other error is raised."""
    if error.code != "worker-died":
        raise error
    return batch


def read_batch(root: Path, paths: Sequence[str]) -> bytes:
    """Read some files below a root; gives what `pack` does."""
    return pack([read_entry(root, path) for path in paths])
