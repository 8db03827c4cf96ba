"""Duke Liver Dataset v2: DICOM slices, `0001/3/images/0001.dicom` and `0001/3/masks/0001.dicom`.

Source: https://doi.org/10.5281/zenodo.7774566 and Macdonald et al., Radiology: Artificial
Intelligence 5 (2023), doi:10.1148/ryai.220275. A folder of Segmentation is a patient, a folder in
it a series; `SegmentationKey.csv` (DLDS, Series, Label) says what kind of series that is, and
`SequenceTypes.csv` (Label, Series Description) how the kind is called. Numbers of series differ
from patient to patient, so series are called by their kinds.
"""

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import msgspec

from chaosprep.dataset.descriptor import DataSource, License
from chaosprep.errors import Problem
from chaosprep.files import real
from chaosprep.layouts import folder as patterns
from chaosprep.layouts.downloads import find_home, origin_at, read_rows, takes_home
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.names import make_ids
from chaosprep.layouts.root import Origin, Root, listing
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.source import SourceCase, is_litter

_WHAT = "the Duke Liver Dataset"
_IMAGES, _MASKS = "{patient}/{sequence}/images/{slice}.dicom", "{patient}/{sequence}/masks"
_STRUCTURE = "liver"
_PATIENT, _SERIES = re.compile(r"\d{4}"), re.compile(r"\d+")
_KEY, _TYPES = "SegmentationKey.csv", "SequenceTypes.csv"
_ORIGIN = Origin(
    (License(name="other", title="As its record on Zenodo has it; access is granted on request"),),
    (
        DataSource(
            title="Duke Liver Dataset (MRI) v2", path="https://doi.org/10.5281/zenodo.7774566"
        ),
    ),
)

Place = tuple[str, str]  # of a series: the numbers of its patient and its own


def find(root: Path, where: Where) -> Root:
    """Find the series with masks of the liver; what is only to be classified has none.

    Masks belong to the images in whose planes they lie.

    Raises:
        UsageError: the root or one of its tables will not do.
        NothingFoundError: it holds no image.
        ChaosprepError: a folder cannot be listed, or two patients have one pseudonym.
    """
    home = find_home(root, _fits, _WHAT, "Segmentation")
    made = patterns.find(home, replace(where, images=_IMAGES, masks=_MASKS))
    kinds = _kinds(root, home)
    ids = _ids(home, kinds or {}, where.key)
    cases = tuple(_called(case, ids) for case in made.cases)
    unnamed = sum(_place(case.images[0]) not in (kinds or {}) for case in cases)
    notes = [f"{_KEY} does not say what kind of series {unnamed} of {len(cases)} are"]
    if kinds is None:
        notes = [f"there is no {_KEY}: series are called by their numbers"]
    origin = origin_at(home, _ORIGIN)
    return replace(
        made,
        cases=tuple(sorted(cases, key=lambda case: f"{case.id}_")),
        problems=tuple(_renamed(problem, ids) for problem in made.problems),
        licenses=origin.licenses,
        sources=origin.sources,
        notes=tuple(notes if unnamed else ()),
    )


def _called(case: SourceCase, ids: Mapping[str, str]) -> SourceCase:
    id = ids.get(case.id, case.id)
    organs = dict.fromkeys(case.masks or (), _STRUCTURE)
    sequence = id.partition("_")[2]
    return msgspec.structs.replace(case, id=id, sequence=sequence, organs=organs, legend={})


def _renamed(problem: Problem, ids: Mapping[str, str]) -> Problem:
    return msgspec.structs.replace(problem, id=ids.get(problem.id, problem.id))


def _ids(home: Path, kinds: Mapping[Place, str], key: Key | None) -> dict[str, str]:
    """Id of a case by the number of its series -> its id by the kind.

    Where a patient has several series of a kind, their numbers tell them apart.
    """
    places = [(patient, series) for patient in _folders(home) for series in _folders(home, patient)]
    patients = {patient for patient, _ in places}
    called = key.patients(patients) if key else make_ids(patients, "P", digits=3)
    numbers = make_ids({series for _, series in places}, "s", digits=1)
    named = make_ids({kind.casefold() for kind in kinds.values()}, "s", digits=1)
    of_place = {
        place: kind
        for place in places
        if (kind := named.get(kinds.get(_place_of(*place), "").casefold()))
    }
    count = Counter((patient, kind) for (patient, _), kind in of_place.items())
    ids = dict[str, str]()
    for place, kind in of_place.items():
        patient, number = called[place[0]], numbers[place[1]]
        alone = count[place[0], kind] == 1
        ids[f"{patient}_{number}"] = f"{patient}_{kind if alone else f'{kind}-{number}'}"
    return ids


def _kinds(root: Path, home: Path) -> dict[Place, str] | None:
    """Place of a series -> its kind, by the tables beside the data; None without them."""
    base = real(root)
    around = [one for one in (home, *home.parents[:3]) if real(one).is_relative_to(base)]
    beside = next((one for one in around if (one / _KEY).is_file()), None)
    if beside is None:
        return None
    rows = read_rows(beside / _KEY, ",", ("DLDS", "Series", "Label")) or []
    types = read_rows(beside / _TYPES, ",", ("Label", "Series Description")) or []
    named = {label: called for label, called in types if called}
    return {
        _place_of(patient, series): named.get(label, f"type {label}")
        for patient, series, label in rows
        if label
    }


def _place(path: str) -> Place:
    return _place_of(*PurePosixPath(path).parts[:2])


def _place_of(patient: str, series: str) -> Place:
    """The numbers of a patient and a series, however many zeros they begin with."""
    return patient.lstrip("0"), series.lstrip("0")


def _folders(home: Path, *inner: str) -> list[str]:
    with listing(), os.scandir(home.joinpath(*inner)) as entries:
        there = [one.name for one in entries if one.is_dir() and not is_litter(one.name)]
    return sorted(there)


def _fits(folder: Path) -> bool:
    with listing(), os.scandir(folder) as entries:
        named = [one for one in entries if _PATIENT.fullmatch(one.name)]
    first = next((one for one in named if one.is_dir(follow_symlinks=False)), None)
    if first is None:
        return False
    with listing(), os.scandir(first.path) as entries:
        series = [one for one in entries if _SERIES.fullmatch(one.name)]
    return any((Path(one.path) / "masks").is_dir() for one in series)


LAYOUT = Layout("duke", _WHAT, find=find, takes=takes_home(_fits), is_published=True)
