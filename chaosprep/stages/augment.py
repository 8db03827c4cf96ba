"""augment: transformed copies of the training slices, image and mask as one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta
from numpy.typing import NDArray

from chaosprep.augmentation import AnyRecipe, AugmentorRecipe, apply, draw, preset, recipe_of
from chaosprep.augmentation.apply import transformed
from chaosprep.augmentation.guards import guarded
from chaosprep.augmentation.presets import PresetName
from chaosprep.augmentation.sides import sided, swapped
from chaosprep.augmentation.transform import Transform
from chaosprep.choices.leaving import chosen
from chaosprep.choices.params import ChoiceParams
from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.naming import file_path
from chaosprep.dataset.opening import open_parent
from chaosprep.dataset.overlapping import refuse_overlaps
from chaosprep.dataset.recent import Recent
from chaosprep.dataset.records import Slice, file_columns
from chaosprep.errors import FileError, UsageError
from chaosprep.imaging.levels import label_areas
from chaosprep.running.fitting import Expected, carried
from chaosprep.running.stage import CaseResult, Planned, Stage, each_slice
from chaosprep.running.writer import Writer
from chaosprep.stages.shares import shares

_SHOWN = 8  # names in a message


class AugmentParams(ChoiceParams, frozen=True, kw_only=True):
    """How many copies to make, and what may happen to them."""

    copies: Annotated[int, Meta(ge=0, description="Copies of each training slice.")] = 1
    samples: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Copies in all, spread evenly over the training slices, for --copies."),
    ] = None
    preset: Annotated[
        PresetName,
        Meta(description="What may happen to a copy; --list-presets describes the presets."),
    ] = "mri"
    spec: Annotated[
        dict[str, Any] | None,
        Meta(description="A recipe of your own instead of --preset: a TOML file."),
    ] = None
    engine: Annotated[
        Literal["opencv", "augmentor"],
        Meta(description="What draws and shapes the geometry; the data are resampled once."),
    ] = "opencv"
    exact_probability: Annotated[
        bool, Meta(description="Engine augmentor: apply probabilities exactly as given.")
    ] = False
    mask_sampling: Annotated[
        Literal["nearest", "label"],
        Meta(description="Nearest mask pixel, or the label with the largest share."),
    ] = "nearest"
    keep_label: Annotated[
        Annotated[float, Meta(ge=0, le=1)],
        Meta(description="Part of each label's area that a copy must keep, or it is drawn again."),
    ] = 0.25
    swap_labels: Annotated[
        bool, Meta(description="Where a label map is mirrored, exchange right and left structures.")
    ] = False
    seed: Annotated[int, Meta(description="Seed of every draw.")] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples is not None and self.copies != 1:
            raise ValueError("--samples and --copies exclude each other")
        if self.spec is not None and (self.preset != "mri" or self.engine != "opencv"):
            raise ValueError("--spec excludes --preset and --engine: the file says both")
        if self.spec is not None:
            self.recipe()

    def recipe(self) -> AnyRecipe:
        """What may be drawn.

        Raises:
            UsageError: the spec is no recipe, or the engine does not have the preset.
        """
        exact = self.exact_probability
        if self.spec is None:
            return preset(self.preset, engine=self.engine, exact_probability=exact)
        try:
            recipe = recipe_of(self.spec)
        except UsageError as error:
            error.reason = f"--spec: {error.reason}"
            raise
        if not exact:
            return recipe
        if not isinstance(recipe, AugmentorRecipe):
            reason = "--exact-probability: this recipe is exact anyway"
            raise UsageError(reason, "Leave it out.", "augmentation-recipe")
        return msgspec.structs.replace(recipe, exact_probability=True)


def plan(source: Dataset, cases: Sequence[Case], params: AugmentParams) -> Planned[Case]:
    """Give every training slice its copies: rows without a file or a draw yet."""
    check_mirroring(cases, params)
    copies, most = _copies(cases, params)
    width = max(2, len(str(most)))

    def rows(row: Slice) -> Iterator[Slice]:
        yield msgspec.structs.replace(row, parent=row.id)
        for copy in range(1, copies(row) + 1):
            id = f"{row.id}_a{copy:0{width}}"
            yield msgspec.structs.replace(row, id=id, copy=copy, parent=row.id)

    def complete(case: Case) -> Case:
        return replace(case, slices=tuple(made for row in case.slices for made in rows(row)))

    return Planned(complete)


def check_mirroring(cases: Sequence[Case], params: AugmentParams) -> None:
    """A mirrored right kidney is a left one: its label must change, or it may not be mirrored."""
    if not params.recipe().may_mirror():
        return
    for row in _train(cases):
        names = sided(row.labels.values())
        if names and not (params.swap_labels and swapped(row.labels)):
            some = sorted(names)
            more = f" or {len(some) - _SHOWN} more" if len(some) > _SHOWN else ""
            raise UsageError(
                f"the recipe mirrors, and a mirrored {' or '.join(some[:_SHOWN])}{more} would "
                "carry the wrong name",
                "Use a preset that does not mirror, such as mri, or "
                + ("--swap-labels." if swapped(row.labels) else "masks that show both sides."),
                code="label-mirror",
            )


def _copies(cases: Sequence[Case], params: AugmentParams) -> tuple[Callable[[Slice], int], int]:
    """How often each slice is used (`copies`, or its share of `samples`), and the most of it."""
    if params.samples is None:
        return lambda row: params.copies if row.split == "train" else 0, params.copies
    share, most = shares((row.id for row in _train(cases)), params.samples, params.seed)
    return lambda row: share(row.id) if row.split == "train" else 0, most


def _train(cases: Sequence[Case]) -> Iterator[Slice]:
    return (row for case in cases if case.split == "train" for row in case.slices)


def run_case(case: Case, params: AugmentParams, writer: Writer) -> CaseResult:
    """Carry over one case's originals and make its copies.

    Raises:
        FileError: `structures-overlap`.
    """
    refuse_overlaps(case.slices)
    case = replace(case, store=Recent(case.store))  # an original is carried, and then copied
    originals = {row.id: row for row in case.slices if not row.copy}
    recipe = params.recipe()

    @lru_cache(maxsize=1)
    def pair(id: str) -> tuple[NDArray[Any], NDArray[Any] | None]:
        return case.filled(originals[id]), case.mask(originals[id])

    def work(row: Slice) -> Slice:
        if row.copy and row.parent is not None:
            if row.parent not in originals:
                reason = f"it is a copy of {row.parent}, which is not one of the originals"
                raise FileError(reason, "Augment the output of convert.", code="copy-alone")
            return _written(copy_of(row, row.copy, *pair(row.parent), recipe, params), writer)
        for file in row.files():
            writer.carry(case, file)
        return row

    return each_slice(case.slices, work)


class Copy(NamedTuple):
    """A copy: its row with what was drawn, image and mask (rows, cols), pixel (row, col) in mm."""

    row: Slice
    image: NDArray[Any]
    mask: NDArray[Any] | None
    pixel: tuple[float, float] | None


def copy_of(
    row: Slice,
    copy: int,
    image: NDArray[Any],
    mask: NDArray[Any] | None,
    recipe: AnyRecipe,
    params: AugmentParams,
) -> Copy:
    """Draw and make a copy of an original's (rows, cols); the original's mask guards its labels."""
    found, transform, pair = pair_of(row, copy, image, mask, recipe, params)
    left = found["guard"] == "left"
    note = ("every draw would have lost a label: the geometry was left as it was",) if left else ()
    row = msgspec.structs.replace(row, augmentation=found, warnings=(*row.warnings, *note))
    return Copy(row, *pair, row.spacing and transform.pixel_size(row.spacing[1:]))


def pair_of(
    row: Slice,
    copy: int,
    image: NDArray[Any],
    mask: NDArray[Any] | None,
    recipe: AnyRecipe,
    params: AugmentParams,
) -> tuple[dict[str, Any], Transform, tuple[NDArray[Any], NDArray[Any] | None]]:
    """What was drawn for a copy, and its pixels; the rest is as in `copy_of`."""
    id = row.parent if row.copy and row.parent else row.id
    draws = partial(draw, recipe, seed=params.seed, slice_id=id, copy=copy)
    found = guarded(draws, mask, params.keep_label, params.mask_sampling)
    transform = found.transform or Transform(found.parameters, image.shape)
    swap, sampling = exchanged(row, params), params.mask_sampling
    made = transformed(
        transform, image, mask, sampled=found.mask, swap=swap, mask_sampling=sampling
    )
    return found.parameters, transform, made


def remade(
    row: Slice, image: NDArray[Any], mask: NDArray[Any] | None, params: AugmentParams
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """A copy's image and mask, made from the original's (rows, cols) and the row alone."""
    swap, sampling = exchanged(row, params), params.mask_sampling
    return apply(row.augmentation or {}, image, mask, swap=swap, mask_sampling=sampling)


def _written(copy: Copy, writer: Writer) -> Slice:
    """Write a copy; it no longer lies in patient space, and its pixels may have another size."""
    row, image, mask, pixel = copy
    file = writer.image(row.split, row.id, image, Path(row.image).suffix)
    spacing = row.spacing
    if spacing is not None and pixel is not None:
        spacing = (spacing[0], round(pixel[0], 6), round(pixel[1], 6))
    made = msgspec.structs.replace(
        row.with_image(file, image.shape),
        spacing=spacing,
        position=None,
        orientation=None,
        grid=None,
        padding=None,
    )
    if mask is None:
        return made
    file = writer.mask(row.split, row.id, mask)
    return made.with_mask(file, pixels=label_areas(mask, row.labels))


def exchanged(row: Slice, params: AugmentParams) -> tuple[tuple[int, int], ...]:
    """The mask values of a slice that a mirror exchanges, in pairs."""
    return swapped(row.labels) if params.swap_labels else ()


def rows(case: Case, params: AugmentParams) -> Iterator[Expected]:
    """The originals with the parent's files, and the copies that are planned of them."""
    for row in case.slices:
        if row.copy:
            image = file_path(row.split, "images", row.id, Path(row.image).suffix)
            yield carried(row, image=image, parent=row.parent)
        else:
            yield carried(row, **file_columns(row.image_file, row.mask_file))


AUGMENT = Stage(
    name="augment",
    version=1,
    params=AugmentParams,
    run_case=run_case,
    open=open_parent,
    choose=chosen,
    plan=plan,
    rows=rows,
    needs=("convert",),
    libraries=("cv2", "chaosprep.stages.augment"),
    folder="augmented",
    help="DIR is what convert made. Originals are kept, val and test are carried over; what was "
    "drawn for each copy is in the table.",
)
