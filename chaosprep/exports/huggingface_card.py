"""The dataset card: README.md with the head that the Hugging Face Hub reads."""

from collections.abc import Iterable, Sequence

from chaosprep.dataset.descriptor import DataSource, License
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organs import Listed, listed, meanings
from chaosprep.dataset.records import SPLITS, Slice, Split
from chaosprep.markdown import address, inline
from chaosprep.paper.text import methods

# https://huggingface.co/docs/hub/repositories-licenses: SPDX in small letters, else `other`.
_KNOWN = frozenset(
    {"apache-2.0", "mit", "cc0-1.0", "odbl", "unknown"}
    | {f"cc-{terms}-{version}" for version in ("3.0", "4.0") for terms in ("by", "by-sa")}
    | {f"cc-by-{terms}-4.0" for terms in ("nc", "nc-sa", "nc-nd", "nd")}
)
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**6, "100K<n<1M"))


_IMAGEFOLDER = (
    "```python",
    "from datasets import load_dataset",
    "",
    'slices = load_dataset("imagefolder", data_dir=".")',
    "```",
    "",
    "Each slice has `image` and `mask` (grey), `id`, `patient`, `spacing` in mm (slices, rows,",
    "columns) and more; `labels` is JSON text: mask value to organ.",
)


def card(
    dataset: Dataset,
    rows: Iterable[Slice],
    head: Sequence[str] = (),
    how: Sequence[str] = _IMAGEFOLDER,
) -> str:
    """The card of an exported dataset, from its manifest and the rows that were exported.

    `head` is what else the Hub is told, as lines of YAML; `how` the lines on loading it.
    """
    counts: dict[Split, tuple[set[str], set[str], list[int]]] = {}
    shown: dict[int, str] = {}
    modalities: set[str] = set()
    for row in rows:
        patients, cases, slices = counts.setdefault(row.split, (set(), set(), [0]))
        patients.add(row.patient)
        cases.add(row.case)
        slices[0] += 1
        shown |= row.labels
        modalities.add("ct" if row.sequence == "ct" else "mri")
    total = sum(slices[0] for _, _, slices in counts.values())
    table = [
        f"| {split} | {len(counts[split][0])} | {len(counts[split][1])} | {counts[split][2][0]} |"
        for split in SPLITS
        if split in counts
    ]
    told = _head(dataset.licenses, sorted(modalities), total, head)
    labels = listed(meanings(dataset.label_map, [shown]))
    return "\n".join([*told, "", *_body(dataset, labels, table, how)]) + "\n"


def _head(
    licenses: tuple[License, ...], modalities: list[str], total: int, more: Sequence[str]
) -> list[str]:
    return [
        "---",
        *_license(licenses),
        "task_categories:",
        "- image-segmentation",
        "tags:",
        *(f"- {tag}" for tag in ("medical", "segmentation", *modalities)),
        "size_categories:",
        f"- {next((name for limit, name in _SIZES if total < limit), 'n>1M')}",
        *more,
        "---",
    ]


def _license(licenses: tuple[License, ...]) -> list[str]:
    """The Hub's name of the licence; one that it has no name for is `other`, with a link."""
    names = [(one.name or "").lower() for one in licenses]
    if len(names) == 1 and names[0] in _KNOWN:
        return [f"license: {names[0]}"]
    return ["license: other", "license_name: see-license-data", "license_link: LICENSE-DATA.txt"]


def _body(
    dataset: Dataset, labels: list[Listed], table: list[str], how: Sequence[str]
) -> list[str]:
    stages = " > ".join(inline(past.stage) for past in dataset.history)
    organs = ", ".join(inline(one.name) for one in labels) or "none"
    return [
        "# Image and mask slices",
        "",
        f"Organs: {organs}. Made by chaosprep: {stages}.",
        "",
        "| split | patients | cases | slices |",
        "|--|--:|--:|--:|",
        *table,
        "",
        *_legend(labels),
        "## Load it",
        "",
        *how,
        "",
        "## Licence and citation",
        "",
        *(f"- {_words(one)}" for one in dataset.licenses),
        *(f"- {_words(one)}" for one in dataset.sources),
        "",
        "All of it stands in `LICENSE-DATA.txt` too.",
        "",
        *_methods(dataset),
    ]


def _methods(dataset: Dataset) -> list[str]:
    """How the dataset was made, a level lower than in a text of its own."""
    return [f"#{line}" if line.startswith("#") else line for line in methods(dataset).splitlines()]


def _legend(labels: list[Listed]) -> list[str]:
    """What the values of the masks stand for, with the codes that are known."""
    if not labels:
        return []
    rows = (f"| {one.values} | {inline(one.name)} | {inline(one.code)} |" for one in labels)
    return ["| mask value | organ | code |", "|--|--|--|", *rows, ""]


def _words(one: License | DataSource) -> str:
    title = one.title or getattr(one, "name", None) or "not named"
    return f"{inline(title)}, {address(one.path)}" if one.path else inline(title)
