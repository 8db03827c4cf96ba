"""The public data sets that are known by name: one file and one line each.

Where a dataset does not say which it is, the facts of all of them are asked.
"""

from chaosprep.chaos import CHAOS, USUAL_LEVELS, LevelsName, OrganName
from chaosprep.facts import Known

__all__ = ["USUAL_LEVELS", "LevelsName", "OrganName"]

KNOWN: dict[str, Known] = {"chaos": CHAOS}

LEVELS = {name: table for one in KNOWN.values() for name, table in one.levels.items()}
SERIES = {series.name: series for one in KNOWN.values() for series in one.series}
PHASES = tuple(pair for one in KNOWN.values() for pair in one.phases)
CODES = {organ: code for one in KNOWN.values() for organ, code in one.codes.items()}
MIRRORED = tuple(dict.fromkeys(pair for one in KNOWN.values() for pair in one.mirrored))
SCORING = next(one.scoring for one in KNOWN.values() if one.scoring is not None)


def owner(levels: str) -> Known:
    """The data set that has a table of grey levels of this name."""
    return next(one for one in KNOWN.values() if levels in one.levels)


def is_ct(sequence: str) -> bool:
    """Whether a sequence is known to be CT."""
    return sequence in SERIES and SERIES[sequence].modality == "CT"
