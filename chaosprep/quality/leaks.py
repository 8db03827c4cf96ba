"""What the sides of a split share that they should not: equal slices, similar slices, names."""

import re
from collections.abc import Iterator, Sequence

from chaosprep.errors import Problem
from chaosprep.quality.findings import Findings, Seen
from chaosprep.quality.fingerprints import Fingerprint

_LEAK = "Keep it on one side, with everything else of its patient."
_PATIENT = re.compile(
    r"(?:^|[-_/ .])(patient|pat|subject|subj|sub|case|mr|ct)[-_ ]?0*(\d+)[-_/ .]", re.IGNORECASE
)


def duplicates(images: Sequence[Seen], *, jobs: int = 1) -> Findings:
    """Find equal pixels (across sides a fault, within one a warning), then what is similar."""
    found = Findings()
    first: dict[str, Seen] = {}
    again: set[str] = set()
    for image in images:
        if image.digest is None:
            continue
        other = first.setdefault(image.digest, image)
        if other is image:
            continue
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
    from chaosprep.quality.duplicates import near_duplicates

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
    sides: dict[str, set[str]] = {}
    for image in images:
        _, _, name = image.id.partition("/") if image.side else ("", "", image.id)
        match = _PATIENT.search(name)
        if match:
            patient = f"{match[1].casefold()} {match[2]}"
            sides.setdefault(patient, set()).add(image.side)
    for patient, on in sorted(sides.items()):
        if len(on) > 1:
            reason = f"files named so are on {len(on)} sides: {', '.join(sorted(on))}"
            remedy = "Split again by patient if the number stands for one."
            yield Problem(code="patient-name", id=patient, reason=reason, remedy=remedy)


def _problem(code: str, image: Seen, reason: str, remedy: str) -> Problem:
    return Problem(code=code, id=image.id, file=image.file, reason=reason, remedy=remedy)
