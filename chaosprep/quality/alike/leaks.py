"""What the sides of a split share that they should not: equal slices, similar slices, names."""

import re
from collections.abc import Iterable, Iterator, Sequence

from chaosprep.errors import Problem
from chaosprep.quality.alike.fingerprints import Fingerprint
from chaosprep.quality.findings import Findings, Seen

_LEAK = "Keep it on one side, with everything else of its patient."
SPLIT_AGAIN = "Split again by patient, and leave out doubled patients."
"""What to do where the sides of a split of patients share something."""
_PATIENT = re.compile(
    r"(?:^|[-_/ .])(patient|pat|subject|subj|sub|case|mr|ct)[-_ ]?0*(\d+)[-_/ .]", re.IGNORECASE
)


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


def across(images: Sequence[Seen], *, jobs: int = 1) -> tuple[list[Problem], list[Problem]]:
    """What slices of different patients show on two sides: equal pixels, then what is similar."""
    again = [
        Problem(
            code="leakage",
            id=image.id,
            reason=f"in {image.side}, with the pixels of {other.id} in {other.side}",
            remedy=SPLIT_AGAIN,
        )
        for image, other in equal(images)
        if other.side != image.side
    ]
    known = {fault.id for fault in again}
    return again, list(similar([one for one in images if one.id not in known], jobs=jobs))


def duplicates(images: Sequence[Seen], *, jobs: int = 1) -> Findings:
    """Find equal pixels (across sides a fault, within one a warning), then what is similar."""
    found = Findings()
    again: set[str] = set()
    for image, other in equal(images):
        again |= {image.id, other.id}
        reason = f"the image has the pixels of {other.id}"
        if other.side != image.side:
            found.faults.append(_problem("leakage", image, reason, _LEAK))
        else:
            found.warnings.append(_problem("duplicate", image, reason, "Keep one of them."))
    found.warnings += similar([one for one in images if one.id not in again], jobs=jobs)
    return found


def similar(images: Sequence[Seen], *, jobs: int = 1) -> Iterator[Problem]:
    """Yield `near-duplicate` for each image that shows a slice of another side once more."""
    from chaosprep.quality.alike.duplicates import near_duplicates

    sides: dict[str, list[tuple[Seen, Fingerprint]]] = {}
    for image in images:
        if image.picture is not None:
            sides.setdefault(image.side, []).append((image, image.picture))
    order = sorted(sides, key=lambda side: (-len(sides[side]), side))
    for number, side in enumerate(order):
        others = [one for other in order[:number] for one in sides[other]]
        references = [picture for _, picture in others]
        for match in near_duplicates([p for _, p in sides[side]], references, jobs=jobs):
            image, other = sides[side][match.query][0], others[match.reference][0]
            reason = (
                f"in {side}, it looks like {other.id} in {other.side} after a flip, rotation, "
                f"zoom or change of contrast (correlation {match.correlation:.2f})"
            )
            yield _problem("near-duplicate", image, reason, f"Look at both. {_LEAK}")


def patients_by_name(images: Sequence[Seen]) -> Iterator[Problem]:
    """Yield `patient-name` for each name such as `patient12_` or `MR001_` on two sides."""
    names = ((image.id.removeprefix(f"{image.side}/"), image.side) for image in images)
    found = ((match, side) for name, side in names if (match := _PATIENT.search(name)))
    known = ((f"{match[1].casefold()} {match[2]}", side) for match, side in found)
    for patient, sides in on_several_sides(known):
        reason = f"files named so are on {sides}"
        remedy = "Split again by patient if the number stands for one."
        yield Problem(code="patient-name", id=patient, reason=reason, remedy=remedy)


def _problem(code: str, image: Seen, reason: str, remedy: str) -> Problem:
    return Problem(code=code, id=image.id, file=image.file, reason=reason, remedy=remedy)
