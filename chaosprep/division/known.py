"""A split that was made before, for the patients that are here."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chaosprep.division.files.said import leak, shown
from chaosprep.division.names import Names
from chaosprep.division.params import SplitParams
from chaosprep.division.repeats import fewest
from chaosprep.division.sides import KnownSplit, Side, Sides
from chaosprep.errors import UsageError, plural
from chaosprep.layouts.root import Root
from chaosprep.privacy.pseudonyms import Key, read_key
from chaosprep.series.source import SourceCase

_ASKED = ("val", "test", "seed")
"""What is asked of all patients anew, whatever was asked before."""


class Earlier(NamedTuple):
    """What a split that was made before tells of the patients that are here.

    ``notes`` are to be said of it. ``folds`` are those of each time, of whom it tells so;
    ``each_time`` is how many there were, also where nobody of one is here; ``asked`` are the
    parameters that it was made with. These two only the split of `--like` has.
    """

    sides: Sides
    notes: tuple[str, ...] = ()
    folds: Mapping[str, tuple[int, ...]] = {}
    each_time: int | None = None
    asked: Mapping[str, object] = {}


def earlier_split(
    root: Root, cases: Sequence[SourceCase], settled: Sides, params: SplitParams
) -> Earlier:
    """What `--like` or `--split-file` tells, of patients whose sides these are; read once.

    Args:
        root: where the patients are.
        cases: those that are wanted.
        settled: the sides that the data set itself has.
        params: which of the two options is given, and the key of the ids.

    Raises:
        UsageError: `split-file`, it cannot be used, names nobody here, or not everybody
            (`--split-file`); `split-file-leak`; `split-key`, another key made its ids;
            `split-differs`, it contradicts what the data set or another option says.
        ManifestError: as `read_split` does.
    """
    if params.earlier is None or not cases:  # what is wrong with the root is told elsewhere
        return Earlier({})
    option, file = params.earlier
    known, key = _read(params, option, file), _key(params)
    _check_key(known, key, option)
    whose, gone = _matched(known, Names(root, key), option)
    sides = {patient: known.sides[name] for name, patient in whose.items()}
    if gone and known.are_ids and known.key is None and key is not None:
        raise UsageError(
            f"{option}: the earlier split has no pseudonyms, and not all of its patients are "
            "found by the key that is given now",
            "Leave --pseudonymize out, or write the split by the names that the patients have "
            "below ROOT: --split-file FILE.",
            code="split-key",
        )
    _check_found(sides, known, root, option)
    wanted = {case.patient for case in cases}
    here = {patient: side for patient, side in sides.items() if patient in wanted}
    new = sorted(wanted - here.keys() - settled.keys())
    if params.split_file and new:
        raise _incomplete(new, known)
    _check_agreed(here, settled, params, option)
    notes = _notes(gone, known, here, root, params, is_hidden=key is not None)
    has_tests = params.test_patient or any(side == "test" for side, _ in settled.values())
    if new and known.leaves_out_tests and not has_tests:
        notes += (
            f"{option}: nnU-Net's file does not name test patients: one of its test set counts as "
            "new (--test-patient keeps it there)",
        )
    folds = {whose[name]: own for name, own in known.folds.items() if name in whose}
    if params.like is None:
        return Earlier(here, notes, folds)
    return Earlier(here, notes, folds, _count(known), known.asked)


def asked_otherwise(asked: Mapping[str, object], params: SplitParams) -> tuple[str, ...]:
    """What to say where an earlier split was asked for other parts than now; else nothing."""
    names = ["test", "seed"] if asked.get("folds") or asked.get("val_patient") else [*_ASKED]
    then = {name: asked[name] for name in names if name in asked}
    differ = [name for name, value in then.items() if value != getattr(params, name)]
    if not differ:
        return ()
    before = " ".join(f"--{name} {then[name]}" for name in differ)
    now = " ".join(f"--{name} {getattr(params, name)}" for name in differ)
    return (f"the earlier split was made with {before}, new patients are placed by {now}",)


def _count(known: KnownSplit) -> int | None:
    """How many folds a split has each time; None where it has none."""
    alone = ((fold,) for _, fold in known.sides.values() if fold is not None)
    return fewest(known.folds.values() or alone) or None


def _read(params: SplitParams, option: str, path: str) -> KnownSplit:
    """The split that is told, of which `--fold` validates.

    Beside an earlier one, folds may grow: of those, `grow` settles which validates.
    """
    from chaosprep.division.files.table import read_split

    if params.split_file is not None:
        return read_split(path, option, params.fold)
    known = read_split(path, option, None)
    has_folds = any(fold is not None for _, fold in known.sides.values())
    if params.fold is None or params.folds is not None or has_folds:
        return known
    return read_split(path, option, params.fold)  # it may hold several splits


def _key(params: SplitParams) -> Key | None:
    """The key that makes the ids, where one is given."""
    return None if params.pseudonymize is None else read_key(params.pseudonymize)


def _check_key(known: KnownSplit, key: Key | None, option: str) -> None:
    now = None if key is None else key.fingerprint()
    if known.key is None or known.key == now:
        return
    given = "no key" if now is None else f"the key {now}"
    raise UsageError(
        f"{option}: the ids of the earlier split come from the key {known.key}, those of this run "
        f"from {given}",
        "Give the file of that key: --pseudonymize KEYFILE.",
        code="split-key",
    )


def _matched(known: KnownSplit, names: Names, option: str) -> tuple[dict[str, str], list[str]]:
    """Name -> patient, of those that are here, and the names that nobody here has."""
    whose: dict[str, str] = {}
    sides: Sides = {}
    gone, doubtful, torn = list[str](), list[str](), dict[str, None]()
    for name, side in known.sides.items():
        found = names.of(known, name)
        if len(found) > 1:
            doubtful.append(name)
        elif not found:
            gone.append(name)
        else:
            whose[name] = patient = found.pop()
            if sides.setdefault(patient, side) != side:
                torn[patient] = None
    if doubtful:
        raise UsageError(
            f"{option}: {plural(len(doubtful), 'name')} in it that may be two patients of ROOT",
            "Name the patients by their ids, as a dry run shows them: -n.",
            code="split-file",
        )
    if torn:
        error = leak(sorted(torn))
        patients = f"{plural(len(torn), 'patient')} ({shown(sorted(torn))})"
        raise UsageError(
            f"{option}: {patients} on several sides or folds: the split leaks",
            error.remedy,
            error.code,
        )
    return whose, gone


def _check_found(sides: Sides, known: KnownSplit, root: Root, option: str) -> None:
    if sides:
        return
    raise UsageError(
        f"{option}: none of the {plural(len(known.sides), 'name')} in it is a patient of ROOT",
        f"There are: {shown(root.patients)}. Names may be those of patients, cases, volumes or "
        "folders; pseudonyms need the same --pseudonymize KEYFILE.",
        code="split-file",
    )


def _incomplete(missing: Sequence[str], known: KnownSplit) -> UsageError:
    way = "Add them to the file, or let them be placed: give it as --like FILE instead"
    if known.leaves_out_tests:
        way += ", with --test-patient for each test patient, which nnU-Net's file does not name"
    return UsageError(
        f"--split-file: it does not give the side of {plural(len(missing), 'patient')} of ROOT "
        f"({shown(missing)})",
        f"{way}.",
        code="split-file",
    )


def _check_agreed(here: Sides, settled: Sides, params: SplitParams, option: str) -> None:
    """Refuse a split that contradicts the data set, or patients that are named."""
    torn = sorted(patient for patient in here.keys() & settled if _differ(here, settled, patient))
    if torn:
        stays = any(settled[patient][0] == "test" for patient in torn)
        way = "correct it: a test set stays" if stays else "divide the patients again: --redivide"
        raise UsageError(
            f"{option}: it has {plural(len(torn), 'patient')} ({shown(torn)}) on another side or "
            "in another fold than the data set itself",
            f"Leave it out, or {way}.",
            code="split-differs",
        )
    for side in ("val", "test"):
        named = getattr(params, f"{side}_patient")
        moved = [patient for patient in named if here.get(patient, (side,))[0] != side]
        if moved:
            raise UsageError(
                f"--{side}-patient: {shown(moved)}: on another side in the split of {option}",
                "Patients listed there keep their side: name only new patients.",
                code="split-differs",
            )


def _differ(here: Sides, settled: Sides, patient: str) -> bool:
    one: Side = here[patient]
    other = settled[patient]
    return one[0] != other[0] or (None not in (one[1], other[1]) and one[1] != other[1])


def _notes(
    gone: Sequence[str],
    known: KnownSplit,
    here: Sides,
    root: Root,
    params: SplitParams,
    *,
    is_hidden: bool,
) -> tuple[str, ...]:
    """What is to be said: names that are gone, the key that was taken, that nobody validates."""
    said = []
    if gone:
        first = f" ({shown(sorted(gone))})" if known.are_ids or not is_hidden else ""
        noun = "patient" if known.are_ids else "name"
        place = "the earlier split" if params.like else "the split file"
        are = "is" if len(gone) == 1 else "are"
        said.append(f"{plural(len(gone), noun)} of {place} {are} not here{first}")
    if known.counts_from_1:
        said.append(
            f"the folds of {params.like or params.split_file} count from 1, here they count from "
            "0: its fold 1 is fold 0"
        )
    folds = set() if known.folds else {at for _, at in known.sides.values() if at is not None}
    if params.like and (empty := sorted({*range(max(folds, default=0))} - folds)):
        said.append(
            f"of the folds 0 to {max(folds)} of {params.like}, no patient is in "
            f"{shown(map(str, empty))}: new patients fill what is empty"
        )
    if known.key is not None and root.key_file is not None:
        said.append(f"the ids come from the key of the earlier split: {root.key_file.name}")
    if params.split_file and not any(side == "val" for side, _ in here.values()):
        said.append("no patient validates, as the split file says")
    return tuple(said)
