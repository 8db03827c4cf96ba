"""Masks find their images: by the UIDs that they refer to, or by where they lie."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

import msgspec

from chaosprep.errors import ChaosprepError, FileError, Problem, plural
from chaosprep.facts import Legend
from chaosprep.files import read_regular, sha256
from chaosprep.formats.legend import legend_in
from chaosprep.formats.masks import mask_format
from chaosprep.layouts.folder_cases import NOWHERE, problem_at
from chaosprep.layouts.headers.catalog import Catalog, Volume
from chaosprep.layouts.headers.choosing import Chosen
from chaosprep.layouts.headers.finding import Finding
from chaosprep.layouts.headers.mask_files import list_masks
from chaosprep.layouts.layout import Where
from chaosprep.layouts.patterns import stem
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.source import SourceCase
from chaosprep.structures import folded
from chaosprep.terms import code_of

_log = logging.getLogger(__name__)


class Masks(Mapping[Volume, tuple[str, ...]]):
    """The masks of volumes, by path below the root; volumes without any are not there.

    ``notes`` are to be said of the root; ``seen`` are the paths of all files that may be masks, and
    ``judged`` says of those whose values were looked at whether these are labels.

    Args:
        found: the masks of each volume.
        chosen: what is taken.
        organs: the structures of masks that are files of one each.
        doubtful: those whose patient is not known, and that a mask may belong to.
        outside: the folder of the masks, relative to the root, where it is not below it.
        legend_of: what a file beside a mask says of its values (`_Legends`).
        channels: whether a volume without masks is taken beside one of its person that has masks
            and was chosen as something else.
    """

    def __init__(
        self,
        found: Mapping[Volume, tuple[str, ...]],
        chosen: Sequence[Chosen],
        organs: Mapping[str, str],
        doubtful: frozenset[Volume],
        outside: str,
        legend_of: Callable[[str], Legend | None],
        channels: bool,
    ) -> None:
        self._found = found
        self._doubtful = doubtful
        self._outside = outside
        self._legend_of = legend_of
        self._organs = organs
        masked = found.keys() | doubtful
        kinds: dict[str, set[str]] = defaultdict(set)
        for one in chosen:
            if channels and one.volume in masked:
                kinds[one.volume.person].add(_kind(one))
        bare = [one for one in chosen if masked and one.volume not in masked]
        self._left = {one.volume for one in bare if not kinds[one.volume.person] - {_kind(one)}}
        self.seen: frozenset[str] = frozenset()
        self.judged: dict[str, bool] = {}
        self.notes: tuple[str, ...] = ()
        if self._left:
            kept = "; name them in --series to keep them as channels next to one that has one"
            said = f"{len(self._left)} of {len(chosen)} series have no mask and are left out"
            self.notes = (said if channels else said + kept,)

    def __getitem__(self, volume: Volume) -> tuple[str, ...]:
        return self._found[volume]

    def __iter__(self) -> Iterator[Volume]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def takes(self, volume: Volume) -> bool:
        """Whether a volume is taken: not where it has no mask, and others have."""
        return volume not in self._left

    def onto(self, case: SourceCase, volume: Volume, key: Key) -> SourceCase:
        """The case of a volume with its masks; refused where one more may be its own."""
        paths = self._found.get(volume)
        refused = case.refused or volume in self._doubtful
        if paths is None:
            return msgspec.structs.replace(case, refused=refused)
        organs = {path: self._organs[path] for path in paths if path in self._organs}
        plain = [path for path in paths if path not in organs and not _names_itself(path)]
        legend = self._legend_of(plain[0]) if plain else {}
        return msgspec.structs.replace(
            case,
            masks=paths,
            masks_root=self._outside,
            rule="volume",
            aliases={**case.aliases, **{path: key.path(path) for path in paths}},
            organs=organs,
            legend=legend or {},
            is_legend_lost=legend is None,
            refused=refused,
        )


def find_masks(
    root: Path,
    catalog: Catalog,
    chosen: Sequence[Chosen],
    where: Where,
    judged: Mapping[str, bool] = {},
) -> tuple[Masks, list[Problem]]:
    """The masks of each volume that is taken, below the root or in the folder of masks.

    A SEG or structure set belongs to the volumes of the images that it refers to, a volume of
    labels to the one on whose grid it lies, voxel on pixel; where several do, its path must tell
    which. Whose a mask is, is never guessed: it is a problem then.

    Raises:
        UsageError: the folder of masks will not do.
        ChaosprepError: a folder cannot be listed.
    """
    files = list_masks(root, catalog, where)
    volumes = [one.volume for one in chosen]
    known = dict(judged)
    finding = Finding(root, catalog.volumes, frozenset(volumes), files.said, known)
    for entry in files.objects:
        finding.add_object(entry)
    for path in files.volumes:
        finding.add_volume(path)
    found = {volume: _once(root, paths) for volume, paths in finding.found.items()}
    errors, doubtful = finding.errors, set(finding.doubtful)
    organs = _organs(found)
    for volume, paths in found.items():
        plain = [path for path in paths if not _names_itself(path)]
        if len(plain) > 1 and not organs.keys() >= {*paths}:
            errors.append((plain[0], _several(len(plain))))
            doubtful.add(volume)
    masks = Masks(
        found,
        chosen,
        organs,
        frozenset(doubtful),
        files.outside,
        _Legends(root),
        channels=where.series is not None,
    )
    masks.judged = known
    masks.seen = frozenset((*(entry.path for entry in files.objects), *files.volumes))
    if finding.pictures:
        what = plural(finding.pictures, "volume")
        verb = "holds" if finding.pictures == 1 else "hold"
        masks.notes = (
            *masks.notes,
            f"{what} next to the DICOM files {verb} grey values, not labels",
        )
    if where.strict:  # nobody is looking at the notes of the root
        for note in masks.notes:
            _log.warning("%s.", note)
    return masks, [_problem(path, error, where.key) for path, error in errors]


def _problem(path: str, error: FileError, key: Key | None) -> Problem:
    """A problem of a file whose path may tell who somebody is."""
    return problem_at(NOWHERE, path, error, key) if key else Problem.of(error, NOWHERE)


def _kind(one: Chosen) -> str:
    """What a volume was chosen as: all that fit one table of --series are of one kind."""
    return one.every or one.sequence


def _names_itself(path: str) -> bool:
    """Whether a file is of a kind that can say what its values stand for."""
    return mask_format(path).legend is not None or mask_format(path).lies is None


def _once(root: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """The paths without those of files that hold the same as one before."""
    if len(paths) < 2:
        return (*paths,)
    first: dict[str, str] = {}
    for path in paths:
        content = path
        with suppress(FileError):  # whoever reads it says why
            content = sha256(read_regular(root / path))
        first.setdefault(content, path)
    return (*first.values(),)


def _organs(found: Mapping[Volume, Sequence[str]]) -> dict[str, str]:
    """The structures of masks that are files of one each: where all of a volume are called so.

    Where one volume has several of them, so is a file that another one has alone.
    """
    plain = [paths for paths in found.values() if not any(map(_names_itself, paths))]
    if not any(len(paths) > 1 for paths in plain):
        return {}
    organs: dict[str, str] = {}
    for paths in plain:
        names = {path: stem(PurePosixPath(path).name) for path in paths}
        differ = len({*map(folded, names.values())}) == len(names)
        if differ and all(map(code_of, names.values())):
            organs |= names
    return organs


class _Legends:
    """What a file beside a mask, or in the folder around it, says of its values, read once.

    None where there is one that cannot be understood.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[tuple[PurePosixPath, ...], Legend | None] = {}

    def __call__(self, path: str) -> Legend | None:
        places = tuple(PurePosixPath(path).parents[:2])
        if places not in self._known:
            self._known[places] = None
            with suppress(ChaosprepError):  # it may be another kind of file
                self._known[places] = legend_in(*(self._root / place for place in places)) or {}
        return self._known[places]


def _several(count: int) -> FileError:
    return FileError(
        f"{count} masks belong to one series, and neither their contents nor their names say what "
        "each shows",
        "Name the files after the structures that they show (liver.nii.gz, spleen.nii.gz), or "
        "leave all but one out: --masks DIR takes only those of a folder.",
        code="mask-several",
    )
