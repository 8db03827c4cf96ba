"""NIfTI volumes with names like those of BIDS derivatives (Brain Imaging Data Structure 1.10)."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from chaosprep.cells import cell
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organs import organ_labels
from chaosprep.errors import ChaosprepError
from chaosprep.exports.channels import SequencesField, Study, check_masks_are_labels, singles
from chaosprep.exports.record import Export
from chaosprep.exports.volumes import Task, describe, notes, titles, write_studies
from chaosprep.files import write_durably
from chaosprep.formats.nifti import ENDING
from chaosprep.known import SERIES
from chaosprep.params import Fields, plain
from chaosprep.running.folder import LICENSE, METHODS, Exported, new_folder
from chaosprep.running.options import RunOptions
from chaosprep.running.standing_folder import RECORD
from chaosprep.version import __version__

DESCRIPTION = "dataset_description.json"
PARTICIPANTS = "participants.tsv"
_COLUMNS = {
    "participant_id": "sub- and the patient's id",
    "split": "side of the split by patient: train, val or test",
    "fold": "fold of the patient, from 0; n/a without folds",
}


class NiftiParams(Fields, frozen=True, kw_only=True):
    """Which volumes are made."""

    sequences: SequencesField = ()


def _export(dataset: Dataset, output: Path, params: NiftiParams, options: RunOptions) -> Exported:
    """Write every case as a volume, and its label map where it has masks.

    Raises:
        UsageError: there is no such sequence.
        ProblemsError: cases cannot be exported.
        ChaosprepError: the masks are grey levels, two ids have one name in BIDS, or the output
            cannot be written.
    """
    check_masks_are_labels(dataset)
    studies = singles(dataset, params.sequences)
    organs = organ_labels(dataset)
    with new_folder(dataset, output, "nifti", plain(params), options.overwrite) as folder:
        tasks = [_task(study, folder, organs) for study in studies]
        _check_names(tasks)
        written, skipped = write_studies(tasks, options, "nifti")
        described = {
            DESCRIPTION: _description(dataset),
            "participants.json": {name: {"Description": text} for name, text in _COLUMNS.items()},
        }
        _write_tables(folder, [one.study for one in written], organs)
        describe(folder, written, described)
    said = notes(dataset, organs, studies, written)
    slices = sum(one.slices for one in written)
    return Exported("nifti", output, len(written), slices, skipped, said)


export = Export(NiftiParams, _export, "DIR is what any stage made, with labels as masks.")


def _task(study: Study, folder: Path, organs: dict[str, int]) -> Task:
    """BIDS allows letters and digits in a label, and knows no suffix for other sequences."""
    (case,) = study.channels
    sequence = case.slices[0].sequence
    subject = f"sub-{_label(study.patient)}"
    start = f"{subject}/anat/{subject}_acq-{_label(sequence)}"
    suffix = SERIES[sequence].bids if sequence in SERIES else "image"
    image = f"{start}_{suffix}{ENDING}"
    return Task(study, folder, organs, (image,), f"{start}_dseg{ENDING}", label_needed=False)


def _label(id: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", id)


def _check_names(tasks: Sequence[Task]) -> None:
    taken: dict[str, str] = {}
    for task in tasks:
        study = task.study
        for name, own in ((_label(study.patient), study.patient), (task.label, study.id)):
            other = taken.setdefault(name.casefold(), own)
            if other != own:
                raise ChaosprepError(
                    f"{own}: without points and hyphens its name is that of {other}",
                    "Export them apart with --sequence, or split with other patient ids.",
                    code="name-twice",
                )


def _description(dataset: Dataset) -> dict[str, object]:
    return {
        "Name": "Image and label volumes, made by chaosprep",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "License": "; ".join(titles(dataset.licenses)),
        "ReferencesAndLinks": titles(dataset.sources),
        "GeneratedBy": [{"Name": "chaosprep", "Version": __version__}],
    }


def _write_tables(folder: Path, studies: Iterable[Study], organs: dict[str, int]) -> None:
    """`participants.tsv`; `dseg.tsv`, which by its place is for every label map."""
    people = sorted(
        {
            (f"sub-{_label(one.patient)}", one.split, "n/a" if one.fold is None else str(one.fold))
            for one in studies
        }
    )
    _write_table(folder / PARTICIPANTS, [tuple(_COLUMNS), *people])
    names = [(str(at), organ) for organ, at in organs.items()]
    _write_table(folder / "dseg.tsv", [("index", "name"), ("0", "background"), *names])
    write_durably(folder / ".bidsignore", f"{LICENSE}\n{METHODS}\n{RECORD}\n".encode())


def _write_table(file: Path, rows: Iterable[tuple[str, ...]]) -> None:
    write_durably(file, "".join("\t".join(map(cell, row)) + "\n" for row in rows).encode())
