"""The label map of a dataset: what values stand for in every case, by all who say it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from shlex import quote
from typing import Any

import msgspec

from chaosprep.dataset.descriptor import LabelMap
from chaosprep.errors import FileError, Problem, UsageError
from chaosprep.facts import Code, Label, Legend
from chaosprep.formats.label_table import LabelTable
from chaosprep.formats.masks import mask_format
from chaosprep.layouts.label_notes import NO_NUMBER, Told, notes_of
from chaosprep.layouts.root import Root
from chaosprep.privacy.identity import identifies, identity_at
from chaosprep.series.source import Files, SourceCase
from chaosprep.structures import folded, same_name
from chaosprep.terms import code_of


def with_label_map(
    root: Root,
    table: LabelTable | None = None,
    roi: Sequence[str] = (),
    threshold: float | None = None,
) -> Root:
    """The same root with one label map for all its cases, of all its sequences and patients.

    A number stays where every mask means the same by it, and what `table` says stays in any case;
    the rest is numbered by the lowest number of each name, then by the name.

    Args:
        root: all that was found.
        table: what was said of the values.
        roi: patterns of the structures to take, of masks that name them.
        threshold: from where on a fractional mask shows a structure.

    Raises:
        UsageError: `labels-differ`, the table contradicts a file beside the masks; `organ-unknown`,
            no structure has a name that is asked for.
    """
    reads: dict[str, Any] = {"table": table, "roi": tuple(roi), "threshold": threshold}
    if table is not None and table.known:
        _check_table(table, {case.id: _told(case) for case in root.cases if case.masks})
        reads |= {"levels": table.known, "table": None}
        return replace(root, cases=tuple(msgspec.structs.replace(c, **reads) for c in root.cases))
    if table is not None:
        reads["levels"] = None
    cases = tuple(msgspec.structs.replace(one, **reads) for one in root.cases)
    masked = [case for case in cases if case.masks and not case.levels]
    told = {case.id: _told(case) for case in masked}
    hidden = _hidden(masked, told, table)
    every = {*chain.from_iterable(hidden.values())}
    told = {id: one.without(every) for id, one in told.items()}
    _check_roi(roi, told, cases)
    _check_table(table, told)
    labels = _numbered(table.legend if table else {}, [*told.values()])
    silent = _silent(told) if table is None else set()
    notes = notes_of(masked, told, hidden, table)
    made = (
        msgspec.structs.replace(
            one,
            labels={} if one.levels else labels,
            shows=_shown(told.get(one.id), labels),
            notes=(*one.notes, *notes.get(one.id, ())),
            hidden=tuple(sorted(every)),
            refused=one.refused or one.id in silent,
        )
        for one in cases
    )
    problems = (*root.problems, *(_says_nothing(id) for id in sorted(silent)))
    return replace(root, cases=tuple(made), problems=problems, label_map=labels)


def _told(case: SourceCase) -> Told:
    """What is said of a case's values: by its masks, else by a file beside them."""
    if case.organs:
        names = sorted({*case.organs.values()})
        labels = tuple(Label(name) for name in names if case.takes(name))
        return Told(labels, None, itself=True)
    pairs = _in_masks(case) if case.rule == "volume" else []
    if pairs is None:
        return Told((), (), itself=True)
    if pairs:
        if any(not _may_tell(mask) for mask in case.masks or ()):
            pairs += case.legend.items()
        kept = [(value, one) for value, one in pairs if case.takes(one.name)]
        return Told(tuple(one for _, one in kept), tuple(n for n, _ in kept), itself=True)
    return Told(tuple(case.legend.values()), tuple(case.legend), itself=False)


def _hidden(
    cases: Sequence[SourceCase], told: Mapping[str, Told], table: LabelTable | None
) -> dict[str, set[str]]:
    """Case -> the names, folded, of its structures that hold what identifies its patient.

    Raises:
        UsageError: `name-identifies`, a name of the table does.
    """
    hidden: dict[str, set[str]] = {}
    said = [] if table is None else [label.name for label in table.legend.values()]
    for case in cases:
        names = {label.name for label in told[case.id].labels}
        if not (names or said):
            continue
        asked = (identity_at(Path(case.root), image) for image in case.images)
        identity = next(filter(None, asked), {})
        hidden[case.id] = {folded(name) for name in names if identifies(name, identity)}
        if any(identifies(name, identity) for name in said):
            raise UsageError(
                "--labels: a name of a structure also occurs in a patient's headers, and would "
                "identify the patient in every output",
                "Give that structure another name.",
                code="name-identifies",
            )
    return hidden


def _in_masks(case: SourceCase) -> list[tuple[int, Label]] | None:
    """What a case's masks say themselves; None where that cannot be read: opening one tells why.

    Of several masks each has numbers of its own.
    """
    found: list[tuple[int, Label]] = []
    masks = [one for one in case.masks or () if _may_tell(one)]
    files = Files(msgspec.structs.replace(case, images=(), masks=tuple(masks)))
    for path in masks:
        known = mask_format(path, files.data[path]) if path in files.data else None
        if known is None or known.of_series is None:
            return None
        if known.legend is not None:
            try:
                found += known.legend(files.data[path]).items()
            except FileError:
                return None
    return found


def _may_tell(path: str) -> bool:
    """Whether a file's name does not say that its format tells no names."""
    named = mask_format(path)
    return named.legend is not None or not path.casefold().endswith(named.endings)


def _numbered(said: Legend, told: Sequence[Told]) -> LabelMap:
    """Value -> label for all names, ascending; with a code that all agree in, or the name's own."""
    first: dict[str, Label] = {}
    codes: dict[str, dict[tuple[str, ...], Code]] = defaultdict(dict)
    claims: dict[str, set[int]] = defaultdict(set)
    for label, number in (pair for one in told for pair in one.pairs()):
        key = folded(label.name)
        first.setdefault(key, label)
        if label.code:
            codes[key].setdefault(label.code[:2], label.code)
        claims[key] |= {number} - {NO_NUMBER}
    labels = dict(said)
    new = first.keys() - {folded(label.name) for label in said.values()}
    meant = Counter(number for key in claims for number in claims[key])
    kept = {
        key: min(claims[key])
        for key in new
        if len(claims[key]) == 1 and meant[min(claims[key])] == 1 and not claims[key] & {*said}
    }
    free = (number for number in count(1) if number not in {*said, *kept.values()})
    for key in sorted(new, key=lambda key: (min(claims[key], default=NO_NUMBER), key)):
        agreed = [*codes[key].values()] if len(codes[key]) == 1 else [None]
        labels[kept[key] if key in kept else next(free)] = Label(first[key].name, agreed[0])
    if max(labels, default=0) >= NO_NUMBER:
        raise FileError(
            f"the masks name {len(labels)} structures, more than a label map can hold",
            "Take some of them with --roi.",
            code="too-many-organs",
        )
    return {value: _coded(label) for value, label in sorted(labels.items())}


def _shown(told: Told | None, labels: LabelMap) -> tuple[int, ...]:
    """The values that a case's masks can show: those that they name themselves, or else all."""
    if told is None or not told.itself:
        return () if told is None else tuple(labels)
    names = {folded(label.name) for label in told.labels}
    return tuple(value for value, label in labels.items() if folded(label.name) in names)


def _coded(label: Label) -> Label:
    return label if label.code else Label(label.name, code_of(label.name))


def _check_roi(roi: Sequence[str], told: Mapping[str, Told], cases: Sequence[SourceCase]) -> None:
    """Refuse a pattern that no mask's own name fits."""
    for text in roi:
        fits = msgspec.structs.replace(cases[0], roi=(text,)).takes
        by = {one.itself for one in told.values() for label in one.labels if fits(label.name)}
        if True not in by:
            itself, remedy = "", "See the names that they have: chaosprep inspect."
            if by:
                take = f"chaosprep extract-labels --organ {quote(text)}"
                itself, remedy = " itself", f"A legend next to them has it: {take}."
            raise UsageError(
                f"--roi: no mask{itself} has a structure that is called {text}",
                remedy,
                code="organ-unknown",
            )


def _check_table(table: LabelTable | None, told: Mapping[str, Told]) -> None:
    """Refuse a table that says of a value what a file beside the masks says otherwise.

    So is one of grey levels where masks name their structures themselves.
    """
    if table is None or table.colors:
        return
    said = table.lookup()
    for one in told.values():
        if one.itself and one.labels and not table.is_kept:
            raise UsageError(
                "--labels: it names grey levels, but masks name their structures themselves",
                "Leave --labels out and give them other names with extract-labels --rename.",
                code="labels-differ",
            )
        for label, number in one.pairs():
            other = table.legend.get(int(said[number])) if number < NO_NUMBER else None
            if other is not None and not one.itself and not same_name(label.name, other.name):
                raise UsageError(
                    f"--labels: {number} is {other.name} there, but {label.name} in the legend "
                    "next to the masks",
                    "Leave --labels out and give it another name with extract-labels --rename, or "
                    "move that legend away.",
                    code="labels-differ",
                )


def _silent(told: Mapping[str, Told]) -> set[str]:
    """The cases whose masks name nothing, where those of others name themselves what they show."""
    if not any(one.itself and one.labels for one in told.values()):
        return set()
    return {id for id, one in told.items() if not one.labels and not one.itself}


def _says_nothing(id: str) -> Problem:
    return Problem(
        code="labels-unknown",
        id=id,
        reason="its mask does not say what its values stand for, but the masks of others do",
        remedy="Say it with --labels, or leave the case out with --on-error skip.",
    )
