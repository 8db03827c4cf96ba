"""Any tree of DICOM files, whatever they are called: series are found by their headers."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chaosprep.dataset.descriptor import UNKNOWN_LICENSES, UNKNOWN_SOURCES
from chaosprep.dataset.opening import is_stage_directory
from chaosprep.errors import ChaosprepError, NothingFoundError, Problem, UsageError, plural
from chaosprep.files import check_apart
from chaosprep.formats.dicom.file import DICOM
from chaosprep.formats.images import is_named_whole
from chaosprep.layouts.headers.catalog import Catalog, Volume, make_catalog
from chaosprep.layouts.headers.choosing import Chosen, choose
from chaosprep.layouts.headers.index import read_index
from chaosprep.layouts.headers.known_words import in_known_words
from chaosprep.layouts.headers.masks import Masks, find_masks
from chaosprep.layouts.headers.passed_over import damaged_beside, damaged_in, notes_of, unlisted
from chaosprep.layouts.headers.people import People, tell_people, untold_problem
from chaosprep.layouts.headers.reading import BARE
from chaosprep.layouts.headers.said import check_said
from chaosprep.layouts.headers.survey import Survey
from chaosprep.layouts.headers.texts import tells
from chaosprep.layouts.layout import Where
from chaosprep.layouts.root import Root, read_origin
from chaosprep.privacy.key_file import kept_key, read_kept
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.pairing import natural_key
from chaosprep.series.source import SourceCase
from chaosprep.workbench import Workbench

_NOT_FINAL = (
    "ids of patients are not final: they come from a key, which a run makes next to its output, "
    "or takes from --pseudonymize KEYFILE"
)


@dataclass(frozen=True)
class _Ids:
    """The key of a root, and whose file it is in; None where no file has it or a user gave it."""

    key: Key
    file: Path | None = None
    is_final: bool = True


def find(root: Path, where: Where) -> Root:
    """Find the volumes below a root: of `survey` that which is taken, and the problems."""
    return survey(root, where).root


def survey(root: Path, where: Where) -> Survey:
    """Find the volumes below a root. Ids of patients are pseudonyms; see `kept_key`.

    Raises:
        UsageError: the root, or what was chosen, will not do.
        NothingFoundError: no DICOM image is there.
        ChaosprepError: a folder cannot be listed, a key cannot be written, or two patients have
            one pseudonym.
    """
    _check_root(root, where)
    kept: list[str] = []
    catalog = make_catalog(read_index(root, where.bench, kept.append))
    if not catalog.volumes:
        raise _nothing(root, catalog)
    ids = _ids(root, catalog, where)
    people = tell_people(catalog.volumes, where)
    volumes = people.volumes
    if where.known_words:
        volumes = in_known_words(volumes, ids.key)
    catalog = replace(catalog, volumes=volumes)
    if where.strict:
        check_said(where, catalog.volumes)
    patients = ids.key.patients(people.identities)
    told = [volume for volume in catalog.volumes if volume.person]
    where = replace(where, key=ids.key)
    chosen, problems = choose(told, where)
    problems = [*untold_problem(catalog.volumes, where, ids.key), *problems]
    chosen, named = _nameable(chosen, people, patients)
    masks, more = find_masks(root, catalog, chosen, where)
    chosen = [one for one in chosen if masks.takes(one.volume)]
    damaged = damaged_in(chosen, catalog)
    cases = [_case(root, one, patients, ids.key, masks, damaged) for one in chosen]
    taken = {case.id: one.volume for case, one in zip(cases, chosen, strict=True)}
    origin = read_origin(root)
    found = Root(
        root,
        tuple(sorted(cases, key=lambda case: f"{case.id}_")),
        (*problems, *named, *_unread(chosen, catalog, ids.key), *more),
        origin.licenses or UNKNOWN_LICENSES,
        origin.sources or UNKNOWN_SOURCES,
        notes=(
            *people.notes,
            *masks.notes,
            *notes_of(catalog, masks.seen),
            *kept,
            *([] if ids.is_final else [_NOT_FINAL]),
        ),
        people={patients[person]: some for person, some in people.identities.items()},
        key_file=ids.file,
    )
    return Survey(found, catalog, where, patients, taken, masks)


def _check_root(root: Path, where: Where) -> None:
    """Refuse what is no folder of scans, before anything is read or written."""
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder", "Check the path.", code="root")
    if is_stage_directory(root):
        raise NothingFoundError(
            f"{root}: it is a stage directory, not a folder of scans",
            "Give it to verify, or to the next stage.",
            code="nothing",
        )
    if where.patients is not None:
        raise UsageError(
            "--patients: volumes that are found by their headers have no names for a table",
            "Say it by their paths: --patient-from-name '{patient}/{}'.",
            code="parameter",
        )
    if where.bench.folder is not None:
        check_apart(root, where.bench.folder / where.bench.name)


def _unread(chosen: Sequence[Chosen], catalog: Catalog, key: Key) -> tuple[Problem, ...]:
    """The problems of files and folders that cannot be read, and may be of what is taken."""
    return (*damaged_beside(chosen, catalog, key), *unlisted(catalog, key))


def _nothing(root: Path, catalog: Catalog) -> NothingFoundError:
    foreign = [one.path for one in catalog.others if one.kind == "foreign"]
    volumes = sum(is_named_whole(path) and not path.endswith(DICOM.ending) for path in foreign)
    if volumes:
        return NothingFoundError(
            f"{root}: no DICOM image is below it, but {plural(volumes, 'file')} of volumes (NIfTI, "
            "NRRD, MetaImage)",
            "Say where images and masks are: --images 'images/{patient}.nii.gz' --masks "
            "'labels/{patient}.nii.gz'.",
            code="volumes-only",
        )
    bare = sum(entry.what == BARE for entry in catalog.others)
    if bare:
        return NothingFoundError(
            f"{root}: no DICOM image is below it, but {plural(bare, 'file')} of DICOM elements "
            "that lack the beginning of a DICOM file (DICM after 128 bytes)",
            "Export them again as DICOM files, or add it with dcmconv of DCMTK.",
            code="nothing",
        )
    count = len(catalog.others) + len(catalog.masks)
    seen = f" ({plural(count, 'other file')} there)" if count else ""
    return NothingFoundError(
        f"{root}: no DICOM image is below it{seen}",
        "Give the folder that holds the DICOM files.",
        code="nothing",
    )


def _ids(root: Path, catalog: Catalog, where: Where) -> _Ids:
    """The key: a user's, or that beside the output; without an output, one of this tree alone."""
    if where.key is not None:
        return _Ids(where.key)
    bench: Workbench = where.bench
    file = kept_key(bench)
    if file is not None:
        return _Ids(read_kept(file), file)
    heads = sorted({repr(head) for one in catalog.volumes for head in one.heads})
    secret = hashlib.sha256("\n".join(heads).encode("utf-8", "surrogateescape")).digest()
    return _Ids(Key(secret), is_final=False)  # nobody without the files can make it


def _nameable(
    chosen: Sequence[Chosen], people: People, patients: Mapping[str, str]
) -> tuple[list[Chosen], list[Problem]]:
    """What has a sequence that identifies nobody and is no other's; a problem for each other."""
    taken: dict[str, Chosen] = {}
    problems: list[Problem] = []
    for one in chosen:
        patient, name = patients[one.volume.person], one.sequence
        id = f"{patient}_{name}"
        if any(tells(name, said) for said in people.told(one.volume.person)):
            error = ChaosprepError(
                "the name that a series would get holds what identifies the patient",
                "Give it another name with --series FILE.toml: [liver] name = '*'.",
                code="name-identifies",
            )
            problems.append(Problem.of(error, patient))
        elif id.casefold() in taken:
            error = ChaosprepError(
                "two volumes of a patient have one name",
                "Name them with --series FILE.toml, or take one with --pick.",
                code="series-several",
            )
            problems.append(Problem.of(error, id))
        else:
            taken[id.casefold()] = one
    return list(taken.values()), problems


def _case(
    root: Path,
    chosen: Chosen,
    patients: Mapping[str, str],
    key: Key,
    masks: Masks,
    damaged: Mapping[Volume, tuple[str, ...]],
) -> SourceCase:
    volume, patient = chosen.volume, patients[chosen.volume.person]
    frames: dict[str, tuple[int, ...]] = {}
    for head in volume.heads:
        if head.frame is not None:
            frames[head.path] = (*frames.get(head.path, ()), head.frame)
    images = tuple(sorted((*volume.paths, *damaged.get(volume, ())), key=natural_key))
    case = SourceCase(
        root=str(root),
        id=f"{patient}_{chosen.sequence}",
        patient=patient,
        sequence=chosen.sequence,
        pool="train",
        images=images,
        masks=None,
        rule="key",
        keys={path: path for path in images},
        aliases={path: key.path(path) for path in images},
        frames=frames,
        notes=chosen.notes,
    )
    return masks.onto(case, volume, key)
