"""What went by which choice, counted, and what is to be said of it."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from chaosprep.choices.rules import Gone, Rows, Rule
from chaosprep.dataset.descriptor import LeftOut
from chaosprep.dataset.left_out import told
from chaosprep.dataset.records import SPLITS
from chaosprep.errors import NothingFoundError, plural

_SHOWN = 5  # names in a message
_BY_MASKS = ("min-area", "max-empty")


class Tally:
    """Counts what each option leaves out, and what patients and sides lose by it."""

    def __init__(self) -> None:
        self._slices = Counter[tuple[str, str]]()
        self._cases: dict[tuple[str, str], list[str]] = {}
        self._before: dict[str, set[str]] = {"patient": set(), "side": set()}
        self._after: dict[str, set[str]] = {"patient": set(), "side": set()}
        self._held_back = Counter[str]()
        self.unmasked = 0

    def see(self, rows: Rows, left: Rows) -> None:
        """Remember whose the rows of a case are, and what is left of them."""
        self.unmasked += sum(row.mask is None for row in left)
        for seen, some in ((self._before, rows), (self._after, left)):
            seen["patient"] |= {row.patient for row in some}
            seen["side"] |= {row.split for row in some}

    def add(self, rule: Rule, rows: Rows, gone: Gone, left: Rows) -> None:
        """Count what a rule took of a case."""
        for reason in gone.values():
            self._slices[rule.option, reason] += 1
        if not left:
            last = gone[rows[-1].id] if rows[-1].id in gone else next(iter(gone.values()))
            self._cases.setdefault((rule.option, last), []).append(rows[0].case)
        if rule.option in _BY_MASKS:
            held = sum(row.id in gone for row in rows if row.split != "train")
            self._held_back[rule.option] += held

    def left_out(self) -> tuple[LeftOut, ...]:
        """What went, in the order of the options."""
        return tuple(
            LeftOut(
                option=option,
                reason=reason,
                cases=tuple(sorted(self._cases.get((option, reason), ()))),
                slices=count,
            )
            for (option, reason), count in self._slices.items()
        )

    def notes(self, options: Collection[str]) -> Iterator[str]:
        """What a person should know of it besides."""
        patients = sorted(self._before["patient"] - self._after["patient"])
        if patients:
            yield nothing_of(patients)
        for side in SPLITS:
            if side in self._before["side"] - self._after["side"]:
                yield f"nothing is left of {side}"
        for option in _BY_MASKS:
            if count := self._held_back[option]:
                yield (
                    f"--{option} also left out {plural(count, 'slice')} of val and test: what a "
                    "network finds there counts in no score"
                )
        by_masks = " and ".join(f"--{one}" for one in _BY_MASKS if one in options)
        if by_masks and self.unmasked:
            yield f"{by_masks}: {plural(self.unmasked, 'slice')} without a mask stayed"


def nothing_left(left_out: Iterable[LeftOut]) -> NothingFoundError:
    """Everything was left out."""
    said = "; ".join(told(left_out)[:_SHOWN])
    return NothingFoundError(
        f"nothing is left to work on: everything was left out ({said})",
        "Leave out less.",
        "empty",
    )


def nothing_of(patients: Sequence[str]) -> str:
    """What is said of patients that lost all they had."""
    more = len(patients) - _SHOWN
    shown = ", ".join(patients[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"nothing is left of {plural(len(patients), 'patient')} ({shown})"
