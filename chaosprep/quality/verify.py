"""verify: can this data be trusted? A stage directory against its manifest, or any other data."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chaosprep.dataset.manifest import DESCRIPTOR, WORKSPACE
from chaosprep.dataset.opening import open_dataset
from chaosprep.dataset.table import FIRST
from chaosprep.errors import Problem, UsageError, called, plural
from chaosprep.html import shown_by
from chaosprep.layouts.find import LayoutParams
from chaosprep.layouts.sides import sort_sides
from chaosprep.params import make_params
from chaosprep.quality.findings import Findings
from chaosprep.quality.foreign.listed import find_listed
from chaosprep.quality.foreign.pictures import check_folder
from chaosprep.quality.foreign.plain_volumes import refuse_volumes
from chaosprep.quality.foreign.tables import refuse_shards, refuse_table
from chaosprep.quality.foreign.volumes import check_volumes, find_volumes
from chaosprep.quality.left_out import left_out_notes
from chaosprep.quality.outliers.judging import Outlier, not_judged, outlier_warnings, outliers
from chaosprep.quality.outliers.values import CaseValues
from chaosprep.quality.recorded import check_recorded


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: faults make the data unfit, warnings are what a person should know.

    `stage` is `folder` where the directory holds pictures and is none of ours; `cases` then counts
    the sides of the split. Of volumes it is the layout's name. `notes` say what could not be
    judged, and what a person chose to leave out. `outliers` are what makes a case stand out of the
    others, the farthest first, each case's also among the warnings; `values` what they were judged
    by.
    """

    directory: Path
    stage: str
    cases: int
    slices: int
    faults: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    outliers: tuple[Outlier, ...] = ()
    values: tuple[CaseValues, ...] = ()
    _repr_html_ = shown_by("chaosprep.quality.shown", "verdict")

    @property
    def told(self) -> str:
        """What it comes to, in a line."""
        noun = "side" if self.stage == "folder" else "case"
        return (
            f"verify: {plural(self.cases, noun)}, {plural(self.slices, 'slice')}, "
            f"{plural(len(self.faults), 'fault')}, {plural(len(self.warnings), 'warning')}"
        )


@called(patient="patients")
def verify(
    directory: str | Path,
    *,
    jobs: int = 1,
    replay: int | Literal["all"] = 0,
    patient: Collection[str] = (),
    patients: Collection[str] | Path = (),
    on_case: Callable[[str], None] | None = None,
    **where: object,
) -> Verdict:
    """Check a stage directory against its manifest, or anybody's images and masks.

    Args:
        directory: what a stage made; a folder with train/val(/test) and images/masks, or
            with tables that name its pictures; or a data set of volumes, in any of the layouts.
        jobs: worker processes.
        replay: how many augmented copies to make again from their originals and to compare, byte
            for byte; which ones is drawn from the manifest itself. Stage directories only.
        patient: check only these; empty means all. Stage directories and volumes only.
        patients: a table (a path, as text too) that says whose each volume is; or any other
            collection of ids, the same as `patient`.
        on_case: called with the id of each case that was checked.
        where: `layout`, `images`, `masks`, `labels`, `roi`, `threshold`, `patient_from_name` and
            so on, as for `inspect`, of volumes.

    Raises:
        ManifestError: the directory is unfinished, or its manifest not to be trusted.
        UsageError: an unknown patient, or what only a stage directory has is asked of a folder.
        NothingFoundError: volumes, but nothing tells images from masks.
    """
    directory = Path(directory)
    if isinstance(patients, str | Path):
        where["patients"], patients = str(patients), ()
    patients = (*patient, *patients)
    params = make_params(LayoutParams, where)
    is_stage = any((directory / name).exists() for name in (DESCRIPTOR, *FIRST, WORKSPACE))
    volumes = None
    if directory.is_dir() and not is_stage:
        volumes = find_volumes(directory, params)
    if volumes is None and params != LayoutParams():
        raise UsageError(
            "options that say where images and masks are, or which patients they belong to, are "
            "for volumes",
            "Leave them out here.",
            code="layout",
        )
    if is_stage:
        dataset = open_dataset(directory)
        found = check_recorded(
            dataset, jobs=jobs, replay=replay, patients=patients, on_case=on_case
        )
        found.notes += left_out_notes(dataset)
        return _verdict(directory, dataset.made.stage, found, chosen=bool(patients))
    if volumes is not None:
        if replay:
            raise _needs_manifest()
        layout, root = volumes
        told = bool(params.patients or params.patient_from_name)
        found = check_volumes(
            root, jobs=jobs, patients=patients, on_case=on_case, named_patients=told
        )
        return _verdict(directory, layout, found, chosen=bool(patients))
    tree, listed = sort_sides(directory), find_listed(directory)
    if not (tree.images or listed.claimed or listed.faults):
        refuse_table(directory)
        refuse_shards(directory)
        refuse_volumes(directory)
        open_dataset(directory)  # says that it is none
    if replay or patients:
        raise _needs_manifest()
    return _verdict(directory, "folder", check_folder(directory, tree, listed, jobs=jobs))


def _needs_manifest() -> UsageError:
    return UsageError(
        "--patient and --replay need the manifest of a stage directory",
        "Leave them out for another folder.",
        code="no-manifest",
    )


def _verdict(directory: Path, stage: str, found: Findings, *, chosen: bool = False) -> Verdict:
    values = tuple(sorted(found.values, key=lambda one: one.id))
    far = outliers(values)
    found.warnings += outlier_warnings(values, far)
    faults, warnings = (
        tuple(sorted(some, key=lambda one: (one.id, one.file or "", one.code)))
        for some in (found.faults, found.warnings)
    )
    notes = (*found.notes, *(() if chosen else not_judged(values)))
    return Verdict(
        directory, stage, found.cases, len(found.seen), faults, warnings, notes, far, values
    )
