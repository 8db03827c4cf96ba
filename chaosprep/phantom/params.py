"""What may be asked of a phantom: how many patients, which sequences, how large."""

from dataclasses import replace
from typing import Annotated, Literal

from msgspec import Meta

from chaosprep.params import Fields
from chaosprep.phantom.writing import SAMPLE_PATIENTS, SEQUENCES, Patient

SequenceName = Literal["t1-in", "t1-out", "t2-spir", "ct"]
_FEW = 5


class PhantomParams(Fields, frozen=True, kw_only=True):
    """The parameters of a phantom; without any of the first four it is the sample's patients."""

    patients: Annotated[
        Annotated[int, Meta(ge=1, le=9999)] | None,
        Meta(description="Patients of each modality that is asked for, 5 by default."),
    ] = None
    sequences: Annotated[
        tuple[SequenceName, ...],
        Meta(
            description="Only this sequence; ct has patients of its own. Repeatable.",
            extra={"option": "sequence"},
        ),
    ] = ()
    slices: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | None, Meta(description="Slices of a sequence.")
    ] = None
    matrix: Annotated[
        Annotated[int, Meta(ge=16, le=2048)] | None,
        Meta(description="Rows, and columns, of a slice."),
    ] = None
    seed: Annotated[
        Annotated[int, Meta(ge=0)], Meta(description="Seed of anatomies, noise and UIDs.")
    ] = 0


def people(asked: PhantomParams) -> tuple[Patient, ...]:
    """The patients that are asked for, MR before CT: the sample's where none are described."""
    sequences: tuple[str, ...] = asked.sequences or SEQUENCES["MR"]
    chosen: tuple[Patient, ...] = SAMPLE_PATIENTS
    if asked.patients is not None or asked.sequences:
        numbers = range(1, (asked.patients or _FEW) + 1)
        mr = tuple(name for name in SEQUENCES["MR"] if name in sequences)
        chosen = tuple(Patient(id=number, sequences=mr) for number in numbers if mr)
        if "ct" in sequences:
            chosen += tuple(Patient(id=number, modality="CT") for number in numbers)
    return tuple(
        replace(
            patient, slices=asked.slices or patient.slices, matrix=asked.matrix or patient.matrix
        )
        for patient in chosen
    )
