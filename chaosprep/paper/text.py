"""The text itself, as Markdown: sections in sentences, then the items of a checklist."""

from collections.abc import Iterator
from pathlib import Path

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.paper import paragraphs
from chaosprep.paper.claim import items
from chaosprep.paper.counted import Counted, counted

TITLE = "# How this dataset was made"


def methods(source: str | Path | Dataset) -> str:
    """Text for the data section of a paper, from a stage directory's manifest alone.

    What the manifest does not know is marked `(NOT IN THE MANIFEST: ...)`, never made up.

    Args:
        source: a stage directory, or what `chaosprep.open` gives.

    Returns:
        Markdown: sections in sentences, and items 7 to 13 of CLAIM 2024 as a table.

    Raises:
        ManifestError: the directory is unfinished, or its manifest not to be trusted.
    """
    dataset = source if isinstance(source, Dataset) else open_dataset(source)
    found = counted(dataset)
    lines = [TITLE]
    for title, texts in _sections(dataset, found):
        if texts:
            lines += ["", f"## {title}", "", " ".join(texts)]
    lines += ["", "## CLAIM 2024, items 7 to 13", "", "| item | asks for | answer |", "|--|--|--|"]
    lines += [f"| {number} | {asked} | {text} |" for number, asked, text in items(dataset, found)]
    return "\n".join(lines) + "\n"


def _sections(dataset: Dataset, found: Counted) -> Iterator[tuple[str, list[str]]]:
    done = dict(paragraphs.steps(dataset))
    divided = [*done.pop("split", []), *paragraphs.sides(found), *paragraphs.balance(dataset)]
    augmented = done.pop("augment", [])
    if augmented:
        augmented.append(f"This gave {found.copies} copies.")
    yield "Data", [paragraphs.sources(dataset), *paragraphs.numbers(found)]
    yield "Left out", list(paragraphs.left_out(dataset))
    yield "Division", divided
    yield "Preparation", [text for texts in done.values() for text in texts]
    yield "Mask values", list(paragraphs.values(dataset))
    yield "Augmentation", augmented
    yield "Software", [paragraphs.software(dataset)]
