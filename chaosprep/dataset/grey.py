"""Whether masks hold labels, or grey levels as a known data set paints them."""

from chaosprep.dataset.manifest import Dataset
from chaosprep.errors import ChaosprepError
from chaosprep.known import LEVELS


def is_grey(dataset: Dataset) -> bool:
    """Whether its masks are grey levels, in which odd ones may hide: what split copied."""
    past = {one.stage for one in dataset.history}
    if dataset.label_map or past & {"extract-liver", "extract-labels"}:
        return False
    grey = {
        (level, organ.name)
        for table in LEVELS.values()
        for organ in table.organs
        for level in range(organ.low, organ.high + 1)
    }
    rows = (row for case in dataset.cases for row in case.slices)
    return any(not grey.isdisjoint(row.labels.items()) for row in rows)


def check_labels(dataset: Dataset) -> None:
    """Refuse masks that are grey levels.

    Raises:
        ChaosprepError: `masks-grey`.
    """
    if is_grey(dataset):
        raise ChaosprepError(
            f"{dataset.directory}: its masks are grey levels, not labels",
            "Run chaosprep extract-liver first (--all-organs for all four), and give that.",
            code="masks-grey",
        )
