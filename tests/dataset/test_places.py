"""Where cases stand in a table, in little memory."""

import pickle

import pytest

from chaosprep.dataset.places import Groups, Lines, Places

FOUND = [
    Lines("MR001_t1", "MR001", 0, 10),
    Lines("MR001_t1-in", "MR001", 10, 2**40),
    Lines("Q_1_ct", "Q_1", 2**40, 2**41),
]


def test_what_was_put_in_is_given_back_in_its_order() -> None:
    places = pickle.loads(pickle.dumps(Places(FOUND)))  # noqa: S301 - our own
    assert list(places) == FOUND
    assert (len(places), places[-1], places[1:]) == (3, FOUND[2], FOUND[1:])
    with pytest.raises(IndexError):
        places[3]


def test_a_case_is_found_by_its_whole_name() -> None:
    places = Places(FOUND)
    assert [places.find(one.case) for one in FOUND] == [0, 1, 2]
    strange = ("", "MR001", "t1", "MR001_t1\nMR001_t1-in", "\n", "MR001_t1\u00e9", "\ud800")
    assert [places.find(name) for name in strange] == [None] * len(strange)


def test_ten_thousand_cases_take_some_50_bytes_each() -> None:
    places = Places(Lines(f"MR{n:06d}_t1-in", f"MR{n:06d}", n, n + 1) for n in range(10_000))
    assert len(pickle.dumps(places)) < 10_000 * 50


def test_groups_are_counted_where_names_begin_alike() -> None:
    """Rows in order of id: one group may lie within another whose name it goes on from."""
    groups = Groups()
    rows = [
        ("A_1", "A_1_a"),
        ("A_1_b", "A_1_b_c"),
        ("A_1_b", "A_1_b_d"),
        ("A_1", "A_1_e"),
        ("A_10", "A_10_a"),
        ("B", "B_1"),
    ]
    assert [groups.begins(*row) for row in rows] == [True, True, False, False, True, True]
    assert groups.count == 4
