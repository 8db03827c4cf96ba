"""What a user writes of series and patients, which the manifest keeps: it may identify somebody."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from chaosprep.errors import UsageError
from chaosprep.layouts.headers.catalog import Volume
from chaosprep.layouts.headers.selection import read_selections
from chaosprep.layouts.headers.texts import tells, without_uids
from chaosprep.layouts.layout import Where
from chaosprep.privacy.evidence import identity_of


def check_said(where: Where, volumes: Iterable[Volume]) -> None:
    """Refuse what would carry a patient's name, number or date into the manifest.

    Raises:
        UsageError: `name-identifies`; `select` or `series-file`, it cannot be understood.
    """
    said = [*_said(where)]
    if not said:
        return
    every = (without_uids(identity_of(volume.heads[0].evidence)) for volume in volumes)
    people = list({tuple(one.items()): one for one in every}.values())
    for option, text in said:
        if any(tells(text, one) for one in people):
            raise UsageError(
                f"--{option}: it holds a UID, or what also occurs in a patient's headers (a name "
                "or a part of it, a number, a date), and would identify the patient in every "
                "output",
                "Write something else there: * and ? stand for any text in --select and --series, "
                "{} in --patient-from-name; rename a folder of --masks.",
                code="name-identifies",
            )


def _said(where: Where) -> Iterator[tuple[str, str]]:
    """Option -> each text that was given with it, with a space for what stands for any other."""
    asked = len(where.select)
    for selection in read_selections(where):
        own = len(selection.criteria) - asked
        for at, criterion in enumerate(selection.criteria):
            option = "series" if at < own else "select"
            yield from ((option, re.sub(r"[*?]", " ", text)) for text in criterion.patterns)
    if where.patient_from_name is not None:
        yield "patient-from-name", re.sub(r"\{[^{}]*\}", " ", where.patient_from_name)
    if where.masks is not None:
        names = Path(where.masks).parts
        kept = names[-1:] if Path(where.masks).is_absolute() else names
        yield from (("masks", name) for name in kept)
