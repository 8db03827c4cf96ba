"""A stage directory without what a person chose to leave out of it."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from chaosprep.choices.params import ChoiceParams
from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.records import Slice

if TYPE_CHECKING:
    from chaosprep.choices.rules import Rule


def chosen(dataset: Dataset, params: ChoiceParams) -> Dataset:
    """The same stage directory without what these parameters leave out: a stage's `choose`.

    Its cases are still read one at a time. What went is in `left_out`, with its counts, and what
    else is to be said of it in `told`; of other patients than those asked for nothing is.

    Raises:
        UsageError: `exclude-table`, `exclude-differs`, `exclude-unknown`, `organ-unknown`,
            `area-unknown`, `where-unknown` or `where-type`.
        NothingFoundError: `empty`, nothing is left.
    """
    if not params.leaves_out or {*params.patient} - {*dataset.patients}:
        return dataset  # a plan refuses patients that are not there
    from chaosprep.choices.rules import apply, by_condition, by_emptiness
    from chaosprep.choices.tally import Tally, nothing_left

    excluding, notes = _by_names(dataset, params)
    conditions = params.conditions()
    rules = [
        *excluding,
        *map(by_condition, conditions),
        *([] if params.max_empty is None else [by_emptiness(params.max_empty)]),
    ]
    tally, cases = Tally(), set[str]()
    for case in dataset.cases:
        if not params.patient or case.patient in params.patient:
            left = apply(rules, case.slices, tally.add)
            tally.see(case.slices, left)
            cases |= {case.id} if left else set()
    for condition in conditions:
        condition.check_keys()
    if not cases:
        raise nothing_left(tally.left_out())
    told = (*notes, *tally.notes({rule.option for rule in rules}))
    return dataset.only(cases, partial(_kept, rules), tally.left_out(), told)


def _kept(rules: "Iterable[Rule]", rows: tuple[Slice, ...]) -> tuple[Slice, ...]:
    from chaosprep.choices.rules import apply

    return tuple(apply([*rules], rows))


def _by_names(dataset: Dataset, params: ChoiceParams) -> "tuple[list[Rule], tuple[str, ...]]":
    """The rules that name something of the table, cases or structures, and what is to be said."""
    if not (params.exclude or params.min_area):
        return [], ()
    from chaosprep.choices.excluded import read_excluded, strangers_note
    from chaosprep.choices.rules import by_area, by_tables

    tables = read_excluded(params.exclude)
    organs = {label.name for label in dataset.label_map.values()}
    known = _went_before(dataset, tables.lines)
    for case in dataset.cases:
        organs |= {n for row in case.slices for n in (*row.labels.values(), *row.pixels)}
        known |= {case.id, case.patient, *(row.id for row in case.slices)}
        tables.check(_owners(case))
    notes = strangers_note(tables, known, params.exclude)
    areas = zip(params.areas(), params.min_area, strict=True)
    rules = [by_tables(tables)] if params.exclude else []
    return [*rules, *(by_area(least, text, organs) for least, text in areas)], notes


def _went_before(dataset: Dataset, names: Iterable[str]) -> set[str]:
    """Those of some names of which an earlier stage left out all, or what they are a part of.

    Of the slices that it left out of a case only the number is known: they may be any of it.
    """
    from chaosprep.choices.excluded import wholes

    left_out = [one for stage in dataset.history for one in stage.left_out]
    gone = {case for one in left_out for case in one.cases}
    if any(one.slices for one in left_out):
        gone |= {*dataset.case_ids}
    gone |= {problem.id for stage in dataset.history for problem in stage.skipped}
    above = {whole for id in gone for whole in wholes(id)}
    return {name for name in names if name in above or not gone.isdisjoint(wholes(name))}


def _owners(case: Case) -> Iterator[tuple[str, str]]:
    """Each name of a case, with the names of what it is a part of."""
    yield case.id, case.patient
    for row in case.slices:
        yield from ((row.id, case.id), (row.id, case.patient))
