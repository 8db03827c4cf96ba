"""Which layout a dataset root has, and what is found in it."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chaosprep.errors import ChaosprepError, NothingFoundError, Problem
from chaosprep.formats.codecs import PngParams
from chaosprep.layouts import chaos, folder
from chaosprep.layouts.root import Root
from chaosprep.privacy.pseudonyms import Key, read_key, warn_if_readable
from chaosprep.series.source import SourceCase

Layout = Literal["auto", "chaos", "folder"]
_FOLDER = "--images 'scans/{patient}/{slice}.dcm' --masks 'labels/{patient}/{slice}.png'"


class LayoutParams(PngParams, frozen=True, kw_only=True):
    """How to find images and masks below a dataset root."""

    layout: Annotated[
        Layout,
        Meta(
            description="CHAOS as it was downloaded, or any folder; auto is folder with --images."
        ),
    ] = "auto"
    images: Annotated[
        str | None,
        Meta(
            description="Where the DICOM files are below ROOT, such as "
            "'scans/{patient}/{slice}.dcm', with {sequence} where there are several series; or a "
            "folder of a folder for each patient."
        ),
    ] = None
    masks: Annotated[
        str | None,
        Meta(
            description="Where their masks are, such as 'labels/{patient}/{slice}.png' or "
            "'labels/{patient}.nii.gz' (PNG, npy, NIfTI, DICOM SEG)."
        ),
    ] = None
    patient_from: Annotated[
        Literal["folder", "PatientID", "PatientName"],
        Meta(description="What tells patients apart: {patient}, or a header (needs a key file)."),
    ] = "folder"
    pseudonymize: Annotated[
        str | None,
        Meta(
            description="Key file (16 random bytes or more): patient ids and source paths become "
            "keyed hashes."
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.images is None and self.layout == "folder":
            raise ValueError("images must say where the files of a folder are")
        if self.images is not None and self.layout == "chaos":
            raise ValueError("images is for layout folder, not chaos")
        if self.masks is not None and self.images is None:
            raise ValueError("masks needs images as well")
        if self.patient_from != "folder" and self.images is None:
            raise ValueError("patient_from is for layout folder: give images")
        if self.patient_from != "folder" and self.pseudonymize is None:
            raise ValueError(
                f"patient_from {self.patient_from} needs pseudonymize: a header's value is no id"
            )

    def recorded(self) -> "LayoutParams":
        """The same parameters with the key's fingerprint in the place of its path."""
        if self.pseudonymize is None:
            return self
        key = read_key(self.pseudonymize)
        return msgspec.structs.replace(self, pseudonymize=f"key {key.fingerprint()}")


def find(root: str | Path, params: LayoutParams, *, strict: bool = True) -> Root:
    """Find the cases below a root.

    Args:
        root: the dataset root.
        params: which layout, and where its files are.
        strict: whether names that would identify a patient are refused, see `folder.find`.

    Raises:
        UsageError: the root, a pattern or the key file will not do.
        NothingFoundError: nothing of the layout is there; the message says the other way too.
        ChaosprepError: a folder cannot be listed, or two patients have one pseudonym.
    """
    key = None
    if params.pseudonymize is not None:
        key = read_key(params.pseudonymize)
        warn_if_readable(params.pseudonymize)
    if params.images is not None:
        return folder.find(
            root,
            params.images,
            params.masks,
            patient_from=params.patient_from,
            key=key,
            strict=strict,
        )
    try:
        found = chaos.find(root)
    except NothingFoundError as error:
        remedy = f"{error.remedy} Or say where images and masks are: {_FOLDER}."
        raise NothingFoundError(error.reason, remedy, error.code) from error
    return found if key is None else pseudonymized(found, key)


def pseudonymized(root: Root, key: Key) -> Root:
    """The same root with keyed hashes in the place of patient ids and paths.

    Raises:
        ChaosprepError: `pseudonym-twice`, two patients have one.
    """
    cases = tuple(_pseudonymized(case, key) for case in root.cases)
    if len({case.patient for case in cases}) < len(root.patients):
        raise ChaosprepError(
            "two patients have one pseudonym", "Use another key.", code="pseudonym-twice"
        )
    ordered = tuple(sorted(cases, key=lambda case: f"{case.id}_"))
    problems = tuple(_hidden(problem, key) for problem in root.problems)
    return replace(root, cases=ordered, problems=problems)


def _pseudonymized(case: SourceCase, key: Key) -> SourceCase:
    patient = key.patient(case.patient)
    return msgspec.structs.replace(
        case,
        id=f"{patient}_{case.sequence}",
        patient=patient,
        aliases={path: key.path(path) for path in (*case.images, *(case.masks or ()))},
    )


def _hidden(problem: Problem, key: Key) -> Problem:
    """A problem of a patient is `MR001...`; the others' ids are no patient's."""
    patient, line, sequence = problem.id.partition("_")
    if patient[-1:].isdigit():
        patient = key.patient(patient)
    file = None if problem.file is None else key.path(problem.file)
    return msgspec.structs.replace(problem, id=f"{patient}{line}{sequence}", file=file)
