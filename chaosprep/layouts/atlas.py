"""ATLAS 2023: liver and tumours in contrast-enhanced MR, imagesTr/im0.nii.gz, labelsTr/lb0.nii.gz.

Source: https://atlas-challenge.u-bourgogne.fr and Quinton et al., Data 8 (2023),
https://doi.org/10.3390/data8050079. Both say that its 90 scans are of 90 patients, so each case is
another patient's. Of the liver, the tumours are left out: 1 and 2 together are the whole.
"""

import re
from pathlib import Path

from chaosprep.dataset.descriptor import DataSource, License
from chaosprep.facts import Label
from chaosprep.layouts.downloads import (
    find_home,
    has_file,
    legend_beside,
    origin_at,
    pairs_in,
    takes_home,
)
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.named_cases import Channel, Faults, NamedCase, make_root
from chaosprep.layouts.root import Origin, Root

_WHAT = "ATLAS 2023"
_SEQUENCE = "t1-ce"
_NAMED = re.compile(r"im(\d{1,4})"), re.compile(r"lb(\d{1,4})")
_FILES = re.compile(r"im\d{1,4}\.nii\.gz"), re.compile(r"lb\d{1,4}\.nii\.gz")
_LEGEND = {1: Label("liver"), 2: Label("tumor")}
_ORIGIN = Origin(
    (
        License(
            name="CC-BY-NC-SA-4.0",
            path="https://creativecommons.org/licenses/by-nc-sa/4.0/",
            title="Creative Commons Attribution-NonCommercial-ShareAlike 4.0",
        ),
    ),
    (DataSource(title="ATLAS 2023", path="https://doi.org/10.3390/data8050079"),),
)


def find(root: Path, where: Where) -> Root:
    """Find the scans of ATLAS that have masks; its test set was never handed out.

    Raises:
        UsageError: the root or its dataset.json will not do.
        ChaosprepError: a folder cannot be listed, or two patients have one pseudonym.
    """
    folder = find_home(root, _fits, _WHAT, "imagesTr and labelsTr")
    faults = Faults(folder, where)
    legend, notes = legend_beside(folder, _LEGEND, {})
    cases = [
        NamedCase(f"im{number}", (Channel(_SEQUENCE, image),), mask, patient=number)
        for number, (image, mask) in pairs_in("imagesTr", "labelsTr", faults, _NAMED).items()
    ]
    return make_root(cases, faults, legend=legend, origin=origin_at(folder, _ORIGIN), notes=notes)


def _fits(folder: Path) -> bool:
    places = (folder / "imagesTr", folder / "labelsTr")
    return all(has_file(place, named) for place, named in zip(places, _FILES, strict=True))


LAYOUT = Layout("atlas", _WHAT, find=find, takes=takes_home(_fits), is_published=True)
