"""The table of stages: one line, of which the verb, the function and prepare's part are made."""

import subprocess
import sys
from pathlib import Path

import pytest

from chaosprep.stage_table import STAGES, load_stage
from chaosprep.stages.prepare import CHAIN

STAGE_FILE = """
from typing import Annotated

import msgspec

from chaosprep.dataset.opening import open_parent
from chaosprep.params import Params
from chaosprep.running.stage import CaseResult, Stage, each_slice


class ThinParams(Params, frozen=True, kw_only=True):
    every: Annotated[int, msgspec.Meta(description="Keep every so many-th slice.")] = 2


def run_case(case, params, writer):
    def work(row):
        for path, digest, _ in row.files():
            writer.carry(case, path, digest)
        return row

    return each_slice([row for row in case.slices if row.slice % params.every == 0], work)


THIN = Stage(
    name="thin", version=1, params=ThinParams, run_case=run_case, open=open_parent,
    needs=("convert",), folder="thin", help="DIR is what convert made.",
)
"""
PROGRAM = """
from chaosprep.stage_table import STAGES, Entry
STAGES["thin"] = Entry("Leave slices out.", "thin:THIN")
from chaosprep import api
from chaosprep.cli.main import main
from chaosprep.stages.prepare import prepare_params
for arguments in (["--help"], ["thin", "--help"]):
    main(arguments, standalone_mode=False)
print(list(prepare_params({"every": 3})), api.thin.__doc__)
"""


@pytest.mark.parametrize("name", STAGES)
def test_a_record_has_the_name_that_it_has_in_the_table(name: str) -> None:
    assert load_stage(name).name == name


@pytest.mark.parametrize("name", STAGES)
def test_a_record_names_parameters_that_there_are(name: str) -> None:
    stage = load_stage(name)
    assert {*stage.shaping, *stage.positional} <= set(stage.params.__struct_fields__)


def test_each_stage_of_prepare_works_on_what_those_before_it_made() -> None:
    before: list[str] = []
    for stage in CHAIN:
        assert set(stage.needs) <= set(before)
        before.append(stage.name)
    assert len({stage.folder for stage in CHAIN}) == len(CHAIN)


def test_a_new_stage_is_one_file_and_one_line(tmp_path: Path) -> None:
    (tmp_path / "thin.py").write_text(STAGE_FILE, encoding="utf-8")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    first, second = done.stdout.split("Usage: ")[1:]
    assert "thin            Leave slices out." in first
    assert "Leave slices out.\n\n  DIR is what convert made." in second
    assert "--every INTEGER" in second
    assert "['split', 'extract-liver', 'extract-labels', 'convert', 'augment', 'thin']" in second
    assert "every: Keep every so many-th slice." in second
