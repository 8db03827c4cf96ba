"""Which file a keyed hash stands for, for those who have the files and the key."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from chaosprep.errors import UsageError
from chaosprep.files import real
from chaosprep.layouts.find import LayoutParams, survey
from chaosprep.privacy.pseudonyms import Key, read_key


def files_of(root: Path, hashes: Collection[str], params: LayoutParams) -> dict[str, str]:
    """Hash -> the path below a root, or the folder, that it stands for in tables and messages.

    Without a key it is that of an `inspect` that was given none.

    Raises:
        UsageError: `hash-unknown`, it stands for no file here; the key or the root will not do.
        ChaosprepError: as `survey` does.
    """
    key = _key(root, params)
    wanted = {one: one.partition(".")[0] for one in hashes}
    found: dict[str, str] = {}
    if key is not None:
        for path in _below(root, params):
            # what some layouts take for the root is a folder below it
            for start in (path, *_ends(path)):
                found.setdefault(key.path(start).partition(".")[0], path)
    for one, digits in wanted.items():
        if digits not in found:
            raise UsageError(
                f"--file: {one}: it stands for no file of {root}",
                "Give the ROOT of that run and its key: --pseudonymize KEYFILE (chaosprep.key "
                "next to its output if no other was given).",
                code="hash-unknown",
            )
    return {one: found[digits] for one, digits in wanted.items()}


def _key(root: Path, params: LayoutParams) -> Key | None:
    if params.pseudonymize is not None:
        return read_key(params.pseudonymize)
    seen = survey(root, params)
    return None if seen is None else seen.where.key


def _below(root: Path, params: LayoutParams) -> Iterator[str]:
    """The paths of all files and folders below the root and a folder of masks, whole ones first."""
    places = [(root, "")]
    if params.masks is not None and params.images is None and Path(params.masks).is_dir():
        outside = os.path.relpath(real(Path(params.masks)), real(root)).replace(os.sep, "/")
        places.append((Path(params.masks), outside))
    for place, before in places:
        for folder, folders, files in os.walk(place):
            inside = PurePosixPath(before, Path(folder).relative_to(place).as_posix())
            yield from (str(inside / name) for name in (*files, *folders))


def _ends(path: str) -> Iterator[str]:
    parts = PurePosixPath(path).parts
    return ("/".join(parts[at:]) for at in range(1, len(parts)))
