"""assemble: slices, or predictions on them, back to volumes on the grid of the original series."""

from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.assembly.back import images_back
from chaosprep.assembly.origins import Origin, origins
from chaosprep.assembly.predictions import (
    Meaning,
    find_predictions,
    match,
    meaning,
    read_prediction,
)
from chaosprep.assembly.segmentation import check_request, write_segmentation
from chaosprep.assembly.segments import shortened_note
from chaosprep.dataset.case import Case
from chaosprep.dataset.codes import codes
from chaosprep.dataset.manifest import WORKSPACE, Dataset
from chaosprep.dataset.opening import is_stage_directory, open_dataset
from chaosprep.dataset.organs import organ_labels
from chaosprep.dataset.overlapping import refuse_overlaps
from chaosprep.dataset.records import Slice
from chaosprep.dataset.resized import way_back
from chaosprep.dataset.stacking import (
    as_filed,
    case_lattice,
    have_masks,
    label_plane,
    originals,
    smallest,
)
from chaosprep.errors import FileError, NothingFoundError, Problem, ProblemsError, UsageError
from chaosprep.facts import Code
from chaosprep.files import check_apart, write_json, writing
from chaosprep.formats.nifti import ENDING, write_checked
from chaosprep.imaging.space.grids import MaskSampling
from chaosprep.imaging.space.lattice import Volume
from chaosprep.running.folder import Exported, export_each, new_folder, opened
from chaosprep.running.options import OnError, RunOptions

Format = Literal["nifti", "seg"]
LABELS = "labels.json"
"""Organ -> label of the volumes in `masks`; without names, the labels that they show."""


def assemble(
    source: str | Path | Dataset,
    output: str | Path,
    *,
    reference: str | Path | Dataset | None = None,
    keep_grid: bool = False,
    undo_normalization: bool = False,
    mask_sampling: MaskSampling = "label",
    format: Format = "nifti",
    dicom: str | Path | None = None,
    jobs: int = 1,
    on_error: OnError = "stop",
    overwrite: bool = False,
    options: RunOptions | None = None,
) -> Exported:
    """Put slices back together: `images/<case>.nii.gz`, `masks/<case>.nii.gz`, `labels.json`.

    What `--size` and `--spacing` of convert did is undone, so that a volume lies on the pixels of
    its DICOM series. Images are in modality units (HU), or as shown where they were windowed,
    and normalized where they were.

    Args:
        source: a stage directory; or a folder of predictions, `<slice id>.png` or `.npy`.
        output: the folder to make.
        reference: with predictions, the stage directory that they were made from.
        keep_grid: leave the pixels as they are; position and spacing are still true.
        undo_normalization: give images that convert normalized the units from before.
        mask_sampling: how masks are resampled: the nearest pixel, or the label with the largest
            linear share.
        format: `nifti`, or `seg` for the masks as DICOM SEG, `masks/<case>.dcm`.
        dicom: with `seg`, the stage directory of split, or the dataset root that split read.
        jobs: worker processes.
        on_error: `stop` writes nothing where there are problems, `skip` leaves those cases out.
        overwrite: replace an earlier result.
        options: these three and whom to tell, in place of them.

    Raises:
        UsageError: options that do not go together.
        ProblemsError: predictions or slices that are missing, surplus or wrong.
        ChaosprepError: the output cannot be made, or highdicom is not installed.
    """
    options = options or RunOptions(jobs=jobs, on_error=on_error, overwrite=overwrite)
    return put_together(
        source,
        Path(output),
        reference=reference,
        keep_grid=keep_grid,
        undo_normalization=undo_normalization,
        mask_sampling=mask_sampling,
        format=format,
        dicom=dicom,
        options=options,
    )


def put_together(
    source: str | Path | Dataset,
    output: Path,
    *,
    reference: str | Path | Dataset | None,
    keep_grid: bool,
    mask_sampling: MaskSampling,
    format: Format,
    dicom: str | Path | None,
    options: RunOptions,
    undo_normalization: bool = False,
    with_images: bool = True,
) -> Exported:
    """What `assemble` does, where it is wanted without the images.

    Raises:
        ChaosprepError: what `assemble` raises.
    """
    check_request(keep_grid, format, dicom)
    if dicom is not None:
        check_apart(Path(dicom), output)
    dataset, predictions = _dataset(source, reference)
    if predictions is None:
        refuse_overlaps(dataset.slices)
    files, problems = _files(dataset, predictions, output, options)
    labels = organ_labels(dataset)
    find_origin = origins(Path(dicom)) if dicom is not None else None
    tasks = [
        _Task(case, None if files is None else files[case.id], find_origin and find_origin(case.id))
        for case in dataset.cases
        if files is None or case.id in files
    ]
    parameters = {"format": format, "keep_grid": keep_grid, "mask_sampling": mask_sampling}
    parameters |= {"undo_normalization": True} if undo_normalization else {}
    with new_folder(dataset, output, "assemble", parameters, options.overwrite) as folder:
        work = _Work(
            folder=folder,
            labels=labels,
            codes=codes(dataset.labels) if format == "seg" else {},
            meaning=meaning(dataset, labels) if files is not None else None,
            keep_grid=keep_grid,
            normalized=not undo_normalization,
            sampling=mask_sampling,
            automatic=files is not None or dataset.made.stage == "predict",
            with_images=with_images,
        )
        name = attrgetter("case.id")
        made, skipped = export_each(work, tasks, name, options, "", verb="assemble")
        shown = sorted(frozenset[int]().union(*(one.values for one in made)) - {0})
        told = labels or {f"label-{value}": value for value in shown}
        if told:
            write_json(folder / LABELS, told)
    slices, lost = sum(one.slices for one in made), sum(one.has_lost for one in made)
    cropped = f"cropped, {lost} of {len(made)}: there images have the case's lowest value, masks 0"
    shortened = shortened_note(max((one.shortened for one in made), default=0))
    left_out = tuple(sorted((*problems, *skipped), key=lambda problem: problem.id))
    return Exported(
        "assemble", output, len(made), slices, left_out, (*[cropped][:lost], *shortened)
    )


@dataclass(frozen=True)
class Assembled:
    """What a case became: how many slices, which mask values, and whether cropping lost some.

    ``shortened`` are the names that a DICOM SEG has no room for.
    """

    slices: int
    values: frozenset[int]
    has_lost: bool
    shortened: int = 0


@dataclass(frozen=True)
class _Task:
    """A case, its predictions (slice id -> file), and where its DICOM files are for a SEG."""

    case: Case
    files: dict[str, Path] | None
    origin: Origin | None


@dataclass(frozen=True)
class _Work:
    """Assembles one case; pickles."""

    folder: Path
    labels: dict[str, int]
    codes: dict[str, Code]
    meaning: Meaning | None
    keep_grid: bool
    normalized: bool
    sampling: MaskSampling
    automatic: bool
    with_images: bool

    def __call__(self, task: _Task) -> Assembled:
        case, rows = task.case, originals(task.case)
        back = way_back(rows, keep=self.keep_grid)
        there = list(back.rows)
        lattice = case_lattice(there)
        planes = back.masks(self._masks(task, rows), self.sampling)
        shortened = 0
        if task.origin is not None:
            shortened = self._write_seg(task.origin, case.id, there, planes)
        else:
            if self.with_images:
                images = images_back(case, rows, back, normalized=self.normalized)
                image = Volume(smallest(np.stack(images)), lattice)
                write_checked(self.folder / "images" / f"{case.id}{ENDING}", as_filed(rows, image))
            if planes:
                mask = Volume(np.stack(planes), lattice)
                write_checked(self.folder / "masks" / f"{case.id}{ENDING}", as_filed(rows, mask))
        shown = frozenset(int(value) for plane in planes for value in np.unique(plane))
        return Assembled(len(there), shown, back.has_lost, shortened)

    def _masks(self, task: _Task, rows: tuple[Slice, ...]) -> list[NDArray[np.uint8]]:
        """The masks of a case as labels, those of the dataset or predicted ones; or none at all."""
        if self.meaning is not None and task.files is not None:
            return [self.meaning.plane(row, read_prediction(row, task.files)) for row in rows]
        masked = rows if have_masks(rows) else ()
        return [label_plane(row, task.case.mask(row), self.labels) for row in masked]

    def _write_seg(
        self, origin: Origin, id: str, rows: list[Slice], planes: list[NDArray[np.uint8]]
    ) -> int:
        if not planes:
            raise FileError(
                "it has no masks, and a DICOM SEG holds nothing else",
                "Leave the case out with --on-error skip.",
                code="mask-missing",
            )
        file = self.folder / "masks" / f"{id}.dcm"
        with writing(file):
            file.parent.mkdir(exist_ok=True)
        voxels = np.stack(planes)
        return write_segmentation(
            file, rows, voxels, self.labels, origin, automatic=self.automatic, codes=self.codes
        )


def _dataset(
    source: str | Path | Dataset, reference: str | Path | Dataset | None
) -> tuple[Dataset, Path | None]:
    """The dataset that says where slices lie, and the folder of predictions, if it is one."""
    if isinstance(source, Dataset) or is_stage_directory(Path(source)):
        if reference is not None:
            raise UsageError(
                "a stage directory knows where its slices lie",
                "Leave --reference out; it is for a folder of predictions.",
                code="reference",
            )
        return opened(source), None
    if reference is None:
        if (Path(source) / WORKSPACE).exists():
            return open_dataset(source), None  # unfinished: it says so
        raise UsageError(
            f"{source}: not a stage directory, and predictions do not say where they lie",
            "Give the stage directory that they were predicted from with --reference DIR.",
            code="reference",
        )
    return opened(reference), Path(source)


def _files(
    dataset: Dataset, predictions: Path | None, output: Path, options: RunOptions
) -> tuple[dict[str, dict[str, Path]] | None, list[Problem]]:
    """Case -> slice id -> predicted file, where there are any, and those that cannot be placed."""
    if predictions is None:
        return None, []
    check_apart(predictions, output)
    found, problems = find_predictions(predictions)
    files, strangers = match(found, dataset)
    problems += strangers
    if problems and options.on_error == "stop":
        raise ProblemsError(
            f"assemble: {len(problems)} of the predictions cannot be placed, nothing was written",
            "Resolve them, or leave them out with --on-error skip.",
            tuple(problems),
        )
    if not files:
        raise NothingFoundError(
            f"{predictions}: no prediction for any slice of the reference",
            "Name them <slice id>.png or <slice id>.npy.",
            code="nothing",
        )
    return files, problems
