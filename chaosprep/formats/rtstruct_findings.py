"""What is to be said of the contours of an RTSTRUCT: a line for each kind, with structures."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from chaosprep.errors import FileError, plural
from chaosprep.formats.rtstruct_file import Roi

_MOST = 3  # structures that a message names
_DRAWN_ON = "Give the series that they were drawn on, or leave such structures out with --roi."
_AGAIN = "Export the RTSTRUCT again from its source, or leave such structures out with --roi."


class Kind(Enum):
    """What can be found: what to say, and the remedy where a mask would be wrong."""

    FRAME = ("structures lie in another frame of reference than the images", _DRAWN_ON)
    STRANGE = (
        "contours refer to none of the images, and no frame of reference is known",
        _DRAWN_ON,
    )
    TILTED = ("contours do not lie in the planes of the images, by up to {mm:.3g} mm", _DRAWN_ON)
    OFF = ("contours lie between slices that have none, up to {mm:.3g} mm off", _DRAWN_ON)
    CONTRADICTION = ("contours lie on other images than those that they refer to", _AGAIN)
    ELSEWHERE = ("all contours lie outside the pictures", _DRAWN_ON)
    UNTIED = ("nothing says which images contours were drawn on: they lie where they say",)
    OTHERS = ("contours refer to images of another series, and lie where they say",)
    BETWEEN = ("contours lie between slices, up to {mm:.3g} mm off, and are left out",)
    OPEN = ("points and open contours enclose nothing",)
    FEW = ("contours of less than three points enclose nothing",)
    REPEATED = ("contours are there twice and count once",)
    CROSSING = ("contours cross on slices, where what lies in two of them is left out",)
    OUTSIDE = ("contours lie outside the picture",)
    SKIPPED = ("contours skip slices between their first and their last",)
    SMALL = ("contours hold the centre of no pixel",)

    @property
    def says(self) -> str:
        """What it is."""
        return str(self.value[0])

    @property
    def remedy(self) -> str | None:
        """What to do; None where it is only to be known."""
        return self.value[1] if len(self.value) > 1 else None


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
        wrong = next((kind for kind in Kind if kind in self._counts and kind.remedy), None)
        return wrong and FileError(self._text(wrong), wrong.remedy or "", "mask-grid")

    def note(self) -> str | None:
        """What a person should know."""
        return "; ".join(self._text(kind) for kind in Kind if kind in self._counts) or None

    def said(self, roi: Roi) -> str:
        """What a structure is called in messages."""
        return (
            f"{roi.label} ({roi.name})" if roi.name and self._may_say(roi.name) else f"{roi.label}"
        )

    def _text(self, kind: Kind) -> str:
        counts = self._counts[kind]
        shown = [
            f"{count.found} of {count.of} of structure {self.said(roi)}"
            if count.of
            else f"structure {self.said(roi)}"
            for roi, count in [*counts.items()][:_MOST]
        ]
        left = len(counts) - len(shown)
        more = f" and {plural(left, 'more structure')}" if left else ""
        mm = max(count.mm for count in counts.values())
        return f"{kind.says.format(mm=mm)}: {', '.join(shown)}{more}"
