"""What the sides of a split share that they should not: equal slices, similar slices, names."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chaosprep.errors import Problem
from chaosprep.quality.alike.fingerprints import Fingerprint
from chaosprep.quality.findings import Findings, Seen

_LEAK = "Keep it on one side, with everything else of its patient."
SPLIT_AGAIN = "Split again by patient, and leave out doubled patients."
"""What to do where the sides of a split of patients share something."""
_PATIENT = re.compile(
    r"(?:^|[-_/ .])(patient|pat|subject|subj|sub|case|mr|ct)[-_ ]?0*(\d+)[-_/ .]", re.IGNORECASE
)

_ALSO_OF_SCANS = ("case", "mr", "ct")
"""Words whose number counts scans as well: `P12_MR1` and `P13_MR1` are no one patient."""


def equal(images: Iterable[Seen]) -> Iterator[tuple[Seen, Seen]]:
    """Each image that has the pixels of one before it, and the first that has them."""
    first: dict[str, Seen] = {}
    for image in images:
        if image.digest is not None:
            other = first.setdefault(image.digest, image)
            if other is not image:
                yield image, other


def on_several_sides(names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Each name that is given on more than one side, sorted, and `2 sides: train, val`."""
    sides: dict[str, set[str]] = {}
    for name, side in names:
        sides.setdefault(name, set()).add(side)
    for name, on in sorted(sides.items()):
        if len(on) > 1:
            yield name, f"{len(on)} sides: {', '.join(sorted(on))}"


class Across(NamedTuple):
    """What slices of different patients show on two sides, and how many slices show it.

    What several slices of a case share with another one is one problem, with their number.
    """

    faults: list[Problem]
    warnings: list[Problem]
    equal_slices: int
    near_duplicates: int


def across(images: Sequence[Seen], *, jobs: int = 1) -> Across:
    """Find equal pixels on two sides, which are faults, then what is similar, which may be chance.

    Args:
        images: the slices; those without a picture are compared by their values alone.
        jobs: worker processes.

    Raises:
        ChaosprepError: `worker-died`.
    """
    again = [(image, other) for image, other in equal(images) if other.side != image.side]
    faults = [
        Problem(
            code="leakage",
            id=one.id,
            reason=f"in {one.side}, with the pixels of {one.other} in {one.there}"
            if one.count == 1
            else f"in {one.side}, {one.share} have the pixels of {one.other} in {one.there}",
            remedy=SPLIT_AGAIN,
        )
        for one in summed_up(again, images)
    ]
    known = {image.id for image, _ in again}
    warnings, alike = similar([one for one in images if one.id not in known], jobs=jobs)
    return Across(faults, warnings, len(again), alike)


def duplicates(images: Sequence[Seen], *, jobs: int = 1) -> Findings:
    """Find equal pixels (across sides a fault, within one a warning), then what is similar.

    What several slices of a stack share with another one is one problem, with their number.
    """
    found = Findings()
    pairs = list(equal(images))
    for one in summed_up(pairs, images):
        what = "the image has" if one.count == 1 else f"{one.share} have"
        reason = f"{what} the pixels of {one.other}"
        if one.side != one.there:
            found.faults.append(_problem("leakage", one, reason, _LEAK))
        else:
            found.warnings.append(_problem("duplicate", one, reason, "Keep one of them."))
    again = {one.id for pair in pairs for one in pair}
    found.warnings += similar([one for one in images if one.id not in again], jobs=jobs)[0]
    return found


def similar(images: Sequence[Seen], *, jobs: int = 1) -> tuple[list[Problem], int]:
    """`near-duplicate` for images that show a slice of another side once more; how many there are.

    What several slices of a case share with another one is one problem, with their number.
    """
    from chaosprep.quality.alike.duplicates import near_duplicates

    sides: dict[str, list[tuple[Seen, Fingerprint]]] = {}
    for image in images:
        if image.picture is not None:
            sides.setdefault(image.side, []).append((image, image.picture))
    order = sorted(sides, key=lambda side: (-len(sides[side]), side))
    found, count = list[Problem](), 0
    for number, side in enumerate(order):
        others = [one for other in order[:number] for one in sides[other]]
        references = [picture for _, picture in others]
        matches = near_duplicates([p for _, p in sides[side]], references, jobs=jobs)
        pairs = [(sides[side][m.query][0], others[m.reference][0]) for m in matches]
        count += len(pairs)
        best = {sides[side][m.query][0].id: m.correlation for m in matches}
        for one in summed_up(pairs, images):
            look = "it looks" if one.count == 1 else f"{one.share} look"
            least = "" if one.count == 1 else " and above"
            correlation = min(best[id] for id in one.slices)
            reason = (
                f"in {side}, {look} like {one.other} in {one.there} after a flip, rotation, "
                f"zoom or change of contrast (correlation {correlation:.2f}{least})"
            )
            found.append(_problem("near-duplicate", one, reason, f"Look at both. {_LEAK}"))
    return found, count


@dataclass(frozen=True)
class Shared:
    """Slices of a case that stand once more in another: ids of both, of the slices if it is one.

    ``share`` says how many of the case's slices they are; ``there`` is the other's side.
    """

    id: str
    side: str
    file: str | None
    other: str
    there: str
    slices: tuple[str, ...]
    share: str

    @property
    def count(self) -> int:
        """How many slices."""
        return len(self.slices)


def summed_up(pairs: Iterable[tuple[Seen, Seen]], images: Sequence[Seen]) -> Iterator[Shared]:
    """Pairs of a slice and the one that it is again, put together by their cases.

    Pictures that are numbered for a whole side make no case.
    """
    sizes = Counter((one.side, _case(one)) for one in images)
    groups: dict[tuple[str, ...], list[tuple[Seen, Seen]]] = {}
    for image, other in pairs:
        key = image.side, _case(image), other.side, _case(other)
        groups.setdefault(key, []).append((image, other))
    for (side, case, there, twin), some in groups.items():
        first, other = some[0]
        alone = len(some) == 1
        yield Shared(
            id=first.id if alone else case,
            side=side,
            file=first.file,
            other=other.id if alone else twin,
            there=there,
            slices=tuple(image.id for image, _ in some),
            share=f"{len(some)} of its {sizes[side, case]} slices",
        )


def _case(one: Seen) -> str:
    return one.id if one.case in ("", one.side) else one.case


def patients_by_name(images: Sequence[Seen]) -> Iterator[Problem]:
    """Yield `patient-name` for each name such as `patient12_` or `MR001_` on two sides."""
    names = ((image.id.removeprefix(f"{image.side}/"), image.side) for image in images)
    found = ((match, side) for name, side in names if (match := _PATIENT.search(name)))
    known = ((_patient(match), side) for match, side in found)
    for patient, sides in on_several_sides(known):
        reason = f"files with this name are on {sides}"
        remedy = "Split again by patient if the number stands for one."
        yield Problem(code="patient-name", id=patient, reason=reason, remedy=remedy)


def _patient(match: re.Match[str]) -> str:
    """Whom a name stands for: word and number, with all before them where that may count more."""
    word, number = match[1].casefold(), match[2]
    before = match.string[: match.start(1)].casefold() if word in _ALSO_OF_SCANS else ""
    return f"{before}{word} {number}"


def _problem(code: str, one: Shared, reason: str, remedy: str) -> Problem:
    return Problem(code=code, id=one.id, file=one.file, reason=reason, remedy=remedy)
