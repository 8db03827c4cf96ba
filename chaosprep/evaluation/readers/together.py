"""One case of several readers: laid on one grid, measured two by two, and made one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from chaosprep.errors import FileError
from chaosprep.evaluation.asked import Asked
from chaosprep.evaluation.compare import measure, spacing_of
from chaosprep.evaluation.laying import Laid, laid
from chaosprep.evaluation.readers.agreement import Estimate, PairResult, pair_result
from chaosprep.evaluation.readers.consensus import Labels, Method, Rates, majority, staple
from chaosprep.evaluation.readers.consensus_folder import Place
from chaosprep.evaluation.readers.widening import widened
from chaosprep.evaluation.surface import Spacing
from chaosprep.layouts.mask_set import CaseMasks, MaskCase, Organs

_SAME_SLICES = (
    "Give the same slices of every reader, empty ones too, or leave the case out with --on-error "
    "skip."
)


@dataclass(frozen=True)
class Moved:
    """A reader whose masks of a case lay on another grid than that of the reader `to`.

    ``how`` and ``beyond`` are those of `Laid`.
    """

    case: str
    reader: str
    to: str
    how: str | None
    beyond: int


@dataclass(frozen=True)
class Together:
    """What became of a case.

    ``lost`` is what some reader draws and the consensus has nothing of, ``moving`` what STAPLE came
    to no end with; each is `<case> <organ>`.
    """

    rows: tuple[PairResult, ...]
    moved: tuple[Moved, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    lost: tuple[str, ...] = ()
    moving: tuple[str, ...] = ()


@dataclass(frozen=True)
class Agreeing:
    """Compares the readers' masks of one case, and writes their consensus; pickles.

    ``base`` is the reader on whose grid all are laid, see `_laid`; without a ``place`` nothing is
    written.
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
        base, masks, found = self._laid(cases)
        voxels, own = [one.voxels for one in found], cases[base]
        rows = tuple(self._rows(own, cases, voxels, spacing_of(masks) or self.spacing))
        moved = tuple(self._moved(own.id, base, found))
        if self.place is None and self.method == "majority":
            return Together(rows, moved)
        id, rates = own.id, dict[int, Rates]()
        if self.method == "staple":
            agreed, rates = staple(voxels, len(self.organs))
        else:
            agreed = majority(voxels, len(self.organs))
        if self.place is not None:
            self.place.write(own, replace(masks, voxels=agreed))
        return Together(
            rows,
            moved,
            tuple(self._estimates(id, rates)),
            tuple(f"{id} {organ}" for organ in self._lost(agreed, voxels)),
            tuple(f"{id} {self.organs[at - 1]}" for at, one in rates.items() if not one.settled),
        )

    def _laid(self, cases: Sequence[MaskCase]) -> tuple[int, CaseMasks, list[Laid]]:
        """On whose grid all are laid, the masks there, and those of every reader on it.

        It is the base's, or where that file is cropped to what it shows the first that is not;
        where all are cropped, it goes as far as any of them.
        """
        masks = []
        for case, name in zip(cases, self.names, strict=True):
            try:
                masks.append(case.read(self.organs))
            except FileError as error:
                raise _of(name, error) from error
        whole = [at for at, one in enumerate(masks) if one.lattice and not one.is_cropped]
        base = self.base if self.base in whole or not whole else whole[0]
        found = []
        if not whole:
            masks[base] = widened(masks[base], masks)
        for name, one in zip(self.names, masks, strict=True):
            try:
                is_there = one is masks[base]
                found.append(Laid(one.voxels) if is_there else laid(masks[base], one))
            except FileError as error:
                raise _of(name, error, self.names[base]) from error
        return base, masks[base], found

    def _moved(self, id: str, base: int, found: Sequence[Laid]) -> Iterator[Moved]:
        for name, one in zip(self.names, found, strict=True):
            if one.how or one.beyond:
                yield Moved(id, name, self.names[base], one.how, one.beyond)

    def _rows(
        self,
        own: MaskCase,
        cases: Sequence[MaskCase],
        voxels: Sequence[Labels],
        spacing: Spacing | None,
    ) -> Iterator[PairResult]:
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
    """The error with the reader in front; beside another one, which of them is meant by what."""
    who = f"{name} (PRED) against {base} (REF)" if base else name
    remedy = _SAME_SLICES if base and error.code == "slices-differ" else error.remedy
    found = FileError(f"{who}: {error.reason}", remedy, error.code)
    found.file = error.file
    return found
