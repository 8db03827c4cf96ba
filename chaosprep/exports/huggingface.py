"""An imagefolder for Hugging Face datasets: PNG pairs, metadata.jsonl and a dataset card.

The layout is that of https://huggingface.co/docs/datasets/image_dataset: a folder for each split,
whose metadata.jsonl names the files; `image_file_name` becomes the feature `image`.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.records import SPLITS, Slice, Split
from chaosprep.errors import FileError, not_as_written
from chaosprep.exports.huggingface_card import card
from chaosprep.exports.pairs import Carried, carry_pairs, no_dicom
from chaosprep.exports.record import Export, NoParams
from chaosprep.exports.rows import plain_row, write_lines
from chaosprep.files import write_durably
from chaosprep.running.folder import Exported, new_folder
from chaosprep.running.options import RunOptions

METADATA = "metadata.jsonl"
FOLDER: dict[Split, str] = {"train": "train", "val": "validation", "test": "test"}
"""Split -> the name that datasets gives it."""

Row = dict[str, Any]


def _export(dataset: Dataset, output: Path, params: NoParams, options: RunOptions) -> Exported:
    """Write a stage directory of PNG pairs as an imagefolder.

    `datasets.load_dataset("imagefolder", data_dir=output)` then gives `image`, `mask` and the
    columns of `metadata`.

    Raises:
        ProblemsError: `image-format` (npy, DICOM), `mask-missing`, or a file that is not as
            recorded.
        ChaosprepError: the output cannot be made.
    """
    masked = any(row.mask for case in dataset.cases for row in case.slices)
    check = _check_pair if masked else _check_image
    with new_folder(dataset, output, "huggingface", {}, options.overwrite) as folder:
        found = carry_pairs(
            dataset, folder, format="huggingface", options=options, check=check, place=_place
        )
        left_out, uneven = _columns(found)
        for split in SPLITS:
            if any(_rows(found, split)):
                _write(found, split, left_out, folder / FOLDER[split] / METADATA)
        write_durably(folder / "README.md", card(dataset, found.rows()).encode())
    notes = tuple(f"{name} is not known on every side, and left out" for name in uneven)
    return Exported("huggingface", output, len(found.ids), found.slices, found.skipped, notes)


export = Export(
    NoParams, _export, "DIR is what convert or augment made, as PNG. Files are hard links."
)


def metadata(row: Slice) -> Row:
    """One line of metadata.jsonl: file names, and what the table says, each of one plain type."""
    names = {"image_file_name": _name(row, row.image), "mask_file_name": _name(row, row.mask)}
    return names | plain_row(row)


def _name(row: Slice, path: str | None) -> str | None:
    return None if path is None else _place(row, path).partition("/")[2]


def _place(row: Slice, path: str) -> str:
    """Where a file goes: only the name of the validation side is another."""
    kind = "images" if path == row.image else "masks"
    return f"{FOLDER[row.split]}/{kind}/{row.id}.png"


def _check_pair(row: Slice) -> None:
    _check_image(row)
    if row.mask is None:
        raise FileError(
            f"{row.id} has no mask, and an imagefolder has one for every image or for none",
            "Leave these cases out with --on-error skip.",
            code="mask-missing",
        )


def _check_image(row: Slice) -> None:
    no_dicom(row)
    if not row.image.endswith(".png"):
        raise FileError(
            f"the image of {row.id} is not a PNG, and an imagefolder holds nothing else",
            "Run chaosprep convert without --format npy and --store zarr (--keep-16bit keeps the "
            "stored values).",
            code="image-format",
        )
    if row.mask is not None and not row.mask.endswith(".png"):
        raise FileError(
            f"the mask of {row.id} is not a PNG, and an imagefolder holds nothing else",
            "Run the stages again without --store zarr.",
            code="image-format",
        )


def _columns(found: Carried) -> tuple[frozenset[str], tuple[str, ...]]:
    """The columns to leave out, and those of them that have values in some split.

    A column without a single value in one split would have another type there: datasets refuses.
    """
    held: dict[Split, Counter[str]] = {}
    for row in found.rows():
        counter = held.setdefault(row.split, Counter())
        counter.update(name for name, value in metadata(row).items() if value is not None)
    names = dict.fromkeys(name for counter in held.values() for name in counter)
    uneven = tuple(name for name in names if not all(counter[name] for counter in held.values()))
    everything = metadata(next(found.rows()))
    return frozenset(everything).difference(names).union(uneven), uneven


def _rows(found: Carried, split: Split) -> Iterator[Slice]:
    return (row for row in found.rows() if row.split == split)


def _write(found: Carried, split: Split, left_out: frozenset[str], file: Path) -> None:
    """Write the table of a split, and read it back: every row, with files that are there."""

    def encoded(row: Slice) -> bytes:
        values = metadata(row)
        return msgspec.json.encode({k: v for k, v in values.items() if k not in left_out}) + b"\n"

    write_lines(file, partial(_rows, found, split), encoded)
    for row in _rows(found, split):
        paths = (path for name, path in metadata(row).items() if name.endswith("_file_name"))
        if not all((file.parent / path).is_file() for path in paths if path is not None):
            raise not_as_written(row.id)
