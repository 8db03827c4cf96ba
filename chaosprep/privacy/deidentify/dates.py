"""Dates shifted by a number of days that is the patient's own: what lay between them remains."""

import re
from datetime import date, timedelta

from chaosprep.privacy.pseudonyms import Key

MOST_DAYS = 3650
_DA = re.compile(r"\d{8}")
_TM = re.compile(r"([01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?")
_DT = re.compile(rf"(\d{{8}})((?:{_TM.pattern})?(?:[+-](?:0\d|1[0-4])[0-5]\d)?)")


def shift_of(patient: str, key: Key) -> int:
    """By how many days the dates of a patient move: from -`MOST_DAYS` to -1."""
    return -1 - key.number("days", patient) % MOST_DAYS


def shifted_date(text: str, days: int) -> str | None:
    """A date (PS3.5 6.2: DA, YYYYMMDD) so many days on; None where it is none, or out of range."""
    if not _DA.fullmatch(text):
        return None
    try:
        there = date(int(text[:4]), int(text[4:6]), int(text[6:])) + timedelta(days)
    except (ValueError, OverflowError):
        return None
    return f"{there.year:04}{there.month:02}{there.day:02}"


def shifted_datetime(text: str, days: int) -> str | None:
    """A date and time (DT) so many days on, its time and offset as they were; None as of a date.

    One without month or day has no days to move by, and is none.
    """
    found = _DT.fullmatch(text)
    there = shifted_date(found[1], days) if found else None
    return there + found[2] if found and there else None


def is_time(text: str) -> bool:
    """Whether a text is a time of day (TM, HHMMSS.FFFFFF, of which the end may be missing)."""
    return _TM.fullmatch(text) is not None
