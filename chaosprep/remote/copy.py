"""The working copy of a location: brought up to date before work, and held while it lasts."""

import os
import uuid
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from chaosprep.errors import ManifestError, NothingFoundError, plural
from chaosprep.files import writing
from chaosprep.remote.holding import Hold
from chaosprep.remote.names import check_object_names
from chaosprep.remote.record import Record
from chaosprep.remote.tree import files_below, prune
from chaosprep.running.interrupts import interrupts_held, wait_for_one
from chaosprep.running.standing_folder import RECORD
from chaosprep.systems.replacing import remove_tree, replace, unlink
from chaosprep.urls.location import Location
from chaosprep.urls.objects import Object, ObjectStore

AT_ONCE = 8
"""Transfers at the same time."""
UNSENT = "unsent"
"""The code of the one error that is about the copy, and not what it stands for."""
Tell = Callable[[str], None]


class Copy:
    """A folder or file on this machine that stands for one elsewhere.

    What this machine's disk refuses is an `OutputError` of the copy; the store's faults are those
    of `ObjectStore`.
    """

    def __init__(self, place: Location, tell: Tell) -> None:
        self.place, self.tell = place, tell
        self.store = ObjectStore(place)
        self.path = place.shelf / place.name
        self.kept = place.shelf / f".{sha256(os.fsencode(place.name)).hexdigest()[:16]}.remote"
        with writing(self.path):
            place.shelf.mkdir(0o700, parents=True, exist_ok=True)  # of patients
            self.kept.mkdir(exist_ok=True)
            self._hold = Hold(self.kept / "lock", place.shown)
        self.record = Record(self.kept / "objects.jsonl")

    def read(self) -> Path:
        """Make the copy what the store holds; others may read it, too, and nobody writes it.

        Raises:
            NothingFoundError: `remote-empty`; ManifestError: `unsent`; ChaosprepError:
            `remote-name`.
        """
        with writing(self.path):
            self._hold.share(self.tell)
            self.record = Record(self.kept / "objects.jsonl")
            if self._differing(self._listed()):
                self._hold.take(self.tell)
                self.record = Record(self.kept / "objects.jsonl")
                self.record.tidy()
                found = self._listed()
                self._drop(self.record.seen.keys() - found)
                self._bring({name: found[name] for name in self._differing(found)})
                self._hold.share(self.tell)
        return self.path

    def hold(self) -> None:
        """Let nobody else here read or write it.

        Raises:
            ChaosprepError: `locked`.
        """
        self._hold.take()

    def write(self) -> Path:
        """Bring what others changed in the store; what is ahead here stays. It must be held.

        Raises:
            ChaosprepError: `remote-name`.
        """
        with writing(self.path):
            self.record = Record(self.kept / "objects.jsonl")
            if not self.path.exists():  # somebody made room
                self.record.clear()
            self.record.tidy()
            found = self.store.listing()
            check_object_names(found, self.place.shown)
            self._drop(self.record.seen.keys() - found)
            for left in [*self.path.glob(RECORD), *self.path.glob(f"*/{RECORD}")]:
                if left.relative_to(self.path).as_posix() not in found:
                    remove_tree(left.parent)  # an export that was not sent whole is made again
            self._bring({name: one for name, one in found.items() if self._is_news(name, one)})
        return self.path

    def leave(self) -> None:
        """Let others have it."""
        self._hold.leave()

    def at(self, name: str) -> Path:
        """The file of an object."""
        return self.path / name if name else self.path

    def each(self, work: Callable[[str], None], names: Iterable[str]) -> None:
        """Do some work for each name, several at once; the first error ends it."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                with interrupts_held():
                    tasks = [pool.submit(work, name) for name in names]
                for task in tasks:
                    wait_for_one([task])
                    task.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _listed(self) -> dict[str, Object]:
        shown, found = self.place.shown, self.store.listing()
        if not found:
            raise NothingFoundError(
                f"{shown}: nothing is there", "Check how it is spelled.", "remote-empty"
            )
        check_object_names(found, shown)
        for name, path in files_below(self.path):
            seen, begun = self.record.seen.get(name), self.record.begun.get(name)
            if not (begun.comes if begun else seen is not None and seen.is_file(path)):
                raise ManifestError(
                    f"{shown}: {self.path} is its copy here, and holds files that were never sent",
                    "It is sent once the command that writes there ends well; if you do not want "
                    "it, remove that folder here.",
                    code=UNSENT,
                )
        return found

    def _differing(self, found: dict[str, Object]) -> list[str]:
        """What a reader needs: new and changed objects, and those whose files are gone."""
        if gone := self.record.seen.keys() - found:
            return sorted({*found} | gone)
        seen = self.record.seen
        return [
            name
            for name, one in found.items()
            if not (one.version and name in seen and seen[name].is_same(one))
            or not seen[name].is_file(self.at(name))
        ]

    def _is_news(self, name: str, found: Object) -> bool:
        """Whether an object is another than the one that was last seen or sent from here."""
        if (begun := self.record.begun.get(name)) is not None:
            return begun.comes or not self.at(name).exists()
        seen = self.record.seen.get(name)
        return seen is None or not seen.is_same(found)

    def _bring(self, found: dict[str, Object]) -> None:
        def bring(name: str) -> None:
            part, path = self.kept / f"{uuid.uuid4().hex}.part", self.at(name)
            self.store.fetch(name, part, found[name].size)
            path.parent.mkdir(parents=True, exist_ok=True)
            self.record.begin(name, comes=True)
            replace(part, path)
            self.record.tell(name, found[name], path)

        for left in self.kept.glob("*.part"):  # by killed transfers
            unlink(left)
        if found:
            size = sum(one.size or 0 for one in found.values()) / 1e6
            self.tell(f"{self.place.shown}: fetches {plural(len(found), 'file')} ({size:.1f} MB)")
            self.each(bring, found)

    def _drop(self, names: Collection[str]) -> None:
        """Remove files whose objects are gone, unless they were changed since."""
        for name in sorted(names):
            is_same = self.record.seen[name].is_file(self.at(name))
            self.record.begin(name)
            if is_same:
                unlink(self.at(name))
                self.record.forget(name)
        if names:
            prune(self.path)
