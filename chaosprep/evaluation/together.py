"""One case of several readers: laid on one grid, measured two by two, and made one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from chaosprep.errors import FileError
from chaosprep.evaluation.agreement import Estimate, PairResult, pair_result
from chaosprep.evaluation.asked import Asked
from chaosprep.evaluation.compare import Task, both, measure, spacing_of
from chaosprep.evaluation.consensus import Labels, Method, Rates, majority, staple
from chaosprep.evaluation.consensus_folder import Place
from chaosprep.evaluation.surface import Spacing
from chaosprep.layouts.mask_set import CaseMasks, MaskCase, Organs

_GRID = ("slices-differ", "size-mismatch", "grid-mismatch")


@dataclass(frozen=True)
class Together:
    """What became of a case.

    ``lost`` is what some reader draws and the consensus has nothing of, ``moving`` what STAPLE came
    to no end with; each is `<case> <organ>`.
    """

    rows: tuple[PairResult, ...]
    estimates: tuple[Estimate, ...] = ()
    lost: tuple[str, ...] = ()
    moving: tuple[str, ...] = ()


@dataclass(frozen=True)
class Agreeing:
    """Compares the readers' masks of one case, and writes their consensus; pickles.

    ``base`` is the reader on whose grid all are laid; without a ``place`` nothing is written.
    """

    names: tuple[str, ...]
    base: int
    organs: Organs
    spacing: Spacing | None
    asked: Asked
    method: Method
    place: Place | None = None

    def __call__(self, cases: tuple[MaskCase, ...]) -> Together:
        """One case, that of each reader in order.

        Raises:
            FileError: what `compare` raises, with the reader.
        """
        masks, voxels = self._laid(cases)
        rows = tuple(self._rows(cases, voxels, spacing_of(masks) or self.spacing))
        if self.place is None and self.method == "majority":
            return Together(rows)
        id, rates = cases[self.base].id, dict[int, Rates]()
        if self.method == "staple":
            agreed, rates = staple(voxels, len(self.organs))
        else:
            agreed = majority(voxels, len(self.organs))
        if self.place is not None:
            self.place.write(cases[self.base], replace(masks, voxels=agreed))
        return Together(
            rows,
            tuple(self._estimates(id, rates)),
            tuple(f"{id} {organ}" for organ in self._lost(agreed, voxels)),
            tuple(f"{id} {self.organs[at - 1]}" for at, one in rates.items() if not one.settled),
        )

    def _laid(self, cases: tuple[MaskCase, ...]) -> tuple[CaseMasks, list[Labels]]:
        """The masks of the base, and the voxels of every reader on its grid."""
        try:
            masks = cases[self.base].read(self.organs)
        except FileError as error:
            raise _of(self.names[self.base], error) from error
        base = replace(cases[self.base], read=lambda organs: masks)  # it is read once
        voxels = []
        for case, name in zip(cases, self.names, strict=True):
            try:
                is_base = case is cases[self.base]
                voxels.append(masks.voxels if is_base else both(Task(case, base, self.organs))[1])
            except FileError as error:
                raise _of(name, error, self.names[self.base]) from error
        return masks, voxels

    def _rows(
        self, cases: Sequence[MaskCase], voxels: Sequence[Labels], spacing: Spacing | None
    ) -> Iterator[PairResult]:
        own = cases[self.base]
        for label, organ in enumerate(self.organs, start=1):
            if any(organ in case.organs for case in cases):
                masks = [one == label for one in voxels]
                for a, b in combinations(range(len(masks)), 2):
                    row = measure(own.id, own, organ, masks[b], masks[a], spacing, self.asked)
                    yield pair_result(row, (self.names[a], self.names[b]))

    def _estimates(self, id: str, rates: dict[int, Rates]) -> Iterator[Estimate]:
        for label, found in rates.items():
            each = zip(self.names, found.sensitivity, found.specificity, strict=True)
            for name, sensitivity, specificity in each:
                yield Estimate(
                    case=id,
                    organ=self.organs[label - 1],
                    reader=name,
                    sensitivity=sensitivity,
                    specificity=specificity,
                )

    def _lost(self, agreed: Labels, voxels: Sequence[Labels]) -> Iterator[str]:
        for label, organ in enumerate(self.organs, start=1):
            if not (agreed == label).any() and any((one == label).any() for one in voxels):
                yield organ


def _of(name: str, error: FileError, base: str = "") -> FileError:
    """The error with the reader in front, and what to do where the two are laid differently."""
    remedy = error.remedy
    if base and error.code in _GRID:
        remedy = f"Bring it to the slices and pixels of {base}, or leave the case out with "
        remedy += "--on-error skip."
    found = FileError(f"{name}: {error.reason}", remedy, error.code)
    found.file = error.file
    return found
