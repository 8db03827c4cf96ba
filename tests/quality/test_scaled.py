"""verify compares how a case is scaled for a network, as the table tells it, with its pixels."""

from collections.abc import Callable
from pathlib import Path

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import Problem
from tests.dataset.test_scaling import padded_pairs
from tests.quality.test_normalized import Rows, Told, rewritten
from tests.stages.normalized import Normal

Change = Callable[[Rows, Told], None]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A patient whose slices are signed, with padding and several rescales."""
    place = tmp_path_factory.mktemp("stored")
    pairs = padded_pairs(place, [1.0, 2.0, 0.5])
    return chaosprep.convert(pairs, place / "out", keep_16bit=True)


def found(directory: Path) -> list[Problem]:
    return [fault for fault in chaosprep.verify(directory).faults if fault.code == "scaling"]


def of_all(**changes: object) -> Change:
    def change(rows: Rows, told: Told) -> None:
        for row in rows:
            row["scaling"] |= changes

    return change


def of_one(rows: Rows, told: Told) -> None:
    rows[1]["scaling"]["high"] += 1


def not_in_one(rows: Rows, told: Told) -> None:
    del rows[2]["scaling"]


def test_what_convert_tells_is_what_its_pixels_say(stored: Dataset, tmp_path: Path) -> None:
    copies = chaosprep.augment(stored, tmp_path / "copies")
    assert all(row.scaling for row in stored.slices)
    for directory in (stored.directory, copies.directory):
        assert chaosprep.verify(directory).faults == ()


@pytest.mark.parametrize("name", ["high", "low", "lowest"])
def test_an_edited_number_is_a_fault_of_the_case(
    stored: Dataset, tmp_path: Path, name: str
) -> None:
    told = stored.slices[0].scaling
    assert told
    number = getattr(told, name)
    (fault,) = found(rewritten(stored, tmp_path / "out", of_all(**{name: number + 0.25})))
    assert fault.id == stored.cases[0].id
    assert fault.reason == "the scaling in the table is not that of its pixels"


@pytest.mark.parametrize("changes", [{"in_units": False}, {"lowest": None}], ids=str)
def test_so_is_what_else_was_changed(
    stored: Dataset, tmp_path: Path, changes: dict[str, object]
) -> None:
    assert len(found(rewritten(stored, tmp_path / "out", of_all(**changes)))) == 1


def test_the_last_digits_may_differ(stored: Dataset, tmp_path: Path) -> None:
    told = stored.slices[0].scaling
    assert told
    high = told.high * (1 + 1e-12)
    assert found(rewritten(stored, tmp_path / "out", of_all(high=high))) == []


@pytest.mark.parametrize(("change", "at"), [(not_in_one, 2), (of_one, 1)])
def test_a_slice_that_tells_another_is_named(
    stored: Dataset, tmp_path: Path, change: Change, at: int
) -> None:
    (fault,) = found(rewritten(stored, tmp_path / "out", change))
    assert fault.id == stored.slices[at].id
    assert fault.reason == "the table gives it another scaling than the first slice of its case"


def test_of_a_normalized_case_the_ends_of_its_scale_are_told(
    normalized: Normal, tmp_path: Path
) -> None:
    made = normalized["zscore"]
    assert found(made.directory) == []
    faults = found(rewritten(made, tmp_path / "out", of_all(high=9.0)))
    assert [fault.id for fault in faults] == [case.id for case in made.cases]


def test_of_a_case_that_lost_slices_nothing_is_said(stored: Dataset, tmp_path: Path) -> None:
    """What was told of all is not used then."""
    assert found(rewritten(stored, tmp_path / "out", of_all(slices=4, high=9.0))) == []


def test_where_an_image_is_broken_that_is_told_alone(stored: Dataset, tmp_path: Path) -> None:
    place = rewritten(stored, tmp_path / "out", of_all(high=9.0))
    (place / stored.slices[0].image).write_bytes(b"")
    assert {fault.code for fault in chaosprep.verify(place).faults} == {"hash"}
