"""The way back: what a run made is sent, and what says that all is there goes last."""

from chaosprep.dataset.table import is_of_table
from chaosprep.errors import ChaosprepError, plural
from chaosprep.files import writing
from chaosprep.remote.copy import Copy
from chaosprep.remote.tree import COMMITS, files_below, unfinished


def send(copy: Copy) -> None:
    """Make the store hold what the copy holds, except what no run has finished.

    An earlier commit is taken back first: descriptors and records that change. Then go images,
    masks and whatever else, then tables, then the new commit; then what is left of before is
    removed. What is there already is not sent again.

    Raises:
        ChaosprepError: `remote-changed`, somebody else wrote there; what `ObjectStore` raises.
    """
    with writing(copy.path):
        begun = unfinished(copy.path)
        files = {name: path for name, path in files_below(copy.path) if not name.startswith(begun)}
        seen = copy.record.seen
        changed = [n for n, path in files.items() if not (n in seen and seen[n].is_file(path))]
        sent = {*seen, *copy.record.begun}
        gone = sorted(name for name in sent - files.keys() if not name.startswith(begun))
        if not changed and not gone:
            return
        size = sum(files[name].stat().st_size for name in changed) / 1e6
        copy.tell(f"{copy.place.shown}: sends {plural(len(changed), 'file')} ({size:.1f} MB)")
        for name in (*changed, *gone):
            if _rank(name) == _COMMIT and name in sent:
                copy.record.begin(name)
                copy.store.remove(name)
        for rank in range(_COMMIT):
            _put(copy, [name for name in changed if _rank(name) == rank])
        _check(copy, {*gone} | {name for name in changed if _rank(name) == _COMMIT})
        for name in changed:
            if _rank(name) == _COMMIT:
                _put(copy, [name])
        copy.each(lambda name: _remove(copy, name), gone)
        _check(copy, set())
        copy.record.tidy()


_COMMIT = 2


def _rank(name: str) -> int:
    """What is sent first, then, and last."""
    last = name.rpartition("/")[2]
    return _COMMIT if last in COMMITS else int(is_of_table(last))


def _put(copy: Copy, names: list[str]) -> None:
    def put(name: str) -> None:
        copy.record.begin(name)
        copy.record.tell(name, copy.store.send(copy.at(name), name), copy.at(name))

    copy.each(put, names)


def _remove(copy: Copy, name: str) -> None:
    copy.record.begin(name)
    copy.store.remove(name)
    copy.record.forget(name)


def _check(copy: Copy, without: set[str]) -> None:
    """Refuse to go on where the store holds anything else than what was sent.

    `without` are names that are still on their way, or out.
    """
    found = copy.store.listing()
    seen = copy.record.seen
    for name in sorted((found.keys() | seen.keys()) - without):
        there = found.get(name)
        if there is None or name not in seen or not seen[name].is_same(there):
            raise ChaosprepError(
                f"{copy.place.shown}: {name or 'it'} came, went or changed while it was written",
                "Make sure that nothing else writes there, and run the same command again.",
                code="remote-changed",
            )
