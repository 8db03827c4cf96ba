"""inspect, of a root that headers tell: every volume, what refers to it, what is taken and why."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence

from chaosprep.errors import Problem
from chaosprep.formats.masks import mask_format
from chaosprep.layouts.headers.catalog import Volume, by_person
from chaosprep.layouts.headers.choosing import Chosen
from chaosprep.layouts.headers.criteria import fact, first_number
from chaosprep.layouts.headers.head import count_pictures
from chaosprep.layouts.headers.masks import find_masks
from chaosprep.layouts.headers.passed_over import notes_of
from chaosprep.layouts.headers.picking import series_number, study_order
from chaosprep.layouts.headers.selection import read_selections
from chaosprep.layouts.headers.survey import Survey
from chaosprep.quality.archived import MASKS, UNKNOWN, Archive, VolumeView, kinds_of, others_of
from chaosprep.quality.inspected import CaseView, of_patients
from chaosprep.series.source import SourceCase


def inspect_archive(survey: Survey, patients: Collection[str] = ()) -> Archive:
    """What headers tell of a root: every volume, and the cases that `split` takes of them.

    Args:
        survey: the root.
        patients: tell only of these; empty means of all.

    Raises:
        UsageError: `patient`, there is none of an id.
    """
    root = survey.root
    volumes = of_patients(views(survey), patients)
    told = set(notes_of(survey.catalog, survey.masks.seen))
    by_case = {view.case: view for view in volumes if view.case}
    return Archive(
        root=root.directory,
        cases=tuple(_case(case, by_case[case.id]) for case in root.cases if case.id in by_case),
        problems=tuple(one for one in root.problems if _is_of(one, patients)),
        notes=tuple(note for note in root.notes if note not in told),
        volumes=volumes,
        kinds=kinds_of(volumes),
        others=() if patients else others_of(survey.catalog, volumes),
    )


def _is_of(problem: Problem, patients: Collection[str]) -> bool:
    return not patients or problem.id.partition("_")[0] in patients


def _case(case: SourceCase, view: VolumeView) -> CaseView:
    between, *inside = view.spacing
    row, col = inside
    return CaseView(
        id=case.id,
        patient=case.patient,
        sequence=case.sequence,
        pool=case.split or case.pool,
        images=len(case.images),
        masks=None if case.masks is None else len(case.masks),
        slices=view.slices,
        matrices=tuple(view.matrix.split()),
        spacing=None if row is None or col is None else (between, row, col),
        bits_stored=(),
        modality=view.modality,
        echo_time=view.echo_time,
        levels={},
        warnings=case.notes,
        problems=(),
    )


def views(survey: Survey) -> tuple[VolumeView, ...]:
    """Every volume, by patient, study, series and name."""
    refused = {case.id for case in survey.root.cases if case.refused}
    cases = {volume: case for case, volume in survey.taken.items() if case not in refused}
    places = _places(survey.catalog.volumes)
    refers, reasons = _refers(survey), _Reasons(survey)
    found = [
        _view(
            volume,
            patient=survey.patients.get(volume.person, UNKNOWN),
            place=places[volume],
            refers=refers.get(volume, ()),
            case=cases.get(volume, ""),
            why="" if volume in cases else reasons.why_not(volume),
        )
        for volume in survey.catalog.volumes
    ]
    return tuple(sorted(found, key=lambda one: (one.patient, one.study, one.series, one.name)))


def _view(
    volume: Volume,
    *,
    patient: str,
    place: tuple[int, int],
    refers: tuple[str, ...],
    case: str,
    why: str,
) -> VolumeView:
    facts, first = volume.facts, volume.heads[0]
    time = facts.get("time", "")
    is_told = re.search(rf"-t{time}(-\d+)?$", volume.name) and facts.get("volumes") != "1"
    sizes = sorted({f"{head.rows}x{head.cols}" for head in volume.heads})
    return VolumeView(
        patient=patient,
        study=place[0],
        series=place[1],
        name=volume.name,
        description=facts.get("SeriesDescription", ""),
        modality=facts.get("Modality", ""),
        plane=facts.get("plane", ""),
        slices=count_pictures(volume.heads),
        matrix=" ".join(sizes),
        spacing=(first_number(fact(volume, "spacing")), *(first.pixel_spacing or (None, None))),
        echo_time=first_number(facts.get("EchoTime", "")),
        b_value=first_number(facts.get("DiffusionBValue", "")),
        time=int(time) if time and is_told else None,
        refers=refers,
        case=case,
        why=why,
        left_out=volume.left_out,
    )


def _places(volumes: Sequence[Volume]) -> dict[Volume, tuple[int, int]]:
    """The number of each volume's study, of those of its patient, and of its series there."""
    found: dict[Volume, tuple[int, int]] = {}
    for own in by_person(volumes).values():
        studies: dict[str, list[Volume]] = defaultdict(list)
        for volume in own:
            studies[volume.study].append(volume)
        for at, study in enumerate(sorted(studies, key=study_order(own)), start=1):
            series = sorted({(series_number(one), one.series) for one in studies[study]})
            numbers = {uid: number for number, (_, uid) in enumerate(series, start=1)}
            found |= {one: (at, numbers[one.series]) for one in studies[study]}
    return found


def _refers(survey: Survey) -> dict[Volume, tuple[str, ...]]:
    """The kinds of masks on each volume: of what is taken its masks, of the rest what would be."""
    catalog = survey.catalog
    every = [Chosen(volume, volume.name) for volume in catalog.volumes]
    judged = survey.masks.judged
    there, _ = find_masks(survey.root.directory, catalog, every, survey.where, judged)
    kinds = {entry.path: MASKS.get(entry.what, entry.what) for entry in catalog.masks}
    taken = dict.fromkeys(survey.taken.values(), ())
    return {
        volume: tuple(sorted({kinds.get(path) or _kind(path) for path in masks}))
        for volume, masks in {**there, **taken, **survey.masks}.items()
    }


def _kind(path: str) -> str:
    found = mask_format(path)
    return "mask" if found.lies is None else found.name


class _Reasons:
    """Why volumes are not taken."""

    def __init__(self, survey: Survey) -> None:
        self._taken = set(survey.taken.values())
        self._selections = read_selections(survey.where)
        self._ids = survey.patients
        self._has_mask = survey.masks.takes
        self._problems: dict[str, set[str]] = defaultdict(set)
        for problem in survey.root.problems:
            self._problems[problem.id].add(problem.code)

    def why_not(self, volume: Volume) -> str:
        """Why a volume is no case, in a few words."""
        fits = [one for one in self._selections if one.fits(volume)]
        patient = self._ids.get(volume.person)
        if patient is None:
            return "its patient is not known"
        if volume.left_out:
            return volume.left_out
        if self._selections and not fits:
            return "not asked for"
        names = [one.sequence for one in fits] or [volume.name]
        codes = self._problems[patient].union(
            *(self._problems[f"{patient}_{name}"] for name in names)
        )
        for code, text in _BY_CODE.items():
            if code in codes:
                return text
        if not self._has_mask(volume):
            return "no mask"
        return "another is picked" if volume not in self._taken else "refused"


_BY_CODE = {
    "person-twice": "one person under two ids",
    "patient-mixed": "two persons under one id",
    "name-identifies": "its name identifies",
    "series-twice": "fits two sequences",
    "series-several": "several fit",
}
"""Code of a problem of a patient or a sequence -> why their volumes are not taken."""
