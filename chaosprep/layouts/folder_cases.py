"""Groups of files become cases: ids, the rule that pairs, and what makes no case."""

import re
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from chaosprep.errors import ChaosprepError, FileError, Problem, UsageError, about
from chaosprep.facts import Legend
from chaosprep.formats.legend import legend_in
from chaosprep.formats.masks import is_volume, plane_endings
from chaosprep.formats.pictures import PICTURES
from chaosprep.layouts.grouping import Group
from chaosprep.layouts.names import collisions, make_ids
from chaosprep.layouts.patterns import Found, Pattern, parse
from chaosprep.layouts.volumes_of import each_volume
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.pairing import Rule, natural_key, pairing_name
from chaosprep.series.source import SourceCase
from chaosprep.structures import folded

SEQUENCE = "series"  # where the pattern has no {sequence}
NOWHERE = "folder"  # the id of a problem that is of no patient yet


@dataclass(frozen=True)
class Patterns:
    """The two patterns, and whether their paths name patients."""

    images: Pattern
    masks: Pattern | None
    patients: bool

    @classmethod
    def parse(cls, images: str, masks: str | None, patient_from: str) -> "Patterns":
        """Read both patterns, and check that they fit each other.

        Raises:
            UsageError: a pattern will not do, the patient is nowhere, or placeholders differ.
        """
        where = parse("images", images)
        if "organ" in where.names:
            raise UsageError(
                "--images: {organ} is a placeholder of --masks",
                "An image shows every structure: leave {organ} out of --images.",
                code="pattern",
            )
        also = None if masks is None else parse("masks", masks)
        if patient_from == "folder" and not where.is_plain and "patient" not in where.names:
            raise UsageError(
                "--images: the pattern does not say which part of a path is the patient",
                "Put {patient} there, or take it from the headers: --patient-from PatientID.",
                code="pattern",
            )
        patients = patient_from == "folder" or "patient" in where.names
        if also is not None and not also.is_plain:
            _check_masks(where.names | ({"patient"} if patients else set()), also.names)
        return cls(where, also, patients)

    @property
    def texts(self) -> tuple[str, ...]:
        """What stands in the patterns themselves, with a space for each placeholder."""
        segments = (*self.images.segments, *(self.masks.segments if self.masks else ()))
        return tuple(dict.fromkeys(re.sub(r"\{[^{}]*\}", " ", text) for text in segments))


def _check_masks(images: frozenset[str] | set[str], masks: frozenset[str]) -> None:
    surplus = sorted(masks - images - {"slice", "organ"})
    missing = sorted({"patient"} & images - masks)
    if surplus or missing:
        which = " and ".join(f"{{{name}}}" for name in surplus or missing)
        reason = f"has {which} but not" if surplus else f"needs {which} as"
        raise UsageError(
            f"--masks: the pattern {reason} that of --images",
            "Use the same placeholders in both; {sequence} may be left out of --masks.",
            code="pattern",
        )


class Cases:
    """Makes cases of groups, and problems of the groups that make none."""

    def __init__(
        self, root: Path, patterns: Patterns, key: Key | None, groups: list[Group]
    ) -> None:
        self._root = root
        self._patterns = patterns
        self._key = key
        self._groups = groups
        self._problems: list[Problem] = []
        self._legends: dict[tuple[PurePosixPath, ...], Legend | None] = {}
        self._patients = self._patient_ids({group.patient for group in groups})
        sequences = {group.sequence for group in groups if group.sequence is not None}
        self._sequences = make_ids(sequences, "s", digits=1)

    def make(self) -> tuple[list[SourceCase], list[Problem]]:
        """The cases, in any order, and the problems."""
        of_id: dict[str, list[Group]] = defaultdict(list)
        for group in self._groups:
            id = self._id(group)
            if id is not None:
                of_id[id.casefold()].append(group)
        made = [case for groups in of_id.values() if (case := self._case(groups)) is not None]
        cases: dict[str, SourceCase] = {}
        for case in (one for whole in made for one in each_volume(whole)):
            if case.id.casefold() in cases:
                self._fail(case.id, case.images[0], _volume_twice())
            cases.setdefault(case.id.casefold(), case)
        return list(cases.values()), self._problems

    def _patient_ids(self, patients: set[str]) -> dict[str, str | None]:
        if self._key is not None:
            return {**self._key.patients(patients)}
        found = make_ids(patients, "P", digits=3)
        twice = collisions(found)
        for text in sorted(twice):
            images = (i for group in self._groups if group.patient == text for i in group.images)
            folder = _folder(min(images, key=lambda image: image.path))
            reason = "the names of two patients' folders become the same id"
            remedy = "Rename one of them, or use --pseudonymize KEYFILE."
            problem = Problem(
                code="patient-twice", id=str(found[text]), file=folder, reason=reason, remedy=remedy
            )
            self._problems.append(problem)
        return {text: id for text, id in found.items() if text not in twice}

    def _id(self, group: Group) -> str | None:
        patient, sequence = self._patients.get(group.patient), SEQUENCE
        if group.sequence is not None:
            sequence = self._sequences[group.sequence] or ""
        if patient and sequence:
            return f"{patient}_{sequence}"
        if group.patient in self._patients:  # the others are told already
            error = FileError(
                "no id can be made of the folder's name: too long, or without a letter or digit "
                "(A-Z, 0-9)",
                "Rename the folder, or use --pseudonymize KEYFILE for the patients.",
                code="patient-name",
            )
            self._fail(NOWHERE, _folder(group.images[0]), error)
        return None

    def _case(self, groups: list[Group]) -> SourceCase | None:
        group = groups[0]
        id = str(self._id(group))
        folder = _folder(group.images[0])
        if len(groups) > 1 or self._is_mixed(group):
            error = FileError(
                "the images of one patient lie in several folders and may be several series",
                "Tell them apart: name the folder in the pattern, as in "
                "'scans/{patient}/{sequence}'.",
                code="series-mixed",
            )
            self._fail(id, folder, error)
        elif self._patterns.masks is not None and not group.masks:
            error = FileError(
                "a series without any mask",
                "Bring back its masks, or leave the series out with --on-error skip.",
                code="ground-missing",
            )
            self._fail(id, folder, error)
        else:
            try:
                return self._source_case(id, group, self._rule(group))
            except FileError as error:
                path, error.file = error.file or group.masks[0].path, None  # a pseudonym may stand
                self._fail(id, path, error)
        return None

    def _fail(self, id: str, path: str, error: FileError) -> None:
        self._problems.append(problem_at(id, path, error, self._key))

    def _is_mixed(self, group: Group) -> bool:
        """Whether a plain folder has images of one patient in several folders."""
        return self._patterns.images.is_plain and len(set(map(_folder, group.images))) > 1

    def _rule(self, group: Group) -> Rule:
        """Whether masks belong to slices, or one of each structure to all.

        Raises:
            FileError: `mask-several`.
        """
        pattern = self._patterns.masks
        if pattern is None or "slice" in pattern.names:
            return "key"
        names = {None if i.slice is None else pairing_name(i.slice) for i in group.images}
        of_organ: dict[str, list[Found]] = defaultdict(list)
        for mask in group.masks:
            of_organ[folded(mask.organ or "")].append(mask)
        rules = {_rule_of(masks, names) for masks in of_organ.values()}
        if len(rules) > 1:
            raise FileError(
                "some of its structures are one file, others a file for each slice",
                "Give all of them in one way.",
                code="mask-several",
            )
        return rules.pop()

    def _source_case(self, id: str, group: Group, rule: Rule) -> SourceCase:
        files = [*group.images, *group.masks]
        patient, _, sequence = id.partition("_")
        legend = self._legend(group)
        return SourceCase(
            root=str(self._root),
            id=id,
            patient=patient,
            sequence=sequence,
            pool="train",
            images=_paths(group.images),
            masks=None if self._patterns.masks is None else _paths(group.masks),
            rule=rule,
            keys={file.path: file.slice or "" for file in files},
            aliases={file.path: self._key.path(file.path) for file in files} if self._key else {},
            legend=legend or {},
            is_legend_lost=legend is None,
            organs={mask.path: mask.organ for mask in group.masks if mask.organ},
        )

    def _legend(self, group: Group) -> Legend | None:
        """What a file beside the masks, or above them in the root, says that values stand for.

        None where there is one that cannot be understood.
        """
        places = tuple(PurePosixPath(group.masks[0].path).parents[:2]) if group.masks else ()
        if places not in self._legends:
            self._legends[places] = None
            with suppress(ChaosprepError):  # it may be another kind of file
                self._legends[places] = legend_in(*(self._root / place for place in places)) or {}
        return self._legends[places]


def _volume_twice() -> FileError:
    return FileError(
        "one of its volumes has the id of another series",
        "Rename the sequence in whose file several volumes are.",
        code="series-twice",
    )


def _rule_of(masks: list[Found], images: set[str | None]) -> Rule:
    """The rule of the masks of one structure, or of all; ``images`` as for `_is_for_all`."""
    if len(masks) == 1:
        return "volume" if _is_for_all(masks[0], images) else "key"
    if not any(mask.slice is None or is_volume(mask.path) for mask in masks):
        pictures = (*PICTURES, *plane_endings())
        named = all(mask.path.casefold().endswith(pictures) for mask in masks)
        return "key" if named or masks[0].organ else "place"
    with about(masks[0].path):
        if masks[0].organ:
            raise FileError(
                "several files are where one mask of a structure should be",
                "Keep one of them.",
                code="mask-several",
            )
        raise FileError(
            "several files are where one mask of the whole series should be",
            "Keep one of them, or put {slice} in the pattern of masks, or {organ} where each shows "
            "one structure.",
            code="mask-several",
        )


def _is_for_all(mask: Found, images: set[str | None]) -> bool:
    """Whether the only mask is that of the whole series: by its ending, or as no image's name fits.

    ``images`` are what `pairing_name` makes of the images' names.
    """
    if _holds_many(mask.path):
        return True
    if mask.slice is None:
        return images != {None}
    return mask.path.casefold().endswith(".npy") and pairing_name(mask.slice) not in images


def _holds_many(path: str) -> bool:
    """Whether a file is, or may be, of a kind that holds more than one slice.

    Names of DICOM files often end in a UID.
    """
    ending = PurePosixPath(path).suffix[1:].casefold()
    return is_volume(path) or ending in ("", "dcm", "ima") or ending.isdecimal()


def _folder(file: Found) -> str:
    return PurePosixPath(file.path).parent.as_posix()


def _paths(files: Iterable[Found]) -> tuple[str, ...]:
    """The paths in natural order of what tells the files apart."""
    ordered = sorted(files, key=lambda f: (natural_key(f.slice or f.path)[0], f.path))
    return tuple(file.path for file in ordered)


def problem_at(id: str, path: str, error: FileError, key: Key | None) -> Problem:
    """A problem with a path, or with what stands for it."""
    shown = key.path(path) if key else path.encode("utf-8", "backslashreplace").decode()
    return Problem.of(error, id, shown)
