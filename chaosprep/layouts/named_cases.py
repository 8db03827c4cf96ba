"""Cases that a data set names and lists: their channels, their masks, and whose they are."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from chaosprep.dataset.records import Split
from chaosprep.errors import Problem, UsageError
from chaosprep.facts import Legend
from chaosprep.known import SERIES, is_ct
from chaosprep.layouts.folder_cases import NOWHERE
from chaosprep.layouts.layout import Where
from chaosprep.layouts.names import collisions, make_ids
from chaosprep.layouts.patients import Told, cases_text, patients_of
from chaosprep.layouts.root import Origin, Root
from chaosprep.privacy.identity import has_uid
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.source import SourceCase

Frames = tuple[int, ...]
Pool = Literal["train", "test"]
ASKS = ("patient_from_name", "patients")
"""How the user may tell whose such cases are."""


@dataclass(frozen=True)
class Channel:
    """One image of a case: what the data set calls it, and where it is below the root.

    ``frames`` are those of a file that holds other channels too, counted from 0.
    """

    name: str
    path: str
    frames: Frames | None = None


@dataclass(frozen=True)
class NamedCase:
    """A case as a data set names it; ``mask`` serves all of its channels.

    ``patient`` is whose it is, where the data set says it; its channels then tell it from others of
    the patient. ``organs`` are masks of one structure each, in place of ``mask``. ``legend`` is
    what its own masks' values stand for, where it is not the data set's, and ``is_legend_lost``
    that it cannot be understood.
    """

    name: str
    channels: tuple[Channel, ...]
    mask: str | None = None
    pool: Pool = "train"
    split: Split | None = None
    fold: int | None = None
    patient: str | None = None
    organs: Mapping[str, str] = field(default_factory=dict)
    legend: Legend | None = None
    is_legend_lost: bool = False


@dataclass
class Faults:
    """The problems of a data set in a folder: one for each cause, with a count."""

    folder: Path
    where: Where
    problems: list[Problem] = field(default_factory=list)

    def cases(self, names: Sequence[str]) -> str:
        """How many cases there are, and the first of their names where these may be said."""
        return cases_text(names, self.where.key is not None)

    def tell_cases(self, code: str, names: Sequence[str], reason: str, remedy: str) -> None:
        """Tell what is wrong with some cases; nothing where there are none."""
        if names:
            self.problems.append(Problem(code=code, id=NOWHERE, reason=reason, remedy=remedy))

    def tell_files(self, code: str, paths: Sequence[str], reason: str, remedy: str) -> None:
        """Tell what is wrong with some files, and which is the first; nothing without any."""
        if paths:
            key, first = self.where.key, min(paths)
            file = key.path(first) if key else first.encode("utf-8", "backslashreplace").decode()
            found = Problem(code=code, id=NOWHERE, file=file, reason=reason, remedy=remedy)
            self.problems.append(found)


def make_root(
    cases: Sequence[NamedCase],
    faults: Faults,
    *,
    legend: Legend,
    origin: Origin,
    notes: Iterable[str] = (),
    channels: Collection[str] = (),
) -> Root:
    """The root of a data set whose cases are named.

    A case of a patient who has several is told by what its name has beside the patient, and by the
    channel where its kind of data set has several ``channels``, whichever are here; without these,
    where the case has several.

    Raises:
        UsageError: `patient-unknown`, `name-identifies`, `channel-names`, or what was said of
            patients will not do.
        ChaosprepError: `pseudonym-twice`.
    """
    folder, where = faults.folder, faults.where
    _check_names([case.name for case in cases], where)
    told = _told(cases, where, folder)
    ids = _patient_ids(told.patients, faults)
    sequences = _channel_ids(cases)
    known = {case.patient for case in cases}
    several = {p for p, n in Counter(told.patients.values()).items() if n > 1 and p not in known}
    exams = {
        name: _exam(name, patient, where.key) if patient in several else ""
        for name, patient in told.patients.items()
    }
    made: dict[str, list[tuple[NamedCase, SourceCase]]] = defaultdict(list)
    for case in cases:
        patient = ids.get(told.patients.get(case.name, ""))
        exam = exams.get(case.name, "")
        for channel in case.channels if patient and exam is not None else ():
            sequence = sequences[channel.name]
            if exam:
                alone = len(channels or case.channels) == 1
                sequence = exam if alone else f"{exam}-{sequence}"
            one = _source_case(folder, case, channel, f"{patient}_{sequence}", legend, where.key)
            made[one.id.casefold()].append((case, one))
    twice = {case.name for found in made.values() if len(found) > 1 for case, _ in found}
    same = sorted(twice)
    said = f"different names that become one id: {faults.cases(same)}"
    faults.tell_cases("case-twice", same, said, _RENAME)
    unnamed = [name for name, exam in exams.items() if exam is None]
    said = f"no id can be made of the name: {faults.cases(unnamed)}"
    faults.tell_cases("case-name", unnamed, said, _RENAME)
    own = any(case.split is not None or case.fold is not None for case in cases)
    kept = "its own sides or folds are kept; --redivide divides the patients again"
    taken = [one for found in made.values() if len(found) == 1 for _, one in found]
    return Root(
        folder,
        tuple(sorted(taken, key=lambda case: f"{case.id}_")),
        (*told.problems, *faults.problems),
        origin.licenses,
        origin.sources,
        notes=tuple(filter(None, (told.note, kept if own and not where.redivide else "", *notes))),
    )


def _told(cases: Sequence[NamedCase], where: Where, folder: Path) -> Told:
    """Whose the cases are: as the data set says it of all, or else as the user does."""
    known = {case.name: case.patient for case in cases if case.patient is not None}
    if len(known) == len(cases):
        return Told(known)
    return patients_of([case.name for case in cases], where, folder)


_RENAME = "Rename them, with letters or digits (A-Z, 0-9) that tell them apart."


def _source_case(
    folder: Path, case: NamedCase, channel: Channel, id: str, legend: Legend, key: Key | None
) -> SourceCase:
    patient, _, sequence = id.partition("_")
    masks = (case.mask,) if case.mask else tuple(case.organs)
    legend = legend if case.legend is None else case.legend
    return SourceCase(
        root=str(folder),
        id=id,
        patient=patient,
        sequence=sequence,
        pool=case.pool,
        images=(channel.path,),
        masks=masks or None,
        rule="volume" if masks else "key",
        aliases={path: key.path(path) for path in (channel.path, *masks)} if key else {},
        frames={} if channel.frames is None else {channel.path: channel.frames},
        legend={} if case.mask is None else dict(legend),
        is_legend_lost=case.is_legend_lost,
        organs=dict(case.organs),
        split=case.split,
        fold=case.fold,
    )


def _check_names(names: Iterable[str], where: Where) -> None:
    """Refuse names that would carry a UID into every output."""
    count = sum(map(has_uid, names))
    if count and where.key is None and where.strict:
        raise UsageError(
            f"the names of {count} cases hold a UID, which would identify the patient in every "
            "output",
            "Use --pseudonymize KEYFILE, or rename them.",
            code="name-identifies",
        )


def _patient_ids(patients: Mapping[str, str], faults: Faults) -> dict[str, str | None]:
    """What tells a patient -> its id; of those that have none or another's, None."""
    texts = {*patients.values()}
    if faults.where.key is not None:
        return {**faults.where.key.patients(texts)}
    ids = make_ids(texts, "P", digits=3)
    twice = collisions(ids)
    remedy = "Name the patients in a table, by letters and digits: --patients TABLE."
    same = [name for name, patient in patients.items() if patient in twice]
    said = f"two patients that become one id: {faults.cases(same)}"
    faults.tell_cases("patient-twice", same, said, remedy)
    none = [name for name, patient in patients.items() if not ids[patient]]
    said = f"no id can be made of the patient: {faults.cases(none)}"
    faults.tell_cases("patient-name", none, said, remedy)
    return {text: None if text in twice else id for text, id in ids.items()}


def _channel_ids(cases: Iterable[NamedCase]) -> dict[str, str]:
    """What a data set calls a channel -> what its sequence is called; CT is known."""
    names = dict.fromkeys(channel.name for case in cases for channel in case.channels)
    ids = make_ids(names, "s", digits=1)
    if None in ids.values() or collisions(ids):
        raise UsageError(
            "the names of two channels become the same, or one has no letter or digit",
            "Give each channel a name of its own, of letters and digits.",
            code="channel-names",
        )
    known = {name.casefold(): name for name in SERIES if is_ct(name)}
    return {name: known.get(str(id).casefold(), str(id)) for name, id in ids.items()}


def _exam(name: str, patient: str, key: Key | None) -> str | None:
    """What a case is called among several of its patient; None where nothing is left of its name.

    A name may tell more than the patient: with a key it is hashed.
    """
    if key is not None:
        return f"e{key.path(name)[:8]}"
    rest = name.removeprefix(patient) if name.startswith(patient) else name.removesuffix(patient)
    return make_ids([rest or name], "s", digits=1)[rest or name]
