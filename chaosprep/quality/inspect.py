"""inspect: what is below a dataset root, as the layout and the headers tell it."""

from collections import Counter
from pathlib import Path

import msgspec
import numpy as np

from chaosprep.dataset.executors import WorkerDied, map_unordered, open_executor
from chaosprep.dataset.stage import make_params
from chaosprep.errors import FileError, Problem
from chaosprep.imaging.images import read_mask
from chaosprep.imaging.organs import level_histogram
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.series import Series, SourceCase, read_series


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """One case as it was found; `matrices` are rows x cols, `spacing` (slice, row, col) in mm."""

    id: str
    patient: str
    sequence: str
    pool: str
    images: int
    masks: int | None
    slices: int
    matrices: tuple[str, ...]
    spacing: tuple[float | None, float, float] | None
    bits_stored: tuple[int, ...]
    echo_time: float | None
    levels: dict[int, int]
    warnings: tuple[str, ...]
    problems: tuple[Problem, ...]


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """Everything below a root."""

    root: Path
    cases: tuple[CaseView, ...]
    problems: tuple[Problem, ...]

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients, sorted."""
        return tuple(sorted({case.patient for case in self.cases}))


def inspect(root: str | Path, *, jobs: int = 1, **where: str | None) -> Inspection:
    """Read the headers and masks below a dataset root.

    Args:
        root: the dataset root.
        jobs: worker processes.
        where: `layout`, `images`, `masks`, `patient_from`, `pseudonymize`, as for `split`.

    Raises:
        UsageError: the root is not a folder, or a parameter will not do.
        NothingFoundError: no case is below it.
    """
    found = find(root, make_params(LayoutParams, where), strict=False)
    views: list[CaseView] = []
    problems = list(found.problems)
    for case, view in map_unordered(lambda: open_executor(jobs), inspect_case, iter(found.cases)):
        if isinstance(view, WorkerDied):
            problems.append(Problem(code="worker-died", id=case.id, reason="its worker died"))
        else:
            views.append(view)
    views.sort(key=lambda view: view.id)
    problems += [problem for view in views for problem in view.problems]
    problems += _swapped_phases(views)
    return Inspection(root=found.directory, cases=tuple(views), problems=tuple(problems))


def inspect_case(case: SourceCase) -> CaseView:
    """Read one case's headers and masks."""
    series = read_series(case)
    headers = [found.header for found in series.slices]
    sizes = Counter(f"{header.rows}x{header.cols}" for header in headers)
    pixel_spacing = next((h.pixel_spacing for h in headers if h.pixel_spacing), None)
    echoes = [header.echo_time for header in headers if header.echo_time is not None]
    levels, odd = _levels(series)
    noted = Counter(text for found in series.slices for text in found.warnings)
    return CaseView(
        id=case.id,
        patient=case.patient,
        sequence=case.sequence,
        pool=case.pool,
        images=len(case.images),
        masks=None if case.masks is None else len(case.masks),
        slices=len(series.slices),
        matrices=tuple(sizes),
        spacing=(series.slice_spacing, *pixel_spacing) if pixel_spacing else None,
        bits_stored=tuple(sorted({header.bits_stored for header in headers})),
        echo_time=float(np.median(echoes)) if echoes else None,
        levels=levels,
        warnings=tuple(noted),
        problems=(*series.problems, *(Problem.of(e, case.id, case.shown(path)) for path, e in odd)),
    )


def _levels(series: Series) -> tuple[dict[int, int], list[tuple[str, FileError]]]:
    """Grey level -> pixels over all masks (a 1-bit mask counts as 0 and 1)."""
    total: Counter[int] = Counter()
    odd: list[tuple[str, FileError]] = []
    for found in series.slices:
        if found.mask_array is not None:
            total.update(level_histogram(found.mask_array))
            continue
        if found.mask_data is None or found.mask is None:
            continue
        try:
            total.update(level_histogram(read_mask(found.mask_data).pixels))
        except FileError as error:
            odd.append((found.mask, error))
    return dict(sorted(total.items())), odd


def _swapped_phases(views: list[CaseView]) -> list[Problem]:
    """In CHAOS the longer echo is the in-phase one (about 4.6 ms at 1.5 T)."""
    echo = {view.id: view.echo_time for view in views}
    problems = []
    for view in views:
        other = echo.get(f"{view.patient}_t1-out")
        if view.sequence == "t1-in" and view.echo_time and other and view.echo_time <= other:
            reason = f"in-phase echo {view.echo_time:g} ms, opposed-phase {other:g} ms"
            remedy = "The longer echo should be in-phase: the folders may be swapped."
            problems.append(
                Problem(code="phases-swapped", id=view.id, reason=reason, remedy=remedy)
            )
    return problems
