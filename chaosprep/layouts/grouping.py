"""Files become groups, one for each patient and sequence: by their paths, then by their headers."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from chaosprep.errors import FileError
from chaosprep.layouts.patterns import Found
from chaosprep.privacy.identity import HeaderField, identity_at, patient_key
from chaosprep.series.pairing import pairing_name, surplus_mask

Errors = list[tuple[str, FileError]]
Texts = tuple[str | None, str | None]


@dataclass
class Group:
    """One patient's one sequence: the texts that tell them, where they stand, and the files."""

    patient: str
    sequence: str | None
    place: Texts
    images: list[Found] = field(default_factory=list)
    masks: list[Found] = field(default_factory=list)


def group_by_path(images: Iterable[Found], masks: Iterable[Found]) -> tuple[list[Group], Errors]:
    """Group files by the patient and the sequence in their paths.

    A mask whose path has no sequence is for every sequence of its patient; a mask for none is an
    error.
    """
    groups: dict[Texts, Group] = {}
    of_patient: dict[str | None, list[Group]] = defaultdict(list)
    for image in images:
        place = (image.patient, image.sequence)
        if place not in groups:
            groups[place] = Group(image.patient or "", image.sequence, place)
            of_patient[image.patient].append(groups[place])
        groups[place].images.append(image)
    errors: Errors = []
    for mask in masks:
        here = groups.get((mask.patient, mask.sequence))
        takers = [here] if here else []
        if mask.sequence is None:
            takers = of_patient[mask.patient]
        for group in takers:
            group.masks.append(mask)
        if not takers:
            errors.append((mask.path, surplus_mask()))
    return list(groups.values()), errors


def group_by_header(
    groups: Iterable[Group], root: Path, source: HeaderField
) -> tuple[list[Group], Errors]:
    """Divide groups by what the images' headers say of the patient; masks go with their images.

    An image without a usable header and a mask without an image are errors.
    """
    made: list[Group] = []
    errors: Errors = []
    for group in groups:
        parts: dict[str, Group] = {}
        owner: dict[str, Group] = {}
        for image in group.images:
            patient = patient_key(identity_at(root, image.path), source)
            if not patient:
                error = FileError(
                    f"its header has no {source} that identifies a patient",
                    "Leave the file out, or take the patient from the folder: --patient-from "
                    "folder.",
                    code="patient-missing",
                )
                errors.append((image.path, error))
                continue
            part = parts.setdefault(patient, Group(patient, group.sequence, group.place))
            part.images.append(image)
            owner[pairing_name(image.slice or "")] = part
        made += parts.values()
        only = next(iter(parts.values())) if len(parts) == 1 else None
        for mask in group.masks:
            if taker := only or owner.get(pairing_name(mask.slice or "")):
                taker.masks.append(mask)
            else:
                errors.append((mask.path, surplus_mask()))
    return made, errors


def first_identity(root: Path, group: Group) -> dict[str, str]:
    """What identifies in the first image of a group that can be read."""
    return next(filter(None, (identity_at(root, image.path) for image in group.images)), {})
