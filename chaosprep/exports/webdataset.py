"""Tar shards for WebDataset, and an index of each side in the form of its wids.

https://github.com/webdataset/webdataset; the `datasets` library streams them too:
https://huggingface.co/docs/hub/datasets-webdataset.
"""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from chaosprep.dataset.manifest import Dataset, OnDemand
from chaosprep.dataset.records import SPLITS, Split
from chaosprep.errors import Problem, plural
from chaosprep.exports.huggingface_card import card
from chaosprep.exports.pairs import Carried
from chaosprep.exports.record import Export
from chaosprep.exports.shards import ENDING, Plan, Planned, Task, Written, plan, write_shard
from chaosprep.exports.volumes import ONE_FOLD
from chaosprep.files import PART, write_durably, write_json
from chaosprep.params import Fields, plain
from chaosprep.running.folder import Exported, new_folder, stop_or_skip
from chaosprep.running.mapping import map_cases
from chaosprep.running.options import Event, RunOptions
from chaosprep.systems.replacing import rename, unlink

WIDS = "wids-shard-index-v1"
"""What an index says that it is."""

_NAMES: dict[Split, str] = {"train": "train", "val": "validation", "test": "test"}
"""Split -> the name that the Hub gives it."""
_MB = 10**6
_HOW = (
    "```python",
    "import webdataset",
    "",
    'slices = webdataset.WebDataset("train-000000.tar", shardshuffle=False).decode()',
    "```",
    "",
    "`decode` leaves PNG as bytes. Give them to `cv2.imdecode` with `cv2.IMREAD_UNCHANGED`, which",
    'keeps 16 bits; WebDataset\'s own `decode("pil")` makes 8-bit colour of them.',
    "A sample has `image.png` or `image.npy`, `mask.png` or `mask.npy` where the slice has a mask,",
    "and `json`: `id`, `patient`, `spacing` in mm (slices, rows, columns) and more; `labels` there",
    "is JSON text: mask value to organ. `train.json` and its like list the shards of a side, with",
    "SHA-256, bytes and samples of each.",
    '`load_dataset("webdataset", data_files="train-*.tar")` of datasets streams them.',
)


class WebdatasetParams(Fields, frozen=True, kw_only=True):
    """How large the shards are."""

    shard_mb: Annotated[
        Annotated[int, Meta(ge=1, le=10**6)],
        Meta(
            description="The largest size of a shard in MB (10^6 bytes); a case is never divided."
        ),
    ] = 512


def _export(
    dataset: Dataset, output: Path, params: WebdatasetParams, options: RunOptions
) -> Exported:
    """Write `train-000000.tar` and so on, and `train.json`, `val.json`, `test.json` beside them.

    Raises:
        ProblemsError: `image-format` (DICOM), or a file that is not as recorded.
        ChaosprepError: the output cannot be made.
    """
    planned = plan(dataset, params.shard_mb * _MB)
    with new_folder(dataset, output, "webdataset", plain(params), options.overwrite) as folder:
        shards, skipped = _write(dataset, planned, folder, options)
        ids = frozenset(id for one in shards for id in one.cases)
        slices = sum(one.slices for one in shards)
        found = Carried(dataset, ids, slices, skipped)
        for split in SPLITS:
            own = _numbered([one for one in shards if one.split == split])
            if own:
                write_json(folder / f"{split}.json", _index(split, own, planned))
        about = card(dataset, found.rows(), _head(shards), _HOW)
        write_durably(folder / "README.md", about.encode())
        bare = sum(row.mask is None for row in found.rows())
    notes = (f"{plural(bare, 'slice')} without a mask: none in its sample",) if bare else ()
    if planned.folds and dataset.has_learned:
        notes = (*notes, ONE_FOLD)
    return Exported("webdataset", output, len(ids), slices, skipped, notes)


export = Export(
    WebdatasetParams,
    _export,
    "DIR is what convert or augment made. A patient is in one shard, or alone in several.",
)


def _write(
    dataset: Dataset, planned: Plan, folder: Path, options: RunOptions
) -> tuple[list[Written], tuple[Problem, ...]]:
    """Write the shards, in workers; what is empty or failed is not left there."""
    columns, title = frozenset(planned.columns), "export webdataset"

    def task(numbered: tuple[int, Planned]) -> Task:
        number, one = numbered
        cases = tuple(dataset.cases[place] for place in one.cases)
        return Task(folder / f"{number}{PART}", one.split, cases, columns)

    def tell(shard: str, done: int, total: int) -> None:
        options.tell(Event("done", title, done, total, shard))

    tasks = OnDemand(list(enumerate(planned.shards)), task)
    made, failed = map_cases(write_shard, tasks, _title, options.processes, tell)
    problems = [*failed, *(problem for one in made for problem in one.problems)]
    problems.sort(key=lambda one: one.id)
    shards = [one for one in made if one.cases]
    skipped = stop_or_skip(problems, bool(shards), options, title)
    for left in {*folder.glob(f"*{PART}")}.difference(one.file for one in shards):
        unlink(left)
    return shards, skipped


def _title(task: Task) -> str:
    """What a shard is called while it is written: its first case, and how many there are."""
    more = len(task.cases) - 1
    return task.cases[0].id + (f" and {more} more" if more else "")


def _numbered(shards: list[Written]) -> list[Written]:
    """The shards of a side, each now with its name."""
    for number, one in enumerate(shards):
        place = one.file.with_name(f"{one.split}-{number:06}{ENDING}")
        rename(one.file, place)
        one.file = place
    return shards


def _index(split: Split, shards: list[Written], planned: Plan) -> dict[str, object]:
    """The shards of a side, as wids lists them; `labels` is organ -> value in the masks."""
    listed = [
        {"url": s.file.name, "nsamples": s.slices, "filesize": s.bytes, "sha256": s.sha256}
        for s in shards
    ]
    head = {"__kind__": WIDS, "wids_version": 1, "name": split, "labels": planned.organs}
    folds = {"folds": planned.folds} if planned.folds else {}
    return {**head, **folds, "shardlist": listed}


def _head(shards: list[Written]) -> list[str]:
    """Which files are which side's, for the Hub."""
    there = {one.split for one in shards}
    lines = ["configs:", "- config_name: default", "  data_files:"]
    for split in SPLITS:
        if split in there:
            lines += [f"  - split: {_NAMES[split]}", f"    path: {split}-*{ENDING}"]
    return lines
