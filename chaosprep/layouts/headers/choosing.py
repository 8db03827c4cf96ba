"""Which volumes are taken, and what their sequences are called."""

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chaosprep.errors import NothingFoundError, Problem, plural
from chaosprep.layouts.headers.catalog import Volume, by_person
from chaosprep.layouts.headers.criteria import check_keys, fact
from chaosprep.layouts.headers.picking import identity, pick_of, told_apart
from chaosprep.layouts.headers.selection import Selection, read_selections
from chaosprep.layouts.layout import Where
from chaosprep.printable import printable
from chaosprep.privacy.pseudonyms import Key
from chaosprep.words import there_are

_MOST = 6  # volumes that a problem names
_LEAVE = "leave the patient out with --on-error skip."


@dataclass(frozen=True)
class Chosen:
    """A volume that is taken as a sequence.

    ``notes`` are to be said of all its slices; ``every`` is the table of --series of which it is
    one of all that fit.
    """

    volume: Volume
    sequence: str
    notes: tuple[str, ...] = ()
    every: str = ""


@dataclass
class _Choice:
    """What is taken so far, and the problems of it."""

    key: Key
    taken: list[Chosen] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add_problem(self, code: str, person: str, sequence: str, reason: str, remedy: str) -> None:
        """Tell of a problem of a patient, or of a sequence of theirs."""
        patient = self.key.patient(person)
        id = f"{patient}_{sequence}" if sequence else patient
        self.problems.append(Problem(code=code, id=id, reason=reason, remedy=remedy))


def choose(volumes: Sequence[Volume], where: Where) -> tuple[list[Chosen], list[Problem]]:
    """The volumes that fit what was asked for, and a problem for each patient with several or none.

    Where nothing was asked for, those that are not left out, each as the sequence of its name.
    Volumes that are left out are taken where a choice asks for series by what they are called and
    fits no others at all.

    Raises:
        UsageError: a choice cannot be understood.
        NothingFoundError: `series-none`, nothing fits.
    """
    choice = _Choice(where.key or Key(secrets.token_bytes(32)))
    selections = read_selections(where)
    if not selections:
        _take_all(volumes, where, choice)
        return choice.taken, choice.problems
    check_keys([one for selection in selections for one in selection.criteria], volumes)
    wanted = [one for one in selections if _is_wanted(one, where)]
    persons = list(dict.fromkeys(volume.person for volume in volumes))
    fitting = {one.sequence: _fitting(one, volumes, where) for one in wanted}
    if volumes and not any(fitting.values()):
        raise _nothing(selections, volumes, where.sequences)
    for person in persons:
        _take(person, wanted, fitting, volumes, choice)
    return choice.taken, choice.problems


def _is_wanted(selection: Selection, where: Where) -> bool:
    return not (where.sequences and selection.sequence) or selection.sequence in where.sequences


def _take_all(volumes: Sequence[Volume], where: Where, choice: _Choice) -> None:
    """Take what is not left out, each volume by its own name."""
    for person, own in by_person(volumes).items():
        named: dict[str, list[Volume]] = defaultdict(list)
        for volume in own:
            if not volume.left_out:
                named[volume.name].append(volume)
        for name, some in named.items():
            _take_one(person, Selection(name, (), where.pick), some, choice)
        if not named:
            kinds = ", ".join(sorted({volume.left_out for volume in own}))
            choice.add_problem(
                "series-none",
                person,
                "",
                f"nothing is taken from its {plural(len(own), 'volume')} ({kinds})",
                f"Ask for one by its SeriesDescription with --select, or {_LEAVE}",
            )


def _fitting(
    selection: Selection, volumes: Sequence[Volume], where: Where
) -> Mapping[str, list[Volume]]:
    """Person -> what fits; what is left out only where it is asked for and nothing else fits."""
    fits = [
        volume
        for volume in volumes
        if selection.fits(volume)
        and (selection.sequence or not where.sequences or volume.name in where.sequences)
    ]
    usual = [volume for volume in fits if not volume.left_out]
    return by_person(usual or (fits if selection.names else []))


def _take(
    person: str,
    wanted: Sequence[Selection],
    fitting: Mapping[str, Mapping[str, list[Volume]]],
    volumes: Sequence[Volume],
    choice: _Choice,
) -> None:
    """Take a patient's volume of each sequence, unless one and the same would be two."""
    before = len(choice.taken)
    there = [one.sequence for one in wanted if fitting[one.sequence].get(person)]
    for one in wanted:
        some = fitting[one.sequence].get(person, [])
        if some:
            _take_one(person, one, some, choice)
        else:
            _tell_none(person, one.sequence, there, choice)
    taken: dict[int, list[Chosen]] = defaultdict(list)
    for chosen in choice.taken[before:]:
        taken[id(chosen.volume)].append(chosen)
    for several in taken.values():
        if len(several) > 1:
            names = " and ".join(f"'{one.sequence}'" for one in several)
            choice.taken[before:] = [one for one in choice.taken[before:] if one not in several]
            choice.add_problem(
                "series-twice",
                person,
                "",
                f"one series is taken as {names}: {told_apart([several[0].volume])[0]}",
                f"Tell them apart in the file of --series, or {_LEAVE}",
            )


def _tell_none(person: str, sequence: str, there: Sequence[str], choice: _Choice) -> None:
    has = ", ".join(f"'{name}'" for name in there)
    if has:
        reason = f"nothing of it fits '{sequence}', though it has {has}"
    elif sequence:
        reason = f"nothing of it fits '{sequence}'"
    else:
        reason = "nothing of it fits what was chosen"
    remedy = f"See with inspect what it has, and widen the choice, or {_LEAVE}"
    choice.add_problem("series-none", person, sequence, reason, remedy)


def _take_one(person: str, selection: Selection, some: list[Volume], choice: _Choice) -> None:
    """Take one of what fits, or every one; a draw is a problem."""
    own = selection.sequence
    if selection.pick == "every":
        tags = {id(one): choice.key.tag(identity(one)) for one in some}
        choice.taken += (_chosen(one, f"{own or one.name}-{tags[id(one)]}", own) for one in some)
        return
    left = pick_of(some, selection.pick)
    if len(left) == 1:
        choice.taken.append(_chosen(left[0], own or left[0].name))
        return
    what = f"fit '{own}'" if selection.criteria else "have the same name"
    what = what if own else "fit what was chosen"
    even = f", and pick = {selection.pick} leaves several" if selection.pick else ""
    shown = told_apart(left)
    listed = shown[:_MOST] + [f"'{len(shown) - _MOST} more'"] * (len(shown) > _MOST)
    choice.add_problem(
        "series-several",
        person,
        own,
        f"several series {what}{even}: {', '.join(listed)}",
        "Be more specific with --select or in a file of --series (name, slices, "
        "SeriesDescription), or take one or every one of them with --pick.",
    )


def _chosen(volume: Volume, sequence: str, every: str = "") -> Chosen:
    notes = (f"{volume.left_out}: taken because it was asked for",) if volume.left_out else ()
    return Chosen(volume, sequence, notes, every)


def _nothing(
    selections: Sequence[Selection], volumes: Sequence[Volume], sequences: Sequence[str]
) -> NothingFoundError:
    """Nothing fits: what there is of the names that were asked for, or of the first thing."""
    criteria = [one for selection in selections for one in selection.criteria]
    fits = [one for one in volumes if any(selection.fits(one) for selection in selections)]
    first = next((one for one in criteria if not any(map(one.holds, volumes))), None)
    if sequences and fits:
        names = sorted({one.sequence for one in selections if one.sequence})
        reason = f"no series that fits is called {' or '.join(sequences)}"
        remedy = there_are(names or sorted({one.name for one in fits}), sequences)
    elif first is None:
        reason, remedy = "no series fits all that was chosen", "Ask for less with --select."
    else:
        values = sorted({printable(value) for one in volumes if (value := fact(one, first.key))})
        reason, remedy = f"{first.told}: no series fits", there_are(values, [first.wanted])
    return NothingFoundError(reason, remedy, "series-none")
