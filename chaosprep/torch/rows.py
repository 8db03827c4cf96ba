"""The rows of a table that a dataset shows, found by their place in the file."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np

from chaosprep.dataset.checking import decode_row
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.dataset.organ_order import organ_values
from chaosprep.dataset.organs import can_show, number_organs, partial_notes
from chaosprep.dataset.records import SPLITS, Slice, Split
from chaosprep.dataset.scaling import Scale
from chaosprep.errors import UsageError
from chaosprep.torch.checks import Check
from chaosprep.torch.seen import PLAIN, Seen
from chaosprep.urls.location import is_url, without_secrets
from chaosprep.words import there_are


class Wanted(msgspec.Struct, frozen=True):
    """Which rows to show.

    With `fold`, the side val is the patients of that fold, train those of all others. Empty
    `sequences` or `patients` stand for all; `copies` are augmented ones. Where more is `seen` than
    one slice, copies are not shown: nothing is beside them; of several channels, the first is.
    """

    split: Split
    fold: int | None
    sequences: Collection[str]
    patients: Collection[str]
    copies: bool
    labelled: bool
    seen: Seen = PLAIN

    @property
    def shown(self) -> Collection[str]:
        """The sequences that are shown; empty for all."""
        return self.seen.channels[:1] or self.sequences

    def takes(self, row: "_Key | Slice") -> bool:
        """Whether a row is wanted."""
        side = row.split
        if self.fold is not None and row.fold is not None:
            side = "val" if row.fold == self.fold else "train"
        return (
            side == self.split
            and (not self.shown or row.sequence in self.shown)
            and (not self.patients or row.patient in self.patients)
            and ((self.copies and self.seen.is_plain) or not row.copy)
            and (not self.labelled or row.mask is not None)
        )


class _Key(msgspec.Struct):
    """What choosing takes of a row; the row was checked when its dataset was opened."""

    case: str
    patient: str
    sequence: str
    split: Split
    labels: dict[int, str]
    pixels: dict[str, int] = {}
    copy: int = 0
    fold: int | None = None
    mask: str | None = None


class Rows:
    """Some rows of a stage directory: 12 bytes for each in memory, read when asked for.

    Pickles, and holds no file open. `starts` are their places, ascending. `labels` is organ ->
    label (1, 2, ...) over the whole dataset, `values` organ -> its mask value, `patients` those of
    the chosen rows, `shown` patient -> the labels that his masks can show, `cases` the place of
    each row's case among the dataset's, `notes` say which organs the masks of some chosen cases
    cannot show.

    Raises:
        UsageError: the dataset has no such patient, sequence or fold; `fold-learned`, landmarks
            of the dataset were learned from this fold.
        ChaosprepError: `too-many-organs`.
    """

    def __init__(self, dataset: Dataset, wanted: Wanted) -> None:
        self.dataset = dataset
        starts, cases, patients = [], [], set()
        organs: dict[str, dict[int, str]] = {}
        everyone: dict[str, set[str]] = {}
        named: dict[int, set[str]] = {}
        sequences, folds, trained = set(), set(), set()
        for start, case, key in _keys(dataset):
            organs.setdefault(repr(key.labels), key.labels)
            everyone.setdefault(key.patient, set()).update(key.labels.values(), key.pixels)
            sequences.add(key.sequence)
            folds.add(key.fold)
            trained |= {key.fold} if key.split == "train" else set()
            if wanted.takes(key):
                starts.append(start)
                cases.append(case)
                patients.add(key.patient)
                if key.mask is not None:
                    named.setdefault(case, set()).update(key.labels.values(), key.pixels)
        none = "It holds no slice: see chaosprep inspect."
        _check_known(dataset, "patient", wanted.patients, sorted(everyone), none)
        asked = {*wanted.sequences, *wanted.seen.channels}
        _check_known(dataset, "sequence", asked, sorted(sequences), none)
        if wanted.fold is not None:
            known = [str(fold) for fold in sorted(fold for fold in folds if fold is not None)]
            _check_known(dataset, "fold", [str(wanted.fold)], known, "Split with --folds.")
            if wanted.fold in trained and dataset.has_learned:
                raise _learned_from(dataset, wanted.fold)
        self.starts = np.array(starts, np.int64)
        self.cases = np.array(cases, np.int32)
        self.values = organ_values(dataset.label_map, organs.values())
        self.labels = number_organs(dataset, self.values)
        self.notes = partial_notes(named.values(), self.labels)
        self.patients = tuple(sorted(patients))
        self.shown = {
            patient: [self.labels[organ] for organ in can_show(everyone[patient], self.labels)]
            for patient in self.patients
        }

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> Slice:
        return decode_row(self.dataset.table.line(int(self.starts[index])))


def choose(
    directory: str | Path | Dataset,
    scale: Scale,
    split: Split,
    fold: int | None,
    sequences: str | Collection[str],
    patients: str | Collection[str],
    copies: bool,
    check: Check = "once",
    labelled: bool = False,
    seen: Seen = PLAIN,
) -> Rows:
    """The rows that the arguments of a dataset for torch ask for; a plain text is one name.

    Raises:
        ManifestError: the directory is unfinished or damaged.
        UsageError: an argument is none of its choices, or nothing in the dataset; `remote-url`.
        ChaosprepError: `too-many-organs`.
    """
    if is_url(directory):
        raise UsageError(
            f"{without_secrets(str(directory))}: a URL has no working copy here",
            "Give chaosprep.open(URL), which makes one, or use SliceStream, which needs none.",
            code="remote-url",
        )
    for name, value, choices in (
        ("scale", scale, get_args(Scale)),
        ("split", split, SPLITS),
        ("check", check, get_args(Check)),
    ):
        if value not in choices:
            reason = f"{name}: must be one of {', '.join(choices)}"
            raise UsageError(reason, "Give one of them.", code=name)
    sequences, patients = (
        (some,) if isinstance(some, str) else tuple(some) for some in (sequences, patients)
    )
    if sequences and seen.channels:
        raise UsageError(
            "channels: they already say which sequences are shown",
            "Leave sequences out.",
            "channels",
        )
    wanted = Wanted(split, fold, sequences, patients, copies, labelled, seen)
    return Rows(directory if isinstance(directory, Dataset) else open_dataset(directory), wanted)


def _learned_from(dataset: Dataset, fold: int) -> UsageError:
    return UsageError(
        f"{dataset.directory}: its normalization was also learned from fold {fold}, so that fold "
        "cannot validate fairly",
        f"Split with --fold {fold}, and prepare that.",
        code="fold-learned",
    )


def _check_known(
    dataset: Dataset, what: str, asked: Collection[str], known: Collection[str], remedy: str
) -> None:
    unknown = sorted(set(asked) - set(known))
    if unknown:
        raise UsageError(
            f"{', '.join(unknown)}: no such {what} in {dataset.directory}",
            there_are(known, unknown) if known else remedy,
            code=what,
        )


def _keys(dataset: Dataset) -> Iterator[tuple[int, int, _Key]]:
    """Each row's start in the table, its case's place, and what choosing takes."""
    decoder = msgspec.json.Decoder(_Key)
    number, last = -1, ""
    for start, line in dataset.table.lines():
        key = decoder.decode(line)
        number += key.case != last
        last = key.case
        yield start, number, key
