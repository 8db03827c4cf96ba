"""What is to be said of the contours of an RTSTRUCT: a line for each kind, with structures."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from chaosprep.errors import FileError, plural
from chaosprep.formats.rtstruct_file import Roi

_MOST = 3  # structures that a message names


class Kind(Enum):
    """What can be found, and what to say of it where the mask is right nevertheless."""

    FRAME = auto()
    STRANGE = auto()
    TILTED = auto()
    OFF = auto()
    CONTRADICTION = auto()
    ELSEWHERE = auto()
    UNTIED = "nothing says which images contours were drawn on: they lie where they say"
    OTHERS = "contours refer to images of another series, and lie where they say"
    ANOTHER = "contours refer to images of another volume in the same planes, and are left out"
    BETWEEN = "contours lie between slices, up to {mm:.3g} mm off, and are left out"
    OPEN = "points and open contours enclose nothing"
    FEW = "contours of less than three points enclose nothing"
    REPEATED = "contours are there twice and count once"
    CROSSING = "contours cross or coincide on slices, where what lies in two is left out"
    OUTSIDE = "contours lie outside the picture"
    SKIPPED = "contours skip slices between their first and their last"
    SMALL = "contours hold the centre of no pixel"


def _error(kind: Kind, where: str, mm: float) -> FileError | None:
    """What makes a mask wrong; ``where`` are its structures."""
    if kind is Kind.FRAME:
        reason = f"structures lie in a different frame of reference from the images: {where}"
    elif kind is Kind.STRANGE:
        reason = f"contours refer to other images, in no known frame of reference: {where}"
    elif kind is Kind.TILTED:
        reason = f"contours do not lie in the planes of the images, by up to {mm:.3g} mm: {where}"
    elif kind is Kind.OFF:
        reason = f"contours lie between slices that have none, up to {mm:.3g} mm off: {where}"
    elif kind is Kind.ELSEWHERE:
        reason = f"all contours lie outside the pictures: {where}"
    elif kind is Kind.CONTRADICTION:
        reason = f"contours lie on other images than those that they refer to: {where}"
    else:
        return None
    return FileError(
        reason,
        "Give the series that they were drawn on, or export the RTSTRUCT again; --roi leaves "
        "structures out.",
        "mask-grid",
    )


@dataclass
class _Count:
    found: int = 0
    of: int = 0
    mm: float = 0.0


class Findings:
    """Counts what is found of structures; ``may_say`` tells which names can be said."""

    def __init__(self, may_say: Callable[[str], bool]) -> None:
        self._may_say = may_say
        self._counts = defaultdict[Kind, dict[Roi, _Count]](dict)

    def add(self, kind: Kind, roi: Roi, *, of: int = 0, count: int = 1, mm: float = 0.0) -> None:
        """Count something; ``of`` is how many of its kind the structure has in all."""
        known = self._counts[kind].setdefault(roi, _Count(of=of))
        known.found += count
        known.mm = max(known.mm, mm)

    def error(self) -> FileError | None:
        """What makes the mask wrong: the first kind of it."""
        found = (_error(kind, self._where(kind), self._mm(kind)) for kind in self._kinds())
        return next(filter(None, found), None)

    def remark(self) -> str | None:
        """What a person should know; asked where there is no error."""
        found = (
            f"{str(kind.value).format(mm=self._mm(kind))}: {self._where(kind)}"
            for kind in self._kinds()
        )
        return "; ".join(found) or None

    def said(self, roi: Roi) -> str:
        """What a structure is called in messages."""
        return (
            f"{roi.label} ({roi.name})" if roi.name and self._may_say(roi.name) else f"{roi.label}"
        )

    def _kinds(self) -> list[Kind]:
        return [kind for kind in Kind if kind in self._counts]

    def _mm(self, kind: Kind) -> float:
        return max(count.mm for count in self._counts[kind].values())

    def _where(self, kind: Kind) -> str:
        """The structures of which it was found."""
        counts = self._counts[kind]
        shown = [
            f"{count.found} of {count.of} of structure {self.said(roi)}"
            if count.of
            else f"structure {self.said(roi)}"
            for roi, count in [*counts.items()][:_MOST]
        ]
        left = len(counts) - len(shown)
        more = f" and {plural(left, 'more structure')}" if left else ""
        return f"{', '.join(shown)}{more}"
