"""Items 7 to 13 of CLAIM, as far as a manifest can answer them.

The items are those of the update of 2024 (Tejani et al., doi:10.1148/ryai.240300); that of 2020
(doi:10.1148/ryai.2020200029) numbers 11 to 13 otherwise.
"""

from collections.abc import Iterator

from chaosprep.dataset.manifest import Dataset
from chaosprep.errors import plural
from chaosprep.markdown import inline
from chaosprep.paper.counted import Counted
from chaosprep.paper.paragraphs import left_out, numbers, sources, steps
from chaosprep.paper.settings import gap, have, listed

_NOT_SHAPING = ("split", "augment", "predict")


def items(dataset: Dataset, found: Counted) -> Iterator[tuple[int, str, str]]:
    """Each item: its number, what it asks for, and the answer with its gaps marked."""
    done = dict(steps(dataset))
    gone = list(left_out(dataset))
    yield 7, "Data sources", f"{sources(dataset)} {gap('sites, dates and scanners')}"
    yield (
        8,
        "Inclusion and exclusion criteria",
        _joined([*gone, gap("criteria by which patients came into the source")]),
    )
    shaped = [text for stage in done if stage not in _NOT_SHAPING for text in done[stage]]
    yield 9, "Data pre-processing", _joined(shaped or ["No stage has changed pixels or masks."])
    taken = [text for text in done.get("split", []) if text.startswith("Of ")]
    series = (
        f"Series that were taken: {listed([inline(name) for name in sorted(found.sequences)])}."
    )
    yield (
        10,
        "Selection of data subsets",
        _joined([*taken, series, gap("which series the source has besides these")]),
    )
    yield 11, "De-identification methods", _joined(deidentified(dataset))
    yield 12, "How missing data were handled", _joined(missing(found, gone))
    yield (
        13,
        "Image acquisition protocol",
        _joined([*acquired(found), gap("scanner, field strength, sequence timing and contrast")]),
    )


def _joined(texts: list[str]) -> str:
    return " ".join(texts)


def deidentified(dataset: Dataset) -> list[str]:
    """What is known of what identifies: whether it was taken out here."""
    first = next((one for one in dataset.history if one.stage == "split"), None)
    given = first.parameters if first is not None else {}
    if given.get("deidentify"):
        return ["DICOM files by the basic profile of DICOM PS3.15; keyed pseudonyms for patients."]
    known = ["Patients have keyed pseudonyms."] if given.get("pseudonymize") else []
    return [*known, gap("whether and how the source was de-identified")]


def missing(found: Counted, gone: list[str]) -> list[str]:
    """What lacks a mask, and what was left out for a fault."""
    lacking = found.slices - found.masked
    many = f"{plural(lacking, 'slice')} of {found.slices}"
    told = f"{many} {have(lacking)} no mask." if lacking else ""
    faults = [text for text in gone if "for a fault" in text]
    return [told or "Every slice has a mask.", *(faults or ["No slice was left out for a fault."])]


def acquired(found: Counted) -> list[str]:
    """What rows tell of how images were taken."""
    asked = ("Series:", "Pixels", "Slices are", gap("")[:-1])
    return [text for text in numbers(found) if text.startswith(asked)]
