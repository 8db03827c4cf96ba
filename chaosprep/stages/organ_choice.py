"""Which organ extract-liver takes, by name or grey level, and what it writes for it."""

from typing import Annotated, Literal

from msgspec import Meta

from chaosprep.choices.params import ChoiceParams
from chaosprep.facts import Organ
from chaosprep.known import LEVELS, USUAL_LEVELS, LevelsName, OrganName

Grey = Annotated[int, Meta(ge=0, le=65535)]


class ExtractLiverParams(ChoiceParams, frozen=True, kw_only=True):
    """Which grey levels to take, and what to write for them."""

    range: Annotated[
        tuple[Grey, Grey] | None,
        Meta(description="Lowest and highest grey level of the organ. [default: the organ's own]"),
    ] = None
    organ: Annotated[
        OrganName,
        Meta(
            description="The organ: liver 55-70, right kidney 110-135, left 175-200, spleen 240+."
        ),
    ] = "liver"
    all_organs: Annotated[
        bool, Meta(description="Write a label map, 1 liver to 4 spleen, instead of one organ.")
    ] = False
    mask_value: Annotated[
        Literal[1, 255], Meta(description="Value of the organ in a binary mask.")
    ] = 255
    drop_empty: Annotated[
        bool, Meta(description="Leave out slices whose mask does not show the organ.")
    ] = False
    levels: Annotated[
        LevelsName,
        Meta(description="The table of grey levels: today's, or the release of February 2019."),
    ] = USUAL_LEVELS
    lenient_masks: Annotated[
        bool,
        Meta(
            description="Take grey masks that are stored as colour, palette or JPEG, and masks "
            "with levels that belong to no organ (as background), with a warning on each slice, "
            "except labels of a label map that --range leaves out."
        ),
    ] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.range is not None and self.range[0] > self.range[1]:
            raise ValueError("--range must be given as lowest, highest")
        if self.all_organs and (self.range is not None or self.organ != "liver"):
            raise ValueError("--all-organs excludes --range and --organ")

    def wanted(self) -> tuple[Organ, ...]:
        """The organs to write, each with its grey levels."""
        table = LEVELS[self.levels].organs
        if self.all_organs:
            return table
        mine = next(organ for organ in table if organ.name == self.organ)
        if self.range is None:
            return (mine,)
        low, high = self.range
        shown = [organ for organ in table if organ.low <= high and low <= organ.high]
        # Nobody said that other levels are this organ.
        name = mine.name if shown == [mine] else f"levels-{low}-{high}"
        return (Organ(name, low, high, mine.label),)

    @property
    def names_organs(self) -> bool:
        """Whether what is written is called as an organ of the table."""
        names = {organ.name for organ in LEVELS[self.levels].organs}
        return all(organ.name in names for organ in self.wanted())

    def widened(self) -> Organ | None:
        """The organ that `range` goes beyond and is called by; None where there is none."""
        mine = next(one for one in LEVELS[self.levels].organs if one.name == self.organ)
        if self.range is None or not self.names_organs:
            return None
        return None if mine.low <= self.range[0] and self.range[1] <= mine.high else mine

    def known(self) -> tuple[Organ, ...]:
        """The organs that a mask may show: those of the table, and what `range` adds."""
        table = LEVELS[self.levels].organs
        return table if self.range is None else (*self.wanted(), *table)
