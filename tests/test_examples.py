"""The notebooks in examples run in an empty folder, and show what they talk about."""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep.torch.parameters import TRAINING
from tests.documents import HOME
from tests.kernels import executed

FILES = sorted((HOME / "examples").glob("*.ipynb"))
NAMES = [file.stem for file in FILES]
HTML, PNG = "text/html", "image/png"
# Notebook -> cell -> what it shows inline, besides the bars that verbs leave.
SHOWS = {
    "augment_and_preview": {
        "preset-mri": PNG,
        "preset-heavy": PNG,
        "recipe": PNG,
        "augment": HTML,
        "replay": HTML,
    },
    "prepare_and_look": {
        "inspect": HTML,
        "split": HTML,
        "liver": HTML,
        "preview": PNG,
        "verify": HTML,
        "report": HTML,
    },
    "train_and_evaluate": {
        "data": HTML,
        "train": HTML,
        "predict": HTML,
        "evaluate": HTML,
        "compare": HTML,
        "report": HTML,
    },
}
SAYS = {
    "augment_and_preview": {"again": "True"},
    "prepare_and_look": {"same": "same as the DICOM file: True"},
    "train_and_evaluate": {"values": "Dice of 5 unseen patients: "},
}
MODULES = {"chaosprep", "chaosprep.phantom", "numpy", "pathlib", "pydicom"}


def read(name: str) -> dict[str, Any]:
    """A notebook as it lies in the folder."""
    found: dict[str, Any] = json.loads((HOME / f"examples/{name}.ipynb").read_text("utf-8"))
    return found


def code(name: str) -> str:
    """All of its code."""
    cells = read(name)["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def test_each_notebook_is_tried() -> None:
    assert NAMES == sorted(SHOWS) == sorted(SAYS)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_from_an_empty_folder_and_shows_what_it_should(
    name: str, tmp_path: Path
) -> None:
    nbformat = pytest.importorskip("nbformat")
    if "chaosprep.train(" in code(name) and not all(map(find_spec, TRAINING)):
        pytest.skip("training is not installed")
    place = tmp_path / "empty"
    place.mkdir()
    made = executed(nbformat.reads(json.dumps(read(name)), as_version=4), place)
    outputs = {cell.id: cell.outputs for cell in made.cells if cell.cell_type == "code"}
    assert [id for id, some in outputs.items() if any("ename" in one for one in some)] == []
    loud = [id for id, some in outputs.items() if any(one.get("name") == "stderr" for one in some)]
    assert loud == []
    bars = [one for some in outputs.values() for one in some if one.output_type == "display_data"]
    assert bars
    assert "<progress" not in str(bars)
    for id, kind in SHOWS[name].items():
        (result,) = [one for one in outputs[id] if one.output_type == "execute_result"]
        assert kind in result.data, id
    for id, text in SAYS[name].items():
        assert text in str(outputs[id]), id


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_whole_and_stripped(name: str) -> None:
    nbformat = pytest.importorskip("nbformat")
    found = read(name)
    nbformat.validate(nbformat.from_dict(found))
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert found["metadata"] == {"kernelspec": kernel, "language_info": {"name": "python"}}
    ids = [cell["id"] for cell in found["cells"]]
    assert len({*ids}) == len(ids)
    for cell in found["cells"]:
        assert cell["metadata"] == {}
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_uses_what_is_public(name: str) -> None:
    assert {*re.findall(r"^(?:import|from) (\S+)", code(name), re.MULTILINE)} <= MODULES
    used = {*re.findall(r"(?<!import )\bchaosprep\.(\w+)", code(name))} - {"phantom"}
    assert used <= {*chaosprep.__all__, "open"}
    assert "jobs=2" in code(name)
