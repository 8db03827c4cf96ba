"""Anybody's volumes, in any of the layouts: grids, labels and sides, case by case."""

from pathlib import Path

from chaosprep.quality.findings import Findings


def holds_volumes(root: Path) -> bool:
    """Whether a root is a data set of volumes."""
    return False


def check_volumes(root: Path, *, jobs: int = 1) -> Findings:
    """Check every case of a data set of volumes, and its sides against each other."""
    return Findings()
