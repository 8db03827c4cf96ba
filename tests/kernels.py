"""Notebooks run as Jupyter runs them: cell by cell in a kernel, a process of its own."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

SECONDS = 300  # for a cell; a machine may be slow


def executed(notebook: Any, place: Path) -> Any:  # noqa: ANN401 - of nbformat, which has no types
    """The notebook with its outputs, run in `place`; a cell that fails is an error."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    own = place.parent / f"{place.name}-jupyter"
    settings = {"IPYTHONDIR": str(own), "JUPYTER_RUNTIME_DIR": str(own / "runtime")}
    settings |= {"OMP_NUM_THREADS": "1", "JUPYTER_PLATFORM_DIRS": "1"}
    resources = {"metadata": {"path": str(place)}}
    with patch.dict(os.environ, settings):
        client = nbclient.NotebookClient(
            notebook, timeout=SECONDS, kernel_name="python3", resources=resources
        )
        return client.execute()


def outputs_of(cells: Sequence[str], place: Path) -> list[list[Any]]:
    """What some cells of code put out, those of each in a list."""
    nbformat = pytest.importorskip("nbformat")
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    return [cell.outputs for cell in executed(made, place).cells]


def text_of(outputs: Sequence[Any]) -> str:
    """What the outputs of a cell are as text alone."""
    return "\n".join(
        one.get("text") or one.get("data", {}).get("text/plain", "") for one in outputs
    ).strip()
