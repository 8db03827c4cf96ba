"""Sides and folds that a data set has of its own."""

from collections.abc import Sequence

from chaosprep.division.files.said import shown
from chaosprep.division.params import DIVIDING, SplitParams
from chaosprep.division.sides import Side, Sides
from chaosprep.errors import UsageError, plural
from chaosprep.params import differing
from chaosprep.series.source import SourceCase

_ANEW = "divide the patients again: --redivide"


def official_sides(cases: Sequence[SourceCase], params: SplitParams) -> Sides:
    """The side and the fold of every patient that a data set has settled itself.

    That is its test set, and everybody where it says who validates: by sides, or by folds, of which
    `--fold` is then the validation side. Where nobody validates, the patients that it trains with
    are left to be divided. With `--redivide` a patient of the test set stays there with all cases.

    Raises:
        UsageError: `official-leak`, cases of one patient are on several sides; `official-split`,
            the patients of a data set with sides of its own are to be divided; `fold-unknown`.
    """
    chosen = _chosen_fold(cases, params)
    validates = any(case.fold is not None or case.split == "val" for case in cases)
    if validates:
        _check_left_alone(params)
    found: Sides = {}
    torn: dict[str, None] = {}
    free: set[str] = set()
    for case in cases:
        side = _side(case, chosen)
        if side is None or (side[0] == "train" and not validates):
            free.add(case.patient)
        elif found.setdefault(case.patient, side) != side:
            torn[case.patient] = None
    torn |= dict.fromkeys(patient for patient in found if patient in free)
    if torn and not params.redivide:
        raise UsageError(
            f"{plural(len(torn), 'patient')} ({shown(torn)}) of the data set "
            "on several of its own sides or folds: its split leaks",
            f"Check whether the patients are told apart correctly, or {_ANEW}.",
            code="official-leak",
        )
    return found


def _side(case: SourceCase, chosen: int) -> Side | None:
    if case.pool == "test" or case.split == "test":
        return "test", None
    if case.split is not None:
        return case.split, case.fold
    return None if case.fold is None else ("val" if case.fold == chosen else "train", case.fold)


def _chosen_fold(cases: Sequence[SourceCase], params: SplitParams) -> int:
    """The fold that validates, of those that the data set or `--folds` has."""
    folds = sorted({case.fold for case in cases if case.fold is not None})
    of_a_file = params.like is not None or params.split_file is not None
    if of_a_file and not folds:
        return 0
    if params.fold is not None and params.folds is None and params.fold not in folds:
        if not folds:
            raise UsageError(
                "--fold needs --folds as well", "The data set has no folds.", "fold-unknown"
            )
        raise UsageError(
            f"--fold: the data set's own folds are {', '.join(map(str, folds))} "
            f"(given: {params.fold})",
            f"Choose one of them, or {_ANEW}.",
            code="fold-unknown",
        )
    return params.fold or 0


def _check_left_alone(params: SplitParams) -> None:
    """Refuse options that would divide what is divided already."""
    given = [name for name in DIVIDING if name in differing(params)]
    if given:
        options = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(
            f"{options}: the data set has sides or folds of its own, which are kept",
            f"Leave {'them' if given[1:] else 'it'} out, or {_ANEW}.",
            code="official-split",
        )
