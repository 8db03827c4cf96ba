"""extract-labels: structures of a label map by name: chosen, renamed, merged, one on top."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from chaosprep.choices.leaving import chosen
from chaosprep.choices.params import ChoiceParams
from chaosprep.dataset.case import Case
from chaosprep.dataset.descriptor import LabelMap
from chaosprep.dataset.grey import check_labels
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.dataset.organs import meanings, unnamed
from chaosprep.errors import UsageError, plural
from chaosprep.running.fitting import Expected
from chaosprep.running.stage import CaseResult, Planned, Source, Stage
from chaosprep.running.writer import Writer
from chaosprep.stages.named_organs import has_levels
from chaosprep.stages.selected import noting_absence, selected_rows, write_selected
from chaosprep.stages.selection import Selection, select


class ExtractLabelsParams(ChoiceParams, frozen=True, kw_only=True):
    """Which structures to write, and as what."""

    organ: Annotated[
        tuple[str, ...],
        Meta(description="A structure to take, or a pattern: 'rib*'. Repeatable. [default: all]"),
    ] = ()
    all_organs: Annotated[
        bool, Meta(description="Take all of them: the same as without --organ.")
    ] = False
    rename: Annotated[
        tuple[str, ...],
        Meta(description="OLD=NEW: rename a structure. Repeatable."),
    ] = ()
    merge: Annotated[
        tuple[str, ...],
        Meta(description="NEW=A,B: one structure of several, as liver=liver,tumour. Repeatable."),
    ] = ()
    order: Annotated[
        str | None,
        Meta(
            description="Which lies on top where structures overlap, as in tumour,liver; * stands "
            "for all others, by their numbers. [default: an overlap is an error]"
        ),
    ] = None
    binary: Annotated[
        bool, Meta(description="Write the one structure that is taken as a binary mask.")
    ] = False
    mask_value: Annotated[
        Literal[1, 255], Meta(description="Value of the structure in a binary mask.")
    ] = 255
    drop_empty: Annotated[
        bool, Meta(description="Leave out slices whose mask shows none of the structures.")
    ] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.all_organs and self.organ:
            raise ValueError("--all-organs and --organ exclude each other")
        self.pairs(), self.parts()

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """`rename` as (old, new)."""
        return tuple(_halves("rename", text, "OLD=NEW") for text in self.rename)

    def parts(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """`merge` as (new, its parts)."""
        halves = (_halves("merge", text, "NEW=A,B") for text in self.merge)
        return tuple((new, _listed(parts)) for new, parts in halves)

    def selection(self, labels: LabelMap) -> Selection:
        """What is written of a label map.

        Raises:
            UsageError: `organ-unknown`, `organ-name`, or `organs-several`.
        """
        order = _listed(self.order or "")
        found = select(labels, self.organ, self.pairs(), self.parts(), order)
        if not self.binary:
            return found
        if len(found.structures) > 1:
            names = ", ".join(one.label.name for one in found.structures)
            raise UsageError(
                f"--binary: {plural(len(found.structures), 'structure')} are taken ({names})",
                "Take one with --organ, or make one of them: --merge NAME=A,B.",
                code="organs-several",
            )
        return found.numbered({one.value: self.mask_value for one in found.structures})


def _halves(option: str, text: str, form: str) -> tuple[str, str]:
    one, sign, other = (part.strip() for part in text.partition("="))
    if not (one and sign and other):
        raise ValueError(f"--{option} must be given as {form} (given: {text})")
    return one, other


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def open_labels(directory: Path, params: ExtractLabelsParams, bench: object = None) -> Dataset:
    """Open a stage directory whose masks are labels, and check the names that are asked for.

    Raises:
        ManifestError: it is unfinished or damaged.
        ChaosprepError: `masks-grey`, its masks are grey levels.
        UsageError: what `ExtractLabelsParams.selection` raises.
    """
    dataset = open_dataset(directory)
    check_labels(dataset)
    params.selection(_meanings(dataset))
    return dataset


def plan(source: Dataset, cases: Sequence[Case], params: ExtractLabelsParams) -> Planned[Case]:
    """Give every case what all values of the dataset stand for, of whatever patients.

    Where none of them shows what is taken, every row says so.
    """
    if not cases:
        return Planned(lambda case: case)
    dataset = open_dataset(cases[0].directory)
    labels = _meanings(dataset)
    noted = noting_absence(dataset.cases, params.selection(labels))
    return Planned(lambda case: noted(replace(case, labels=labels)))


def run_case(case: Case, params: ExtractLabelsParams, writer: Writer) -> CaseResult:
    """Write one case's structures; the images are carried over."""
    selection = params.selection(case.labels)
    return write_selected(case, selection, writer, drop_empty=params.drop_empty)


def rows(case: Case, params: ExtractLabelsParams) -> Iterator[Expected]:
    """One for each slice with the parent's image, but for those that are to be dropped."""
    return selected_rows(case, params.selection(case.labels), drop_empty=params.drop_empty)


def labels(source: Source[Case], params: ExtractLabelsParams) -> LabelMap:
    """The label map of what is written, without values that nobody named."""
    written = params.selection(_meanings(open_dataset(source.directory))).labels
    return {value: label for value, label in written.items() if label.name != unnamed(value)}


def _meanings(dataset: Dataset) -> LabelMap:
    """What the values of all masks stand for, also of those that nobody named."""
    return meanings(dataset.labels, (row.labels for case in dataset.cases for row in case.slices))


def _takes(dataset: Dataset) -> bool:
    """Whether prepare goes through it: not where extract-liver was the one that the masks need."""
    past = {one.stage for one in dataset.history}
    return "extract-liver" not in past and not has_levels(dataset)


EXTRACT_LABELS = Stage(
    name="extract-labels",
    version=1,
    params=ExtractLabelsParams,
    run_case=run_case,
    open=open_labels,
    choose=chosen,
    plan=plan,
    rows=rows,
    labels=labels,
    needs=("split",),
    libraries=("cv2",),
    folder="labels",
    takes=_takes,
    help="DIR is what split made of masks whose structures have names. Names match whatever their "
    "case, spaces, - and _; each keeps its number. What is overwritten where structures overlap "
    "is counted in the table.",
)
