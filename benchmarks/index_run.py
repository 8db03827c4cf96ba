"""The index of a root alone: python -m benchmarks.index_run ROOT FOLDER JOBS."""

import sys
from pathlib import Path

from chaosprep.layouts.headers.index import read_index
from chaosprep.running.mapping import on_workers
from chaosprep.workbench import Workbench


def main(root: str, folder: str, jobs: str) -> None:
    """Read the headers below a root, kept in a folder; print how many files there are."""
    print(len(read_index(Path(root), Workbench(Path(folder), "index", int(jobs), on_workers))))


if __name__ == "__main__":
    main(*sys.argv[1:])
