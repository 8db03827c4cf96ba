"""A stage directory as one side of a comparison: its masks, its cases, its organs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import WORKSPACE
from chaosprep.dataset.opening import is_stage_directory, open_dataset
from chaosprep.dataset.records import Slice
from chaosprep.dataset.stacking import can_show, label_plane, organ_labels, originals
from chaosprep.errors import FileError
from chaosprep.layouts.layout import Layout
from chaosprep.layouts.mask_set import CaseMasks, MaskSet, Organs, known_lattice, stack


@dataclass(frozen=True)
class StageCase:
    """A case of a stage directory, its originals only."""

    case: Case
    organs: Organs

    @property
    def id(self) -> str:
        """The case's."""
        return self.case.id

    @property
    def patient(self) -> str:
        """The case's."""
        return self.case.patient

    @property
    def split(self) -> str:
        """The side that the patient is on."""
        return self.case.split

    @property
    def sequence(self) -> str:
        """The case's."""
        return self.case.slices[0].sequence

    def read(self, organs: Organs) -> CaseMasks:
        """Its masks, each file checked against the manifest."""
        rows = originals(self.case)
        named = {organ for row in rows for organ in row.labels.values()}
        labels = {o: organs.index(o) + 1 if o in organs else 0 for o in named}
        planes = (label_plane(row, self._mask(row), labels) for row in rows)
        voxels = stack(planes, len(rows))
        return CaseMasks(voxels, tuple(row.id for row in rows), lattice=known_lattice(rows))

    def _mask(self, row: Slice) -> object:
        mask = self.case.mask(row)
        if mask is None:
            raise FileError(
                f"{row.id} has no mask",
                "Leave the case out with --on-error skip, or choose with --split or --patient.",
                code="mask-missing",
            )
        return mask


def open_stage(
    directory: Path, reference: MaskSet | None = None, asked: Organs = ()
) -> MaskSet | None:
    """A stage directory, if it is one: masks by its manifest, on the lattice of its slices.

    Raises:
        ManifestError: it is unfinished or damaged.
    """
    if not (is_stage_directory(directory) or (directory / WORKSPACE).exists()):
        return None
    dataset = open_dataset(directory)
    labels = organ_labels(dataset)
    values = {value: organ for row in dataset.slices for value, organ in row.labels.items()}
    return MaskSet(
        kind="stage directory",
        path=directory,
        members={case.id: StageCase(case, _organs(case, labels)) for case in dataset.cases},
        organs=tuple(labels),
        values=values,
        labels={label: organ for organ, label in labels.items()},
        in_mm=any(r.spacing and r.position and r.orientation for r in dataset.slices),
    )


def _organs(case: Case, labels: Iterable[str]) -> Organs:
    named = {organ for row in case.slices for organ in (*row.labels.values(), *row.pixels)}
    return can_show(named, labels)


LAYOUT = Layout("stage", "a stage directory", masks=open_stage)
