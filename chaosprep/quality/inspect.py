"""inspect: what is below a dataset root, as the layout and the headers tell it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.descriptor import LabelMap
from chaosprep.dataset.opening import is_stage_directory, open_dataset
from chaosprep.errors import FileError, NothingFoundError, Problem
from chaosprep.formats.image_file import ImageFile
from chaosprep.formats.images import open_image, storage_of
from chaosprep.formats.pictures import read_mask
from chaosprep.imaging.levels import check_levels, level_histogram
from chaosprep.imaging.measured import looked_up, measured
from chaosprep.known import LEVELS, PHASES, owner
from chaosprep.layouts.find import LayoutParams, find, survey
from chaosprep.params import make_params
from chaosprep.quality.archive import inspect_archive
from chaosprep.quality.foreign.picture_views import inspect_pictures
from chaosprep.quality.foreign.volumes import look_beside, plain_root
from chaosprep.quality.inspected import CaseView, Inspection, Named, of_patients
from chaosprep.quality.left_out import left_out_notes
from chaosprep.quality.outliers.gauge import Gauge
from chaosprep.quality.outliers.judging import not_judged, outliers
from chaosprep.quality.outliers.measuring import values_of_table
from chaosprep.quality.outliers.sources import gauge_for, in_units, structures_of
from chaosprep.quality.persons import check_sides, told_by, trusts_folders
from chaosprep.running.mapping import map_cases, on_workers
from chaosprep.series.reading import Series, read_series
from chaosprep.series.source import SourceCase
from chaosprep.workbench import Workbench


def inspect(root: str | Path, *, jobs: int = 1, **where: object) -> Inspection:
    """Read what is below a dataset root, or what a stage directory holds.

    Args:
        root: the dataset root, a stage directory (whose table tells most of it), or a folder of
            pictures.
        jobs: worker processes.
        where: `layout`, `images`, `masks`, `labels`, `roi`, `threshold`, `patient_from`,
            `trust_folders`, `patient_from_name`, `patients`, `pseudonymize`, `patient`, `select`,
            `series`, `pick` and so on, as for `split`.

    Returns:
        What is there; an `Archive` where headers tell it: of those alone, no pixels are read.

    Raises:
        UsageError: the root is not a folder, or a parameter will not do.
        NothingFoundError: no case is below it.
    """
    params = make_params(LayoutParams, where)
    if is_stage_directory(Path(root)):
        dataset = open_dataset(root)
        cases = tuple(map(_view_of, of_patients(dataset.cases, params.patient)))
        problems, trusted = dataset.skipped, trusts_folders(dataset)
        persons = check_sides(list(map(told_by, dataset.cases)), trusted=trusted)
        if not trusted:
            problems += (*persons.faults, *persons.warnings)
        measured = [case.measured for case in cases if case.measured]
        few = () if params.patient else not_judged(measured)
        shown = ({value for row in case.slices for value in row.labels} for case in dataset.cases)
        return Inspection(
            root=dataset.directory,
            cases=cases,
            problems=problems,
            notes=(*persons.notes, *left_out_notes(dataset), *few),
            labels=_named(dataset.label_map, shown),
            outliers=outliers(measured),
        )
    plain = None
    try:
        seen = survey(root, params, Workbench(jobs=jobs, work=on_workers))
    except NothingFoundError:
        seen, plain = None, plain_root(Path(root), params)
        if plain is None:
            pictures = inspect_pictures(Path(root), jobs=jobs) if params == LayoutParams() else None
            if pictures is None:
                raise
            return pictures
    if seen is not None:
        return inspect_archive(seen, params.patient)
    found = plain or find(root, params, strict=False)
    wanted = of_patients(found.cases, params.patient)
    views, failed = map_cases(inspect_case, wanted, lambda case: case.id, jobs)
    views.sort(key=lambda view: view.id)
    own = [problem for view in views for problem in view.problems]
    told = {problem.file or "" for problem in (*found.problems, *failed, *own)}
    beside = look_beside(found, wanted, told, jobs=jobs)
    views = [_with_warnings(view, beside.warnings) for view in views]
    values = [view.measured for view in views if view.measured]
    problems = (*found.problems, *failed, *own, *beside.faults, *_swapped_phases(views))
    return Inspection(
        root=found.directory,
        cases=tuple(views),
        problems=problems,
        notes=(*found.notes, *(() if params.patient else not_judged(values))),
        labels=_named(found.label_map, (case.shows for case in found.cases)),
        outliers=outliers(values),
    )


def _with_warnings(view: CaseView, warnings: Iterable[Problem]) -> CaseView:
    """The same with what its volumes are warned of."""
    more = [f"{one.file}: {one.reason}" for one in warnings if one.id == view.id]
    return msgspec.structs.replace(view, warnings=(*view.warnings, *more)) if more else view


def _named(labels: LabelMap, shown: Iterable[Iterable[int]]) -> tuple[Named, ...]:
    """A label map with how many cases show each value; ``shown`` are the values of each case."""
    cases = Counter(value for values in shown for value in {*values})
    return tuple(
        Named(value, label.name, label.code, cases[value]) for value, label in labels.items()
    )


def inspect_case(case: SourceCase) -> CaseView:
    """Read one case's headers and masks."""
    series = read_series(case)
    headers = [found.header for found in series.slices]
    sizes = Counter(f"{header.rows}x{header.cols}" for header in headers)
    pixel_spacing = next((h.pixel_spacing for h in headers if h.pixel_spacing), None)
    echoes = [header.echo_time for header in headers if header.echo_time is not None]
    odd: list[tuple[str, FileError]] = []
    levels = _levels(series, case.levels, odd)
    gauge = gauge_for(case, series)
    values = _values(case, series, odd, gauge)
    stored = {storage_of(found.image, found.image_data) for found in series.slices}
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
        modality="/".join(sorted({header.modality for header in headers} - {""})),
        transfer_syntaxes=tuple(sorted(stored)),
        values=values,
        echo_time=float(np.median(echoes)) if echoes else None,
        levels=levels,
        warnings=_noted([(found.id, found.warnings) for found in series.slices]),
        problems=(*series.problems, *(Problem.of(e, case.id, case.shown(path)) for path, e in odd)),
        measured=None if odd or series.problems else gauge.values(),
    )


def _view_of(case: Case) -> CaseView:
    rows = case.slices
    return CaseView(
        id=case.id,
        patient=case.patient,
        sequence=rows[0].sequence,
        pool=case.split,
        images=len(rows),
        masks=sum(row.mask is not None for row in rows) or None,
        slices=len(rows),
        matrices=tuple(dict.fromkeys(f"{row.rows}x{row.cols}" for row in rows)),
        spacing=next((row.spacing for row in rows if row.spacing), None),
        bits_stored=tuple(sorted({row.bits_stored for row in rows})),
        echo_time=None,
        levels=dict.fromkeys(sorted({0, *(level for row in rows for level in row.labels)}), 0),
        warnings=_noted([(row.id, row.warnings) for row in rows]),
        problems=(),
        measured=values_of_table(case),
    )


def _noted(slices: Sequence[tuple[str, tuple[str, ...]]]) -> tuple[str, ...]:
    """The warnings of a case: those of every slice once, the others with the slices' ids."""
    where: dict[str, list[str]] = {}
    for id, warnings in slices:
        for text in dict.fromkeys(warnings):
            where.setdefault(text, []).append(id)
    found = []
    for text, ids in where.items():
        more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
        shown = f" ({', '.join(ids[:3])}{more})" if len(ids) < len(slices) else ""
        found.append(f"{text}{shown}")
    return tuple(found)


def _values(
    case: SourceCase, series: Series, odd: list[tuple[str, FileError]], gauge: Gauge
) -> tuple[float, float] | None:
    """The smallest and largest stored value, padding left out; unreadable files go to `odd`.

    The gauge takes all that can be read.

    Those of a Modality LUT stand in place of the stored ones.
    """
    ends: list[float] = []
    opened: dict[str, ImageFile] = {}
    for found in series.slices:
        try:
            if found.image not in opened:
                opened = {found.image: open_image(found.image, found.image_data)}
            shown = looked_up(*opened[found.image].read(found.frame))
        except FileError as error:
            odd.append((found.image, error))
        else:
            values = measured(*shown)
            ends += [float(values.min()), float(values.max())] if values.size else []
            structures: list[tuple[str, NDArray[np.bool_]]] = []
            with suppress(FileError):  # what is wrong with a mask is told by its levels
                structures += structures_of(found, case, series)
            gauge.add(in_units(*shown), structures)
    return (min(ends), max(ends)) if ends else None


def _levels(series: Series, table: str | None, odd: list[tuple[str, FileError]]) -> dict[int, int]:
    """Grey level -> pixels over all masks (a 1-bit mask counts as 0 and 1); odd ones go to `odd`.

    `table` names the grey levels that the masks are meant to have, where that is known.
    """
    total: Counter[int] = Counter()
    for found in series.slices:
        if found.mask_array is not None:
            for value, pixels in level_histogram(found.mask_array).items():
                total.update(dict.fromkeys(series.overlaps.get(value, (value,)), pixels))
        elif found.mask_data is not None and found.mask is not None:
            try:
                mask = read_mask(found.mask_data)
                histogram = level_histogram(mask.pixels)
                total.update(histogram)
                if table is not None and not mask.binary:
                    check_levels(histogram, LEVELS[table].organs, owner(table), mask.pixels)
            except FileError as error:
                odd.append((found.mask, error))
    return dict(sorted(total.items()))


def _swapped_phases(views: list[CaseView]) -> Iterator[Problem]:
    """Of two phases of one scan the longer echo is the in-phase one."""
    opposed = dict(PHASES)
    echoes = {view.id: view.echo_time for view in views}
    for view in (view for view in views if view.sequence in opposed):
        other = echoes.get(f"{view.patient}_{opposed[view.sequence]}")
        if view.echo_time and other and view.echo_time <= other:
            reason = f"in-phase echo {view.echo_time:g} ms, opposed-phase {other:g} ms"
            remedy = "The longer echo should be in-phase: the folders may be swapped."
            yield Problem(code="phases-swapped", id=view.id, reason=reason, remedy=remedy)
