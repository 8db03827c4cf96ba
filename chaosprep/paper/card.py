"""A data card: the questions of a datasheet, answered as far as the manifest can.

The sections are those of Gebru et al., Datasheets for Datasets (doi:10.1145/3458723).
"""

from collections.abc import Iterator
from pathlib import Path

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.dataset.organs import listed as label_lines
from chaosprep.markdown import inline
from chaosprep.paper import paragraphs
from chaosprep.paper.claim import deidentified
from chaosprep.paper.counted import Counted, counted
from chaosprep.paper.settings import gap

CARD_TITLE = "# Data card"


def card(source: str | Path | Dataset) -> str:
    """A data card of a stage directory, from its manifest alone.

    What the manifest does not know is marked `(NOT IN THE MANIFEST: ...)`, for the author to fill
    in. Only counts are said: no id of a patient, no path and no value of a header.

    Args:
        source: a stage directory, or what `chaosprep.open` gives.

    Returns:
        Markdown: the seven sections of a datasheet (Gebru et al., doi:10.1145/3458723).

    Raises:
        ManifestError: the directory is unfinished, or its manifest not to be trusted.
    """
    dataset = source if isinstance(source, Dataset) else open_dataset(source)
    lines = [CARD_TITLE]
    for title, blocks in _sections(dataset, counted(dataset)):
        lines += ["", f"## {title}"]
        for block in blocks:
            lines += ["", block]
    return "\n".join(lines) + "\n"


def _sections(dataset: Dataset, found: Counted) -> Iterator[tuple[str, list[str]]]:
    done = dict(paragraphs.steps(dataset))
    division = [*done.pop("split", []), *paragraphs.balance(dataset)]
    steps = [text for texts in done.values() for text in texts]
    source, _, licence = paragraphs.sources(dataset).partition(" Licence: ")
    yield "Motivation", [gap("what the dataset was made for, by whom, and with whose money")]
    yield "Composition", [*_composition(dataset, found), " ".join(division)]
    yield "Collection", [source, gap("sites, scanners, dates, consent and ethics approval")]
    yield (
        "Preprocessing and labelling",
        [
            " ".join(steps) or "No stage has changed pixels or masks.",
            *paragraphs.left_out(dataset),
            gap("who drew the masks, with what, by which protocol, and how well they agree"),
            paragraphs.software(dataset),
        ],
    )
    yield (
        "Uses",
        [
            "Training and evaluating networks that segment medical images; not for diagnosis.",
            gap("whom the patients stand for, whom they do not, and what it must not be used for"),
        ],
    )
    yield "Distribution", [f"Licence: {licence}", " ".join(deidentified(dataset))]
    yield "Maintenance", [gap("who answers questions, and where corrections and versions appear")]


def _composition(dataset: Dataset, found: Counted) -> Iterator[str]:
    """What there is: in sentences, by side, and by value of the masks."""
    yield " ".join(paragraphs.numbers(found))
    sides = (
        f"| {split} | {len(side.patients)} | {side.cases} | {side.slices} | {side.copies} |"
        for split, side in found.sides.items()
    )
    head = ("| side | patients | cases | slices | augmented copies |", "|--|--:|--:|--:|--:|")
    yield "\n".join([*head, *sides])
    values = [
        f"| {one.values} | {inline(one.name)} | {inline(one.code)} |"
        for one in label_lines(dataset.label_map)
    ]
    if values:
        yield "\n".join(["| mask value | structure | code |", "|--|--|--|", *values])
