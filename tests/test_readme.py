"""Every block of the README is run, in its order, in one empty directory."""

import doctest
import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from chaosprep.configuration import read_config
from chaosprep.dataset.descriptor import Provenance
from chaosprep.dataset.records import Slice
from chaosprep.errors import ChaosprepError
from chaosprep.quality.diff.diff import diff
from chaosprep.stages.prepare import prepare_params
from tests.documents import COMMANDS, HOME, blocks, place_with_samples, replayed, run
from tests.formats.volume_files import nifti, noise
from tests.layouts.headers.series import series
from tests.layouts.named import nnunet
from tests.layouts.trees import two_trees, write

README = (HOME / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def sessions(place: Path) -> list[tuple[list[str], list[str]]]:
    """What the console sessions should print and what they print, session by session."""
    return replayed(README, place, apart=True)


def test_the_console_sessions_print_what_the_readme_says(
    sessions: list[tuple[list[str], list[str]]],
) -> None:
    assert len(sessions) == 7
    for expected, printed in sessions:
        assert printed == expected


@pytest.mark.usefixtures("sessions")
@pytest.mark.parametrize("store", ["tar", "zarr"])
def test_of_packed_stages_the_sessions_print_and_make_the_same(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    monkeypatch.setenv("CHAOSPREP_STORE", store)
    for expected, printed in replayed(README, tmp_path):
        assert printed == expected
    assert list(tmp_path.glob("out/*/train/*/*.png")) == []
    stages = [stage for made in ("out", "demo") for stage in place.glob(f"{made}/*/")]
    assert len(stages) == 8
    for stage in stages:
        assert not diff(stage, tmp_path / stage.relative_to(place)).differs
    for made in ("nnUNet_raw", "volumes"):
        assert _volumes(tmp_path / made) == _volumes(place / made) != {}


def _volumes(folder: Path) -> dict[str, bytes]:
    files = folder.rglob("*.nii.gz")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.usefixtures("sessions")
def test_the_python_session_gives_what_the_readme_says(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    (session,) = blocks(README, "python")
    test = doctest.DocTestParser().get_doctest(session, {}, "README", "README.md", 0)
    assert len(test.examples) == 11
    report: list[str] = []
    result = doctest.DocTestRunner().run(test, out=report.append)
    assert not result.failed, "".join(report)


def test_the_toml_block_is_a_configuration_of_prepare(tmp_path: Path) -> None:
    (text,) = blocks(README, "toml")
    file = tmp_path / "prepare.toml"
    file.write_text(text, encoding="utf-8")
    params = prepare_params({}, read_config(file))
    assert params["convert"].keep_16bit
    assert params["augment"].copies == tomllib.loads(text)["augment"]["copies"]


@pytest.mark.usefixtures("sessions")
def test_the_shown_line_of_the_table_is_a_real_one(place: Path) -> None:
    (text,) = blocks(README, "json")
    shown = json.loads(text)
    lines = (place / "out/augmented/slices.jsonl").read_text(encoding="utf-8").splitlines()
    rows = {row["id"]: row for row in map(json.loads, lines)}
    assert shown == {name: rows[shown["id"]][name] for name in shown}


def test_the_first_table_says_what_to_type_for_each_kind_of_data(tmp_path: Path) -> None:
    jane, john = ({"PatientID": "A-17"}, {"PatientID": "B-18"})
    export = {**series("IM/1", 1, jane), **series("IM/2", 2, john)}
    write(tmp_path / "EXPORT", export)
    write(tmp_path / "SCANS", two_trees(patients={"7": 1, "12": 2, "13": 3}))
    for folder, values in (("images", noise()), ("labels", np.ones((5, 4, 3), np.uint8))):
        write(tmp_path / "SET", {f"{folder}/{name}.nii.gz": nifti(values) for name in "abc"})
    nnunet(tmp_path / "Dataset001_Liver")
    (tmp_path / "CHAOS_Train_Sets").symlink_to(HOME / "sample_data/CHAOS_Train_Sets")
    commands = re.findall(r"^\| .*? \| `chaosprep (.*?)`", README, flags=re.M)
    assert len(commands) == 5
    for number, command in enumerate(commands):
        words = shlex.split(command.replace("out/split", f"out/{number}"))
        printed = run([str(COMMANDS / "chaosprep"), *words], tmp_path)
        assert "Next: chaosprep split EXPORT" in printed or "0 skipped" in printed


def test_make_demo_prepares_verifies_and_says_where_to_look(tmp_path: Path) -> None:
    place = place_with_samples(tmp_path)
    assert blocks(README, "shell") == ["make demo\nmake test\n"]
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(HOME / name, place)
    installed = ["--assume-old=.venv/ready", f"BIN={COMMANDS}"]
    (place / ".venv").mkdir()
    (place / ".venv/ready").touch()
    printed = run(["make", *installed, "demo"], place)
    assert "verify: 5 cases, 52 slices, 0 faults, 0 warnings" in printed
    for path in re.findall(r"demo/\S+/(?:images|masks|\S+\.json\w*)", printed):
        assert (place / path).exists(), path


def test_make_test_runs_pytest() -> None:
    printed = run(["make", "--dry-run", "--assume-old=.venv/ready", "test"], HOME)
    assert "-m pytest" in printed


def test_the_exit_codes_are_those_of_the_errors() -> None:
    table = dict(re.findall(r"^\| (\d) \| (.*) \|$", README, flags=re.M))
    assert sorted(table) == ["0", "1", "2", "3", "4"]
    codes = {kind.exit_code for kind in ChaosprepError.__subclasses__()}
    assert codes <= {int(code) for code in table}


def test_the_manifest_page_describes_every_field() -> None:
    page = (HOME / "docs/manifest.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `(\w+)` \| (?:string|integer|number|array|object)", page, re.M)
    assert tuple(described) == Slice.__struct_fields__
    cells = " ".join(re.findall(r"^\| (`.*?) \|", page, re.M))
    assert set(re.findall(r"`(\w+)`", cells)) >= set(Provenance.__struct_fields__)


def test_every_page_is_read_on_once() -> None:
    named = re.findall(r"^- \[docs/([a-z-]+\.md)\]", README, flags=re.M)
    deeper = {"private.md"}  # a page of deidentify.md
    assert sorted(named) == sorted({page.name for page in (HOME / "docs").glob("*.md")} - deeper)
