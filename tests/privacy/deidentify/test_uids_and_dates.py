"""UIDs and dates: others by the key, so that references resolve and intervals remain."""

from datetime import datetime

import pytest

from chaosprep.privacy.deidentify.dates import is_time, shift_of, shifted_date, shifted_datetime
from chaosprep.privacy.deidentify.uids import keyed
from chaosprep.privacy.pseudonyms import Key

KEY, OTHER = Key(b"k" * 32), Key(b"o" * 32)
CLASSES = (
    "1.2.840.10008.5.1.4.1.1.4",  # MR image storage
    "1.2.840.10008.5.1.4.1.1.66.7",  # label map segmentation, newer than pydicom's dictionary
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.4.1.1",  # the Talairach frame of reference
    "2.16.840.1.113883.6.96",  # SNOMED CT
)


@pytest.mark.parametrize("uid", CLASSES)
def test_uids_that_the_standard_registers_stay(uid: str) -> None:
    assert keyed(uid, KEY) == uid


@pytest.mark.parametrize("uid", ["1.2.3", "1.2.840.10008.5.9999.1", "2.25.1", "1.2.840.113619.2.1"])
def test_other_uids_become_valid_ones_by_the_key(uid: str) -> None:
    from pydicom.uid import UID

    found = keyed(uid, KEY)
    assert UID(found).is_valid
    assert found.startswith("2.25.")
    assert len(found) <= 44
    assert found == keyed(uid, KEY) != keyed(uid, OTHER)


def test_the_shift_is_of_the_patient_and_never_none() -> None:
    shifts = [shift_of(f"P{number}", KEY) for number in range(2000)]
    assert min(shifts) >= -3650
    assert max(shifts) <= -1
    assert len(set(shifts)) > 1000
    assert shift_of("P1", KEY) == shift_of("P1", KEY) != shift_of("P1", OTHER)


@pytest.mark.parametrize("days", [-1, -59, -366, -3650])
def test_what_lies_between_dates_remains(days: int) -> None:
    dates = ["20200228", "20200229", "20200301", "20191231", "20000101"]
    moved = [shifted_date(one, days) for one in dates]
    for one, there in zip(dates, moved, strict=True):
        assert there is not None
        between = datetime.strptime(there, "%Y%m%d") - datetime.strptime(one, "%Y%m%d")
        assert between.days == days


@pytest.mark.parametrize(
    "text",
    ["2020", "202002", "20200230", "20201301", "2020.02.01", "00010101", "20200101-20200202", "x"],
)
def test_what_is_no_date_or_leaves_the_calendar_does_not_stay(text: str) -> None:
    assert shifted_date(text, -400) is None


@pytest.mark.parametrize("end", ["", "10", "1011", "101112", "101112.123456", "1011+0100", "-1130"])
def test_a_date_and_time_keeps_its_time_and_offset(end: str) -> None:
    assert shifted_datetime(f"20200301{end}", -1) == f"20200229{end}"


@pytest.mark.parametrize("text", ["2020", "20200301Smith", "2020030125", "20200301101112.1234567"])
def test_what_is_no_date_and_time_does_not_stay(text: str) -> None:
    assert shifted_datetime(text, -1) is None


def test_times_are_told_from_texts() -> None:
    assert all(map(is_time, ["10", "1011", "101160", "235959.999999"]))
    assert not any(map(is_time, ["", "1", "24", "1060", "10:11:12", "Smith", "101112.1234567"]))
