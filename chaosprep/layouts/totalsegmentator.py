"""TotalSegmentator's data: `s0001/ct.nii.gz` or `mri.nii.gz`, `s0001/segmentations/liver.nii.gz`.

Source: Wasserthal et al., Radiology: Artificial Intelligence 5 (2023), doi:10.1148/ryai.230024, and
https://doi.org/10.5281/zenodo.6802613 (CT); Akinci D'Antonoli et al., Radiology 314 (2025),
doi:10.1148/radiol.241613, and https://doi.org/10.5281/zenodo.11367004 (MRI). `meta.csv` has the
side of each scan. A scan is not a patient: the 1204 scans of the first release are of 1134 people,
and nothing says which (wasserth/TotalSegmentator#569), so whose a case is, is asked.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from chaosprep.dataset.descriptor import DataSource, License
from chaosprep.dataset.records import Split
from chaosprep.errors import plural
from chaosprep.layouts.dataset_json import Inside
from chaosprep.layouts.downloads import (
    NIFTI,
    files_in,
    find_home,
    origin_at,
    pool_of,
    read_rows,
    takes_home,
)
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.named_cases import ASKS, Channel, Faults, NamedCase, make_root
from chaosprep.layouts.root import Origin, Root, listing

_WHAT = "TotalSegmentator's data"
_IMAGES = {"ct": "ct", "mri": "mr"}
_MASKS = "segmentations"
_META = "meta.csv"
_CASE = re.compile(r"s\d{4}")
_SPLITS: Mapping[str, Split] = {"train": "train", "val": "val", "test": "test"}
_CT = Origin(
    (
        License(
            name="CC-BY-4.0",
            path="https://creativecommons.org/licenses/by/4.0/",
            title="Creative Commons Attribution 4.0",
        ),
    ),
    (DataSource(title="TotalSegmentator CT", path="https://doi.org/10.5281/zenodo.6802613"),),
)
# The record of its second release has another licence than that of the third.
_MRI = Origin(
    (License(name="other", title="MRI: as the record of its release on Zenodo has it"),),
    (DataSource(title="TotalSegmentator MRI", path="https://doi.org/10.5281/zenodo.11367004"),),
)


def find(root: Path, where: Where) -> Root:
    """Find the scans of TotalSegmentator: a mask for each structure, called as its file is.

    Raises:
        UsageError: the root, meta.csv, or what was said of the patients will not do.
        ChaosprepError: a folder cannot be listed, or two patients have one pseudonym.
    """
    folder = find_home(root, _fits, _WHAT, "s0001 and so on")
    faults = Faults(folder, where)
    sides = _sides(folder)
    cases, unlisted = list[NamedCase](), list[str]()
    for name, channels, organs in _Scans(faults).every():
        split = None if sides is None else sides.get(name)
        if sides is not None and split is None:
            unlisted.append(name)
            continue
        cases.append(NamedCase(name, channels, None, pool_of(split), split, organs=organs))
    says = f"{_META} has no side for them: {faults.cases(unlisted)}"
    faults.tell_cases("case-unlisted", unlisted, says, "Correct it, or remove it to divide again.")
    there = {channel.name for case in cases for channel in case.channels}
    kinds = [one for name, one in (("ct", _CT), ("mr", _MRI)) if name in there]
    origin = Origin(
        tuple(licence for one in kinds for licence in one.licenses),
        tuple(source for one in kinds for source in one.sources),
    )
    notes = (
        [] if sides is not None else [f"there is no {_META}: nothing says which patients validate"]
    )
    return make_root(cases, faults, legend={}, origin=origin_at(folder, origin), notes=notes)


class _Scans:
    """The folders of scans; what is wrong with them goes to ``faults``, once for each cause."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._inside = Inside(faults.folder)
        self._lost, self._bare, self._odd = list[str](), list[str](), list[str]()

    def every(self) -> list[tuple[str, tuple[Channel, ...], dict[str, str]]]:
        """The name of each scan, its images, and its masks with their structures."""
        with listing():
            names = sorted(
                one.name for one in self._faults.folder.iterdir() if _CASE.fullmatch(one.name)
            )
        found = [one for name in names if (one := self._scan(name)) is not None]
        faults, lost = self._faults, self._lost
        says = f"without ct.nii.gz or mri.nii.gz: {plural(len(lost), 'scan')}"
        faults.tell_files("image-missing", lost, says, "Bring them back.")
        says = f"without a mask in {_MASKS}: {plural(len(self._bare), 'scan')}"
        faults.tell_files(
            "mask-missing", self._bare, says, "Bring them back, or move the scans out."
        )
        says = f"not NIfTI, but in {_MASKS}: {plural(len(self._odd), 'file')}"
        faults.tell_files("file-strange", self._odd, says, "Move them out.")
        return found

    def _scan(self, name: str) -> tuple[str, tuple[Channel, ...], dict[str, str]] | None:
        files = {stem: path for path, stem in files_in(name, NIFTI, self._inside, self._faults)}
        channels = tuple(
            Channel(called, files[stem]) for stem, called in _IMAGES.items() if stem in files
        )
        organs = dict[str, str]()
        for path, stem in files_in(f"{name}/{_MASKS}", NIFTI, self._inside, self._faults):
            if stem:
                organs[path] = stem
            else:
                self._odd.append(path)
        if not channels or not organs:
            (self._bare if channels else self._lost).append(name)
            return None
        return name, channels, organs


def _sides(folder: Path) -> dict[str, Split] | None:
    """Scan -> side, as meta.csv has it; None without one, or where it has no sides."""
    rows = read_rows(folder / _META, ";", ("image_id", "split"))
    if rows is None:
        return None
    return {name: _SPLITS[side] for name, side in rows if side in _SPLITS}


def _fits(folder: Path) -> bool:
    with listing(), os.scandir(folder) as entries:
        named = (entry.path for entry in entries if _CASE.fullmatch(entry.name))
        first = next(named, None)
    if first is None:
        return False
    there = any((Path(first) / f"{stem}{NIFTI}").is_file() for stem in _IMAGES)
    return there or (Path(first) / _MASKS).is_dir()


LAYOUT = Layout(
    "totalsegmentator", _WHAT, find=find, takes=takes_home(_fits), asks=ASKS, is_published=True
)
