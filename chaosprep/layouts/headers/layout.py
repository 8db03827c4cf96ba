"""Any tree of DICOM files, whatever they are called: series are found by their headers."""

import secrets
from dataclasses import replace
from pathlib import Path

from chaosprep.dataset.descriptor import DataSource, License
from chaosprep.errors import NothingFoundError, UsageError
from chaosprep.layouts.headers.catalog import make_catalog
from chaosprep.layouts.headers.choosing import Chosen, choose
from chaosprep.layouts.headers.index import read_index
from chaosprep.layouts.headers.masks import Masks, find_masks
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.root import Root, read_origin
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.source import SourceCase

_LICENSES = (License(name="notspecified", title="License not specified"),)
_SOURCES = (DataSource(title="A folder of DICOM files that does not tell its origin"),)


def find(root: Path, where: Where) -> Root:
    """Find the volumes below a root.

    Raises:
        UsageError: the root, or what was chosen, will not do.
        NothingFoundError: no DICOM image is there.
        ChaosprepError: a folder cannot be listed, or two patients have one pseudonym.
    """
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder", "Check the path.", code="root")
    catalog = make_catalog(read_index(root, where.bench))
    if not catalog.volumes:
        raise NothingFoundError(
            f"{root}: no CHAOS patient and no DICOM image is below it",
            "Give the folder that holds them.",
            code="nothing",
        )
    key = where.key or Key(secrets.token_bytes(32))
    chosen, problems = choose(catalog.volumes, where)
    masks, more = find_masks(root, catalog, chosen, replace(where, key=key))
    chosen = [one for one in chosen if masks.takes(one.volume)]
    patients = key.patients({one.volume.person for one in chosen})
    cases = [_case(root, one, patients[one.volume.person], key, masks) for one in chosen]
    origin = read_origin(root)
    return Root(
        root,
        tuple(sorted(cases, key=lambda case: f"{case.id}_")),
        (*problems, *more),
        origin.licenses or _LICENSES,
        origin.sources or _SOURCES,
        notes=masks.notes,
    )


def _case(root: Path, chosen: Chosen, patient: str, key: Key, masks: Masks) -> SourceCase:
    volume = chosen.volume
    frames: dict[str, tuple[int, ...]] = {}
    for head in volume.heads:
        if head.frame is not None:
            frames[head.path] = (*frames.get(head.path, ()), head.frame)
    case = SourceCase(
        root=str(root),
        id=f"{patient}_{chosen.sequence}",
        patient=patient,
        sequence=chosen.sequence,
        pool="train",
        images=volume.paths,
        masks=None,
        rule="key",
        keys={path: path for path in volume.paths},
        aliases={path: key.path(path) for path in volume.paths},
        frames=frames,
    )
    return masks.onto(case, volume, key)


LAYOUT = Layout(
    "headers",
    "any tree of DICOM files",
    find=find,
    takes=lambda root, where: where.images is None,
)
