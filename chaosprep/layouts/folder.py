"""Images and masks in any two trees, told apart by patterns of their paths."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from chaosprep.dataset.descriptor import UNKNOWN_LICENSES, UNKNOWN_SOURCES
from chaosprep.errors import FileError, NothingFoundError, Problem, UsageError
from chaosprep.files import read_start
from chaosprep.formats.masks import beside, mask_format, plane_endings, volume_endings
from chaosprep.formats.stored import MOST_HEADER
from chaosprep.layouts.folder_cases import NOWHERE, Cases, Patterns, problem_at
from chaosprep.layouts.grouping import Group, first_identity, group_by_header, group_by_path
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.patterns import Found, Pattern, list_pattern
from chaosprep.layouts.root import (
    Root,
    listing,
    read_origin,
)
from chaosprep.privacy.identity import HeaderField, exposes, has_uid, identifies
from chaosprep.privacy.persons import without_numbered
from chaosprep.privacy.pseudonyms import Key


def find(root: Path, where: Where) -> Root:
    """Find the cases below a root by patterns such as `scans/{patient}/{slice}.dcm`.

    Only folders are listed, and headers read where they must tell the patient, or that a name
    must not be written, or which files are voxels of a mask beside them.

    Raises:
        UsageError: the root or a pattern will not do, or a name would identify a patient.
        NothingFoundError: no file fits a pattern.
        ChaosprepError: a folder cannot be listed, or two patients have one pseudonym.
    """
    key = where.key
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder", "Check the path.", code="root")
    patterns = Patterns.parse(where.images or "", where.masks, where.patient_from)
    groups, errors = _groups(root, patterns, where.patient_from)
    problems = [problem_at(NOWHERE, path, error, key) for path, error in errors]
    telling = _telling(root, groups, patterns, key)
    if telling and where.strict:
        raise telling
    problems += [Problem.of(telling, NOWHERE)] if telling else []
    cases, more = Cases(root, patterns, key, groups).make()
    origin = read_origin(root)
    return Root(
        root,
        tuple(sorted(cases, key=lambda case: f"{case.id}_")),
        (*problems, *more),
        origin.licenses or UNKNOWN_LICENSES,
        origin.sources or UNKNOWN_SOURCES,
    )


def _groups(
    root: Path, patterns: Patterns, patient_from: Literal["folder"] | HeaderField
) -> tuple[list[Group], list[tuple[str, FileError]]]:
    masks: tuple[Found, ...] = ()
    with listing():
        images = list_pattern(patterns.images, root, patients=patterns.patients)
        errors = list(images.errors)
        if patterns.masks is not None:
            there = list_pattern(patterns.masks, root, patients=patterns.patients)
            masks = _without_parts(root, there.files)
            errors += [found for found in there.errors if found not in errors]
    for option, files in (("images", images.files), ("masks", masks)):
        pattern: Pattern | None = getattr(patterns, option)
        if pattern is not None and not files and not errors:
            text = "/".join(pattern.segments)
            remedy = "It is relative to ROOT: compare it with the path of one file."
            if any(sign in text for sign in "*?"):
                remedy = (
                    "* and ? stand for themselves: use {patient}, {sequence}, {slice} and, for "
                    "masks, {organ}."
                )
            reason = f"{root}: no file fits --{option} '{text}'"
            raise NothingFoundError(reason, remedy, code="nothing")
    groups, more = group_by_path(images.files, masks)
    if patient_from != "folder":
        groups, most = group_by_header(groups, root, patient_from)
        more += most
    return groups, errors + more


def _without_parts(root: Path, masks: tuple[Found, ...]) -> tuple[Found, ...]:
    """The masks without files that have only the voxels of another one, a header beside them."""
    known = (*plane_endings(), *volume_endings())
    if all(mask.path.casefold().endswith(known) for mask in masks):
        return masks
    parts: set[str] = set()
    for mask in masks:
        with suppress(FileError):  # it is told where it is read
            if mask_format(mask.path).beside is not None:
                parts.update(beside(mask.path, read_start(root / mask.path, MOST_HEADER)))
    return tuple(mask for mask in masks if mask.path not in parts)


def _telling(
    root: Path, groups: Sequence[Group], patterns: Patterns, key: Key | None
) -> UsageError | None:
    """The error, which names nobody, of names that would carry what identifies into the output."""
    count = 0
    people = without_numbered([first_identity(root, group) for group in groups])
    for group, identity in zip(groups, people, strict=True):
        patient, sequence = group.place[0] or "", group.sequence or ""
        organs = {file.organ for file in group.masks if file.organ}
        names = [sequence, *patterns.texts]
        if key is None:
            names += [patient, f"{patient} {sequence}"]  # the two halves of an id
            names += [file.slice or "" for file in group.images[:1]]
        files = [] if key else [file.slice or "" for file in (*group.images, *group.masks)]
        count += (
            any(exposes(name, identity) for name in names)
            or any(identifies(organ, identity) for organ in organs)
            or any(has_uid(name) for name in (*names, *organs, *files))
        )
    if not count:
        return None
    return UsageError(
        f"in {count} series the name of a folder or a file is a UID, or also occurs in the headers "
        "(a patient's name or a part of it, a number, a date), and would identify the patient in "
        "every output",
        "Use --pseudonymize KEYFILE, or rename them; a {sequence}, an {organ}, and the text of a "
        "pattern itself, can only be renamed.",
        code="name-identifies",
    )


LAYOUT = Layout(
    "folder",
    "two trees, told apart by patterns",
    find=find,
    takes=lambda root, where: where.images is not None,
    asks=("masks", "patient_from"),
)
