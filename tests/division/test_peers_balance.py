"""The same tables beside scikit-learn's StratifiedGroupKFold."""

import warnings

import pytest

from chaosprep.division.balance import balance, dealt
from chaosprep.division.ranking import assign
from chaosprep.errors import UsageError
from tests.division.tables import Table, by_part, params, tables, worst

pytestmark = pytest.mark.peers


def theirs(table: Table) -> list[set[str]] | None:
    """Its folds; None where it refuses the table. Of several wishes, it is given the product."""
    from sklearn.model_selection import StratifiedGroupKFold

    patients, rows = table.patients, table.rows()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of every rare kind
        try:
            found = list(StratifiedGroupKFold(table.folds).split(rows, rows, patients))
        except ValueError:
            return None
    return [{patients[at] for at in fold} for _, fold in found]


def test_no_fold_is_empty_and_none_further_from_the_ideal_than_theirs() -> None:
    compared = 0
    for table in tables(200, 11):
        ours = by_part(
            dealt(assign(table.patients, params(folds=table.folds)), table.patients, table.kinds)
        )
        assert len(ours) == table.folds
        other = theirs(table)
        if other is not None:
            compared += 1
            shares = [1 / table.folds] * table.folds
            assert worst(ours, table.kinds, shares) <= worst(other, table.kinds, shares) + 1e-9
    assert compared > 150


CASES = {"P0": (2, "a"), "P1": (2, "a"), "P2": (3, "b"), "P3": (1, "c"), "P4": (3, "b")}
"""Patient -> how many cases, and their kind."""


def test_as_many_folds_as_patients_are_none_of_them_empty() -> None:
    from sklearn.model_selection import StratifiedGroupKFold

    rows = [(one, kind) for one, (cases, kind) in CASES.items() for _ in range(cases)]
    groups, kinds = [one for one, _ in rows], [kind for _, kind in rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sizes = [len(fold) for _, fold in StratifiedGroupKFold(5).split(rows, kinds, groups)]
    assert min(sizes) == 0  # scikit-learn#34828
    told = {"site": {one: kind for one, (_, kind) in CASES.items()}}
    ours = dealt(assign([*CASES], params(folds=5)), [*CASES], told)
    assert [len(part) for part in by_part(ours)] == [1] * 5


def test_more_folds_than_patients_are_refused() -> None:
    traits = {one: {"site": kind} for one, (_, kind) in CASES.items()}  # scikit-learn#33085
    with pytest.raises(UsageError, match="folds need as many patients"):
        balance([*CASES], {}, traits, params(folds=6))
