"""CirrMRI600+: livers with cirrhosis, and healthy ones, in T1- and T2-weighted MR.

`Cirrhosis_T1_3D/train_images/12.nii.gz`, with train_masks, valid_images and so on; healthy subjects
in `Healthy_subjects/T1_W_Healthy/T1_images`. Source: https://doi.org/10.17605/OSF.IO/CUK24 and Jha
et al., Scientific Data 12 (2025), https://doi.org/10.1038/s41597-025-05201-7. A file is called as
the column `Patient ID` of its tables has it: one number is one patient in T1 and in T2. Numbers of
healthy subjects are a list of their own.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from chaosprep.dataset.descriptor import DataSource, License
from chaosprep.dataset.records import Split
from chaosprep.errors import plural
from chaosprep.facts import Label
from chaosprep.layouts.downloads import (
    find_home,
    has_file,
    origin_at,
    pairs_in,
    pool_of,
    takes_home,
)
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.named_cases import Channel, Faults, NamedCase, make_root
from chaosprep.layouts.root import Origin, Root

_WHAT = "CirrMRI600+"
_WEIGHTS = ("T1", "T2")
_USUAL = ("t1", "t2")
_SIDES: tuple[tuple[str, Split], ...] = (("train", "train"), ("valid", "val"), ("test", "test"))
_NAME = re.compile(r"(\d{1,6})")
_FILE = re.compile(r"\d{1,6}\.nii\.gz")
_LEGEND = {1: Label("liver")}
_FLAT = "Cirrhosis_T2_2D"
_ORIGIN = Origin(
    (
        License(
            name="CC-BY-NC-4.0",
            path="https://creativecommons.org/licenses/by-nc/4.0/",
            title="Creative Commons Attribution-NonCommercial 4.0",
        ),
    ),
    (DataSource(title="CirrMRI600+", path="https://doi.org/10.17605/OSF.IO/CUK24"),),
)


def find(root: Path, where: Where) -> Root:
    """Find the scans of CirrMRI600+: `t1` and `t2` with its sides, `healthy-t1` and `healthy-t2`.

    Healthy subjects are on no side; their sequences are taken where they are asked for.

    Raises:
        UsageError: the root will not do.
        ChaosprepError: a folder cannot be listed, or two patients have one pseudonym.
    """
    folder = find_home(root, _fits, _WHAT, "Cirrhosis_T1_3D, Cirrhosis_T2_3D")
    faults = Faults(folder, where)
    sick, healthy = [*_sick(faults)], [*_healthy(faults)]
    notes = list[str]()
    if sick and healthy:
        count = len({case.patient for case in healthy})
        said = f"{plural(count, 'healthy subject')}, on no side of its own"
        notes.append(f"{said}, taken only with --sequence healthy-t1 and healthy-t2")
    if (folder / _FLAT).is_dir():
        notes.append(f"{_FLAT} is the same scans as pictures, and is not looked at")
    made = make_root(
        (*sick, *healthy),
        faults,
        legend=_LEGEND,
        origin=origin_at(folder, _ORIGIN),
        notes=notes,
    )
    return replace(made, usual=_USUAL if sick else ())


def _sick(faults: Faults) -> Iterator[NamedCase]:
    for weight in _WEIGHTS:
        for side, split in _SIDES:
            place = f"Cirrhosis_{weight}_3D/{side}"
            found = pairs_in(f"{place}_images", f"{place}_masks", faults, (_NAME, _NAME))
            for number, (image, mask) in found.items():
                yield NamedCase(
                    f"{number} {weight} {side}",
                    (Channel(weight.lower(), image),),
                    mask,
                    pool_of(split),
                    split,
                    patient=number,
                )


def _healthy(faults: Faults) -> Iterator[NamedCase]:
    for weight in _WEIGHTS:
        place = f"Healthy_subjects/{weight}_W_Healthy/{weight}"
        found = pairs_in(f"{place}_images", f"{place}_masks", faults, (_NAME, _NAME))
        for number, (image, mask) in found.items():
            channel = Channel(f"healthy-{weight.lower()}", image)
            patient = f"healthy-{number}"
            yield NamedCase(f"{patient} {weight}", (channel,), mask, patient=patient)


def _fits(folder: Path) -> bool:
    sick = [f"Cirrhosis_{weight}_3D/{side}_images" for weight in _WEIGHTS for side, _ in _SIDES]
    healthy = [f"Healthy_subjects/{weight}_W_Healthy/{weight}_images" for weight in _WEIGHTS]
    return any(has_file(folder / place, _FILE) for place in (*sick, *healthy))


LAYOUT = Layout("cirrmri", _WHAT, find=find, takes=takes_home(_fits), is_published=True)
