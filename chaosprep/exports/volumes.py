"""The NIfTI files of an export: written, read back and compared, one study at a time in workers."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organs import names_in, partial_notes
from chaosprep.errors import FileError, NothingFoundError, Problem, not_as_written
from chaosprep.exports.channels import Study, read_study
from chaosprep.files import read_regular, write_json, write_new
from chaosprep.formats.nifti import ENDING, write_checked
from chaosprep.layouts.patients import COLUMNS, TABLE
from chaosprep.printable import printable
from chaosprep.running.folder import export_each
from chaosprep.running.options import RunOptions

NOBODY_VALIDATES = (
    "no patient validates, and a validation set that is drawn later is drawn by case; split with "
    "--val or --folds to keep a patient's cases on one side"
)
ONE_FOLD = (
    "its normalization was learned for the one fold that validates here; other folds cannot be "
    "validated fairly with it"
)


@dataclass(frozen=True)
class Task:
    """What a worker does: one study, and where its volumes go, relative to the folder."""

    study: Study
    folder: Path
    organs: dict[str, int]
    images: tuple[str, ...]
    label: str
    label_needed: bool


@dataclass(frozen=True)
class Written:
    """A study that was written: its files, relative to the folder; `label` None without masks."""

    study: Study
    images: tuple[str, ...]
    label: str | None
    slices: int


def decathlon_task(study: Study, folder: Path, organs: dict[str, int]) -> Task:
    """Name a study's files as the Medical Segmentation Decathlon and nnU-Net do.

    `imagesTr/CASE_0000.nii.gz` (a number for each channel) and `labelsTr/CASE.nii.gz`; `imagesTs`
    and `labelsTs` for the split `test`, and for it alone.
    """
    side = "Ts" if study.split == "test" else "Tr"
    images = tuple(
        f"images{side}/{study.id}_{channel:04d}{ENDING}" for channel in range(len(study.channels))
    )
    label = f"labels{side}/{study.id}{ENDING}"
    return Task(study, folder, organs, images, label, label_needed=side == "Tr")


def write_studies(
    tasks: Sequence[Task], options: RunOptions, format: str
) -> tuple[list[Written], tuple[Problem, ...]]:
    """Write every study; see `export_each` for problems."""
    return export_each(_write, tasks, attrgetter("study.id"), options, format)


def describe(folder: Path, written: Iterable[Written], described: dict[str, object]) -> None:
    """Write an export's JSON, file -> content, and read it back.

    Every volume that it names must be there, and those of the studies, no more, no fewer.

    Raises:
        FileError: `not-as-written`.
    """
    for file, value in described.items():
        write_json(folder / file, value)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob(f"*{ENDING}")}
    for name, value in described.items():
        found = msgspec.json.decode(read_regular(folder / name))
        if found != msgspec.to_builtins(value) or not set(_volumes_in(found)) <= there:
            raise not_as_written(name)
    named = {file for one in written for file in (*one.images, one.label) if file}
    for differing in sorted(there ^ named):
        raise not_as_written(differing)


def _volumes_in(value: object) -> Iterator[str]:
    """Every path of a volume that stands anywhere in JSON."""
    if isinstance(value, str) and value.endswith(ENDING) and value != ENDING:
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _volumes_in(one)


def write_patients(folder: Path, written: Iterable[Written]) -> None:
    """Write whose each case is, as CSV: `--layout nnunet` and `decathlon` read it again."""
    lines = [COLUMNS, *((one.study.id, one.study.patient) for one in written)]
    write_new(folder / TABLE, "".join(f"{','.join(line)}\n" for line in lines).encode())


def notes(
    dataset: Dataset,
    organs: Collection[str],
    chosen: Iterable[Study],
    written: Iterable[Written],
) -> tuple[str, ...]:
    """What a person should know: who and what is left out, what values and masks are of."""
    said = []
    others = sorted(set(dataset.patients) - {study.patient for study in chosen})
    if others:
        said.append(f"left out, having none of these sequences: {', '.join(others)}")
    cases = [case for one in written for case in one.study.channels]
    copies = sum(row.copy > 0 for case in cases for row in case.slices)
    if copies:
        said.append(f"{copies} augmented slices are left out: a volume has original slices only")
    shown = sum(any(row.window_source != "none" for row in case.slices) for case in cases)
    if shown:
        said.append(
            f"{shown} of {len(cases)} series are windowed to 8 bits: what lay outside the window "
            "and fine steps are lost, and CT is not in HU; export what convert --keep-16bit made, "
            "or the stage before convert"
        )
    named = [names_in(case.slices) for case in cases if any(row.mask for row in case.slices)]
    if dataset.has_learned and any(one.study.fold is not None for one in written):
        said.append(ONE_FOLD)
    return (*said, *partial_notes(named, organs))


def no_training() -> NothingFoundError:
    """Nobody is left to train with."""
    return NothingFoundError(
        "no case is left to train with", "Resolve the problems of its cases.", "no-training"
    )


def titles(found: Iterable[Any]) -> list[str]:
    """Licences or sources of a dataset as text, each with its address."""
    return [printable(" ".join(filter(None, (one.title, one.path)))) for one in found]


def _write(task: Task) -> Written:
    study = task.study
    images, label = read_study(study, task.organs)
    if label is None and task.label_needed:
        raise FileError(
            f"it has no masks and is on the side {study.split}",
            "Bring them back, move the patient to the test side, or leave it out with "
            "--on-error skip.",
            code="mask-missing",
        )
    for file, image in zip(task.images, images, strict=True):
        write_checked(task.folder / file, image)
    if label is not None:
        write_checked(task.folder / task.label, label)
    return Written(study, task.images, task.label if label else None, len(images[0].voxels))
