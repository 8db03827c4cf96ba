"""What a case of an export is: one sequence of a patient, or several as its channels."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta

from chaosprep.dataset.case import Case
from chaosprep.dataset.grey import check_labels
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.overlapping import refuse_overlaps
from chaosprep.dataset.records import Split
from chaosprep.dataset.stacking import as_filed, image_volume, label_volume, originals
from chaosprep.errors import ChaosprepError, FileError, UsageError
from chaosprep.imaging.space.geometry import SAME_POSITION
from chaosprep.imaging.space.lattice import Volume
from chaosprep.known import PHASES, SERIES
from chaosprep.structures import same_name
from chaosprep.words import there_are

Channels = Literal["joint", "single"]
"""Whether a patient's sequences are the channels of one case, or each a case of its own."""

SequencesField = Annotated[
    tuple[str, ...],
    Meta(
        description="A sequence to take, such as t1-in; channels come in this order. Repeatable. "
        "[default: all]",
        extra={"option": "sequence"},
    ),
]
ChannelsField = Annotated[
    Channels,
    Meta(
        description="A patient's sequences are the channels of one case, or each is a case of its "
        "own."
    ),
]

_CHOOSE_ONE = "Choose one with --sequence, or make each a case of its own with --channels single."


@dataclass(frozen=True)
class Study:
    """A case of an export: sequences of one patient on one grid, in the order of the channels.

    `folds` are those in which it validates, one of each time that patients were divided into folds;
    `fold` is the one that was chosen. `lacking` are the sequences that should be among the channels
    and are not there.
    """

    id: str
    patient: str
    split: Split
    fold: int | None
    channels: tuple[Case, ...]
    lacking: tuple[str, ...] = ()
    folds: tuple[int, ...] = ()


@dataclass(frozen=True)
class Choice:
    """The studies to export, sorted by id, and what each of their channels is called."""

    studies: tuple[Study, ...]
    names: tuple[str, ...]


def choose(dataset: Dataset, sequences: Sequence[str] = (), channels: Channels = "joint") -> Choice:
    """Group the cases of a dataset into studies, of all sequences or of these, in their order.

    `joint` makes the sequences of a patient one study (all or, where none are named, one sequence
    or in- and out-phase); `single` makes each a study of one channel.

    Raises:
        UsageError: `sequence-unknown`; `sequences-mixed` where the sequences are no channels of
            one case; `modalities-mixed` for CT beside MR.
    """
    wanted = _known(dataset, sequences)
    modalities = {sequence: _modalities(dataset, sequence) for sequence in wanted}
    if channels == "single":
        every = set[str]().union(*modalities.values())
        _check_unmixed(every)
        known = every.pop() if len(every) == 1 else ""
        name = known or "image"
        if len(wanted) == 1:
            name = _channel_name(wanted[0], modalities[wanted[0]])
        return Choice(singles(dataset, wanted), (name,))
    if not sequences and len(wanted) > 1 and wanted not in PHASES:
        raise UsageError(
            f"--sequence: {', '.join(wanted)} are not taken for the channels of one case",
            "Name those that are, in the order of the channels, each with --sequence; or make each "
            "a case of its own with --channels single.",
            code="sequences-mixed",
        )
    for sequence in wanted:
        _check_unmixed(modalities[sequence])
    names = tuple(_channel_name(sequence, modalities[sequence]) for sequence in wanted)
    return Choice(_joint(dataset, wanted), names)


def singles(dataset: Dataset, sequences: Sequence[str] = ()) -> tuple[Study, ...]:
    """Every case, of these sequences if any are named, as a study of one channel.

    Raises:
        UsageError: `sequence-unknown`.
    """
    wanted = _known(dataset, sequences)
    return tuple(_study(case.id, (case,)) for case in dataset.cases if _sequence(case) in wanted)


def read_study(study: Study, labels: dict[str, int]) -> tuple[tuple[Volume, ...], Volume | None]:
    """The volumes of a study, one for each channel, and its label map, all on one lattice.

    The label map is None where no channel has masks; one that has speaks for all.

    Raises:
        FileError: `channel-missing`, `channel-grid` (they lie on different grids),
            `channel-masks` (their masks differ), and what `image_volume` and `label_volume` raise.
    """
    if study.lacking:
        raise FileError(
            f"it has no {' and no '.join(study.lacking)}; every case needs the same channels",
            "Choose a --sequence that every patient has, make each a case of its own with "
            "--channels single, or leave the patient out with --on-error skip.",
            code="channel-missing",
        )
    images = tuple(image_volume(case) for case in study.channels)
    lattice = images[0].lattice
    for case, image in zip(study.channels[1:], images[1:], strict=True):
        other = image.lattice
        if other.shape != lattice.shape or other.differs_by(lattice) > SAME_POSITION:
            reason = f"{case.id} does not lie on the grid of {study.channels[0].id}"
            raise FileError(reason, _CHOOSE_ONE, "channel-grid")
    found = (label_volume(case, labels) for case in study.channels)
    masks = [mask.voxels for mask in found if mask is not None]
    if any(not np.array_equal(mask, masks[0]) for mask in masks[1:]):
        raise FileError("the masks of its channels differ", _CHOOSE_ONE, "channel-masks")
    rows = originals(study.channels[0])
    on_grid = tuple(as_filed(rows, Volume(image.voxels, lattice)) for image in images)
    return on_grid, as_filed(rows, Volume(masks[0], lattice)) if masks else None


def count_folds(studies: Sequence[Study]) -> tuple[int, int]:
    """How many folds there are each time, and how many times; 0 without.

    Some of the last folds may have lost all their cases.
    """
    times = max((len(study.folds) for study in studies), default=0)
    last = max((fold for study in studies for fold in study.folds), default=-1)
    return -(-(last + 1) // times) if times else 0, times


def check_masks_are_labels(dataset: Dataset) -> None:
    """Refuse masks as a known data set has them: grey levels, in which odd ones may hide.

    Raises:
        ChaosprepError: `masks-grey`, `structures-overlap`, or `organ-name` for an organ called
            background.
    """
    refuse_overlaps(dataset.slices)
    names = {label.name for label in dataset.label_map.values()}
    names.update(name for row in dataset.slices for name in row.labels.values())
    if any(same_name(name, "background") for name in names):
        raise ChaosprepError(
            f"{dataset.directory}: an organ is called background, the name for pixels without an "
            "organ",
            "Give it another name.",
            code="organ-name",
        )
    check_labels(dataset)


def _known(dataset: Dataset, sequences: Sequence[str]) -> tuple[str, ...]:
    """The sequences without repeats, or else all that there are."""
    there = sorted({_sequence(case) for case in dataset.cases})
    unknown = [sequence for sequence in sequences if sequence not in there]
    if unknown:
        raise UsageError(
            f"--sequence: there is no {' and no '.join(unknown)}",
            there_are(there, unknown),
            code="sequence-unknown",
        )
    return tuple(dict.fromkeys(sequences)) or tuple(there)


def _sequence(case: Case) -> str:
    return case.slices[0].sequence


def _study(id: str, channels: tuple[Case, ...], lacking: tuple[str, ...] = ()) -> Study:
    first = channels[0]
    row = first.slices[0]
    folds = row.folds or (() if row.fold is None else (row.fold,))
    return Study(id, first.patient, first.split, row.fold, channels, lacking, folds)


def _joint(dataset: Dataset, wanted: tuple[str, ...]) -> tuple[Study, ...]:
    """One study for each patient that has any of the sequences."""
    patients: dict[str, dict[str, Case]] = {}
    for case in dataset.cases:
        if _sequence(case) in wanted:
            patients.setdefault(case.patient, {})[_sequence(case)] = case
    studies = []
    for patient, found in patients.items():
        there = tuple(found[sequence] for sequence in wanted if sequence in found)
        lacking = tuple(sequence for sequence in wanted if sequence not in found)
        studies.append(_study(f"{patient}_{_joint_name(wanted)}", there, lacking))
    return tuple(sorted(studies, key=lambda study: study.id))


def _joint_name(sequences: tuple[str, ...]) -> str:
    """`t1` for t1-in and t1-out; a sequence alone keeps its name."""
    stems = {sequence.partition("-")[0] for sequence in sequences}
    if len(sequences) > 1 and len(stems) == 1:
        return stems.pop()
    return "-".join(sequences)


def _modalities(dataset: Dataset, sequence: str) -> set[str]:
    """What the cases of a sequence were made with, as far as it is known or their headers say."""
    if sequence in SERIES:
        return {SERIES[sequence].modality}
    return {case.modality() for case in dataset.cases if _sequence(case) == sequence}


def _check_unmixed(modalities: Collection[str]) -> None:
    if "CT" in modalities and len({*modalities}) > 1:
        raise UsageError(
            "--sequence: CT and other images are normalized in different ways, and cannot make "
            "one dataset",
            "Use --sequence to choose only those of CT, or only the others.",
            code="modalities-mixed",
        )


def _channel_name(sequence: str, modalities: Collection[str]) -> str:
    """nnU-Net normalizes Hounsfield units only where the channel is called CT."""
    return "CT" if {*modalities} == {"CT"} else sequence
