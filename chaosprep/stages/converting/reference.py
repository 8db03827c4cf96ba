"""`convert --reference`: what the other cases of a patient need to know of one of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import File
from chaosprep.dataset.stacking import case_lattice, originals
from chaosprep.errors import FileError, UsageError
from chaosprep.running.stage import Planned, Source
from chaosprep.stages.converting.params import ConvertParams
from chaosprep.stages.converting.places import Place
from chaosprep.words import there_are

PLANNED = "reference"
"""The key of `Case.planned`."""
_FRAME = "FrameOfReferenceUID"
_OTHERWISE = (
    "Convert it without --reference, or leave the case out with --exclude or --on-error skip."
)


class Reference(msgspec.Struct, frozen=True):
    """The case of a patient on whose pixels the others are to lie, as JSON keeps it.

    ``case`` is its id, empty where the patient has none; ``fault`` says why it is no volume;
    ``image`` is the file with its first slice, whose header tells its frame of reference.
    """

    case: str = ""
    places: tuple[Place, ...] = ()
    image: File | None = None
    fault: str = ""

    @classmethod
    def of(cls, case: Case) -> "Reference":
        """What others need of a case."""
        places = tuple(map(Place.of, originals(case)))
        try:
            case_lattice(places)
        except FileError as error:
            return cls(case.id, fault=error.reason)
        return cls(case.id, places, case.slices[0].image_file)


def plan(source: Source[Case], cases: Sequence[Case], params: ConvertParams) -> Planned[Case]:
    """Give each case that is not of the reference sequence its patient's that is.

    Raises:
        UsageError: `reference-unknown`, nobody has it.
    """
    if params.reference is None:
        return Planned(lambda case: case)
    found, sequences = dict[str, dict[str, Any]](), set[str]()
    for case in cases:
        sequences.add(case.slices[0].sequence)
        if case.slices[0].sequence == params.reference:
            found[case.patient] = msgspec.to_builtins(Reference.of(case))
    if not found:
        raise UsageError(
            f"--reference: there is no {params.reference}",
            there_are(sorted(sequences), [params.reference]),
            code="reference-unknown",
        )
    nothing = msgspec.to_builtins(Reference())

    def complete(case: Case) -> Case:
        if case.slices[0].sequence == params.reference:
            return case
        told = found.get(case.patient, nothing)
        return replace(case, planned={**case.planned, PLANNED: told})

    return Planned(complete)


def is_placed(case: Case) -> bool:
    """Whether a case is to lie on another, or there is none for it to lie on."""
    return PLANNED in case.planned


def reference_of(case: Case) -> Reference | None:
    """What a case is to lie on; None for one that stays where it is.

    Raises:
        FileError: `reference-missing` or `reference-broken`.
    """
    if not is_placed(case):
        return None
    found = msgspec.convert(case.planned[PLANNED], Reference)
    if not found.case:
        raise FileError(
            "its patient has no case of the reference sequence",
            "Choose another --reference, or leave the case out with --exclude or --on-error skip.",
            code="reference-missing",
        )
    if found.fault:
        raise FileError(
            f"it cannot be brought onto {found.case}: {found.fault}",
            "Choose another --reference, or leave the case out with --exclude or --on-error skip.",
            code="reference-broken",
        )
    return found


def check_frame(case: Case, reference: Reference) -> None:
    """Refuse a case whose places do not compare with those of its reference.

    What no header says is not compared.

    Raises:
        FileError: `reference-frame`, and what reading the first file of either raises.
    """
    here = _frame(case, case.slices[0].image_file)
    there = "" if reference.image is None or not here else _frame(case, reference.image)
    if there and there != here:
        raise FileError(
            f"it and {reference.case} name different frames of reference, so their places cannot "
            "be compared",
            _OTHERWISE,
            code="reference-frame",
        )


def _frame(case: Case, image: File) -> str:
    """The frame of reference that a file of images names."""
    from chaosprep.formats.images import open_image

    opened = open_image(image.path, case.read(image), case.max_pixels)
    return opened.headers()[0].evidence.get(_FRAME, "")


def elsewhere(reference: Reference) -> FileError:
    """The error for a case that shows nothing of what its reference shows."""
    return FileError(
        f"it lies wholly beyond {reference.case}, onto which it was to be brought",
        _OTHERWISE,
        code="reference-elsewhere",
    )
