"""AMOS 2022: abdominal organs in CT and MR, `amos_0001.nii.gz` in imagesTr, imagesVa, imagesTs.

Source: https://doi.org/10.5281/zenodo.7262581 and its readme (numbers below 500 are CT, others
MRI); Ji et al., NeurIPS 2022, https://arxiv.org/abs/2206.08023. Neither says that each scan is of
another patient, and the table of metadata does not name patients: whose a case is, is asked.
"""

import re
from pathlib import Path

from chaosprep.dataset.descriptor import DataSource, License
from chaosprep.dataset.records import Split
from chaosprep.errors import plural
from chaosprep.facts import Label
from chaosprep.layouts.downloads import (
    find_home,
    has_file,
    legend_beside,
    origin_at,
    pairs_in,
    pool_of,
    takes_home,
)
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.named_cases import ASKS, Channel, Faults, NamedCase, make_root
from chaosprep.layouts.root import Origin, Root

_WHAT = "AMOS 2022"
_SIDES: tuple[tuple[str, Split], ...] = (("Tr", "train"), ("Va", "val"), ("Ts", "test"))
_NAME = re.compile(r"(amos_\d{4})")
_FILE = re.compile(r"amos_\d{4}\.nii\.gz")
_CHANNELS = ("ct", "mr")
_MR, _OTHERS = 500, 1000  # the first number of MRI; from where on there are unlabelled scans

_ORGANS = (
    *("spleen", "right kidney", "left kidney", "gallbladder", "esophagus", "liver", "stomach"),
    *("aorta", "inferior vena cava", "pancreas", "right adrenal gland", "left adrenal gland"),
    *("duodenum", "bladder", "prostate/uterus"),
)
_LEGEND = {value: Label(name) for value, name in enumerate(_ORGANS, 1)}
# As its dataset.json has them.
_SPELT = {"arota": "aorta", "gall bladder": "gallbladder", "postcava": "inferior vena cava"}

_ORIGIN = Origin(
    (
        License(
            name="CC-BY-4.0",
            path="https://creativecommons.org/licenses/by/4.0/",
            title="Creative Commons Attribution 4.0",
        ),
    ),
    (DataSource(title="AMOS 2022", path="https://doi.org/10.5281/zenodo.7262581"),),
)


def find(root: Path, where: Where) -> Root:
    """Find the scans of AMOS 2022, with the sides that it has; CT and MR are two sequences.

    Raises:
        UsageError: the root, its dataset.json, or what was said of the patients will not do.
        ChaosprepError: a folder cannot be listed, or two patients have one pseudonym.
    """
    folder = find_home(root, _fits, _WHAT, "imagesTr, imagesVa and imagesTs")
    faults, cases, odd = Faults(folder, where), list[NamedCase](), list[str]()
    legend, notes = legend_beside(folder, _LEGEND, _SPELT)
    for side, split in _SIDES:
        found = pairs_in(
            f"images{side}", f"labels{side}", faults, (_NAME, _NAME), bare=split == "test"
        )
        for name, (image, mask) in found.items():
            number = int(name[-4:])
            if not 0 < number < _OTHERS:
                odd.append(image)
                continue
            channel = Channel(_CHANNELS[number >= _MR], image)
            cases.append(NamedCase(name, (channel,), mask, pool_of(split), split))
    says = f"with a number that does not say whether it is CT or MRI: {plural(len(odd), 'scan')}"
    faults.tell_files("file-strange", odd, says, "Move them out.")
    return make_root(
        cases,
        faults,
        legend=legend,
        origin=origin_at(folder, _ORIGIN),
        notes=notes,
        channels=_CHANNELS,
    )


def _fits(folder: Path) -> bool:
    return has_file(folder / "imagesTr", _FILE)


LAYOUT = Layout("amos", _WHAT, find=find, takes=takes_home(_fits), asks=ASKS, is_published=True)
