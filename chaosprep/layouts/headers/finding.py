"""The search for the volumes that masks belong to, and what stands in its way."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from chaosprep.errors import FileError, plural
from chaosprep.files import read_regular
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.layouts.headers.catalog import Volume, by_person
from chaosprep.layouts.headers.grids import Grids
from chaosprep.layouts.headers.head import Entry
from chaosprep.layouts.headers.mask_files import is_label_map, read_place
from chaosprep.layouts.headers.paths import Paths
from chaosprep.layouts.headers.references import References, fitting
from chaosprep.layouts.headers.refers import read_refers

_HOW = (
    "Put it into its series' folder, give it that folder's name, or take one series with --select."
)


class Finding:
    """Finds the volumes of masks.

    ``found`` are the masks of each volume that is taken; ``errors`` are of masks of which nothing
    tells whose they are, and ``doubtful`` the volumes that they may belong to. ``pictures`` counts
    the files that hold grey values.

    Args:
        root: the root of the files.
        volumes: all that there are.
        taken: those that are taken.
        said: whether a person said that the files are masks; else their values must be labels.
        judged: path -> whether its values are labels, of the files that were looked at; others are
            added.
    """

    def __init__(
        self,
        root: Path,
        volumes: Sequence[Volume],
        taken: frozenset[Volume],
        said: bool,
        judged: dict[str, bool],
    ) -> None:
        self.found: dict[Volume, list[str]] = defaultdict(list)
        self.errors: list[tuple[str, FileError]] = []
        self.doubtful: set[Volume] = set()
        self.pictures = 0
        self._root = root
        self._taken = taken
        self._said = said
        self._judged = judged
        self._volumes = volumes
        self._references: References | None = None
        self._grids: Grids | None = None
        self._paths = Paths(volumes)

    def add_object(self, entry: Entry) -> None:
        """Find the volumes of a SEG or structure set."""
        self._references = self._references or References(self._volumes)
        try:
            refers = entry.refers or read_refers(read_regular(self._root / entry.path))
            referred = self._references.find(refers)
            volumes = referred.volumes
            if not volumes:
                raise _unknown(bool(refers.instances or refers.series or refers.frame_of_reference))
            if len(volumes) > 1:
                data = read_regular(self._root / entry.path)
                volumes = fitting(volumes, data) or volumes
        except FileError as error:
            self.errors.append((entry.path, error))
            return
        if referred.certain:
            for volume in self._taken.intersection(volumes):
                self.found[volume].append(entry.path)
        else:
            self._add(entry.path, by_person(volumes))

    def add_volume(self, path: str) -> None:
        """Find the volume on whose grid the voxels of a file lie."""
        self._grids = self._grids or Grids(self._volumes)
        try:
            lies = read_place(self._root, path)
            grids = self._grids.fitting(lies)
            if not self._is_mask(path):
                self.pictures += 1
                return
            if not grids:
                near = self._grids.of_other_length(lies.lattice)
                raise _nowhere() if near is None else _other_length(lies.lattice, near.lattice)
        except FileError as error:
            self._fail(path, error)
            return
        among = grids[0].by_person
        for grid in grids[1:]:
            among = _together(among, grid.by_person)
        named = self._paths.persons(path)
        if named and not named & among.keys():
            self._doubt(path, _another(), among)
        else:
            self._add(path, among)

    def _is_mask(self, path: str) -> bool:
        if not self._said and path not in self._judged:
            self._judged[path] = is_label_map(self._root, path)
        return self._said or self._judged[path]

    def _fail(self, path: str, error: FileError) -> None:
        """Tell what is wrong with a volume, unless it is a picture."""
        try:
            if error.code == "mask-unreadable" or self._is_mask(path):
                self.errors.append((path, error))
            else:
                self.pictures += 1
        except FileError:
            self.errors.append((path, error))

    def _add(self, path: str, among: Mapping[str, Sequence[Volume]]) -> None:
        """Give a mask to the one volume of the one person that its path names among some."""
        person = self._paths.person(path, among)
        if person is None:
            count = sum(map(len, among.values()))
            self._doubt(path, _open(count, len(among)), among)
            return
        named = self._paths.volume(path, among[person])
        here = [volume for volume in among[person] if volume in self._taken]
        if named is not None:
            here = [named] if named in self._taken else []
        if len(here) > 1:
            self._doubt(path, _open(len(here), 1), {person: here})
        elif here:
            self.found[here[0]].append(path)

    def _doubt(self, path: str, error: FileError, among: Mapping[str, Sequence[Volume]]) -> None:
        """Refuse a mask that may be of several volumes, where any of them is taken."""
        taken = self._taken.intersection(volume for some in among.values() for volume in some)
        if taken:
            self.errors.append((path, error))
            self.doubtful |= taken


def _together(
    one: Mapping[str, list[Volume]], other: Mapping[str, list[Volume]]
) -> dict[str, list[Volume]]:
    persons = one.keys() | other.keys()
    return {person: [*one.get(person, ()), *other.get(person, ())] for person in persons}


def _unknown(refers: bool) -> FileError:
    if not refers:
        return FileError(
            "it does not say what it was drawn on: it refers to no image, series or frame of "
            "reference",
            "Export it again with its references, or remove it.",
            code="mask-reference",
        )
    return FileError(
        "it refers to images that are not below ROOT",
        "Bring them back, or remove the mask.",
        code="mask-surplus",
    )


def _nowhere() -> FileError:
    return FileError(
        "no series has its grid: voxels and pixels must lie on each other",
        "Find the series that it was drawn on, or remove it; resampling would blur it.",
        code="mask-grid",
    )


def _other_length(mask: Lattice, series: Lattice) -> FileError:
    rows, cols, slices = series.shape
    count = math.prod(mask.shape) // (rows * cols)
    return FileError(
        f"it has {plural(count, 'slice')}, and the series on whose grid it lies has {slices}",
        "Bring back the images that are missing, or cut the mask to those that there are.",
        code="mask-grid",
    )


def _open(count: int, persons: int) -> FileError:
    whose = f"{count} series of {plural(persons, 'patient')}"
    return FileError(
        f"it lies on {whose}, and its path does not tell which one is meant",
        _HOW
        if persons == 1
        else "Put it into its patient's folder, or give it that folder's name.",
        code="mask-ambiguous",
    )


def _another() -> FileError:
    return FileError(
        "it lies on a series of one patient, but its path names another",
        "Find out which patient it belongs to, and put it into that patient's folder.",
        code="mask-patient",
    )
