"""The command as a whole: help, start-up, messages and exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

import chaosprep as library
from chaosprep import __version__
from chaosprep.cli.main import GO_ON
from chaosprep.verb_table import VERBS

from .conftest import Run


def test_help_lists_every_verb_in_the_order_of_the_work(chaosprep: Run) -> None:
    text = chaosprep("--help").stdout
    places = [text.index(f"  {verb} ") for verb in VERBS]
    assert places == sorted(places)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_that_begins_with_its_line_in_the_list(
    chaosprep: Run, verb: str
) -> None:
    for flag in ("-h", "--help"):
        result = chaosprep(verb, flag)
        assert result.exit_code == 0
        assert VERBS[verb].replace("\n", " ") in " ".join(result.stdout.split())


def test_help_imports_click_and_the_errors_alone() -> None:
    program = (
        "import sys\nfrom chaosprep.cli.main import main\n"
        "main(['--help'], standalone_mode=False)\nprint('|'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split("|"))
    own = {name for name in loaded if name.startswith("chaosprep")}
    assert own == {
        "chaosprep",
        "chaosprep.causes",
        "chaosprep.cli",
        "chaosprep.cli.garbage",
        "chaosprep.cli.interrupts",
        "chaosprep.cli.lazy",
        "chaosprep.cli.main",
        "chaosprep.errors",
        "chaosprep.version",
        "chaosprep.stage_table",
        "chaosprep.verb_table",
        "chaosprep.words",
    }
    others = {name.partition(".")[0] for name in loaded - own} - sys.stdlib_module_names
    others = {name for name in others if not name.startswith("_")}
    assert others - {"typing_extensions"} == {"click", "msgspec"}  # msgspec takes it where it is


def test_a_small_job_imports_no_more_than_it_needs(root: Path, tmp_path: Path) -> None:
    """What is imported needlessly takes longer than the work."""
    library.split(root, tmp_path / "split")
    program = (
        "import sys\nfrom chaosprep.cli.main import main\n"
        f"main(['convert', {str(tmp_path / 'split')!r}, '-o', {str(tmp_path / 'out')!r}], "
        "standalone_mode=False)\nprint('|'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split("|"))
    others = {"cv2", "importlib.metadata", "logging", "multiprocessing", "pydicom", "PIL", "rich"}
    asked_for = ("choices.rules", "formats.npy", "formats.pictures", "stages.converting.bias")
    own = {f"chaosprep.{name}" for name in (*asked_for, "running.processes", "formats.nrrd")}
    assert loaded & (others | own) == set()


def test_version(chaosprep: Run) -> None:
    assert chaosprep("--version").stdout == f"chaosprep, version {__version__}\n"


def test_an_unknown_verb_is_a_usage_error(chaosprep: Run) -> None:
    assert chaosprep("frobnicate").exit_code == 2


@pytest.mark.parametrize("verb", ["split", "extract-liver", "convert", "augment", "prepare"])
def test_a_source_that_is_not_there_is_a_usage_error(
    chaosprep: Run, verb: str, tmp_path: Path
) -> None:
    result = chaosprep(verb, tmp_path / "nowhere", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_nothing_to_work_on_is_exit_code_4(chaosprep: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = chaosprep("split", tmp_path / "empty", "-o", tmp_path / "out")
    assert result.exit_code == 4
    assert result.stderr == (
        f"Error: {tmp_path}/empty: no DICOM image is below it. "
        "Give the folder that holds the DICOM files. "
        "Or say where images and masks are: --images 'scans/{patient}/{slice}.dcm' "
        "--masks 'labels/{patient}/{slice}.png'.\n"
    )


def test_a_folder_of_volumes_alone_is_told_the_options_for_these(
    chaosprep: Run, tmp_path: Path
) -> None:
    for name in ("imagesTr/p1.nii.gz", "labelsTr/p1.nii.gz"):
        (tmp_path / "set" / name).parent.mkdir(parents=True)
        (tmp_path / "set" / name).write_bytes(b"not looked at")
    result = chaosprep("inspect", tmp_path / "set")
    assert result.exit_code == 4
    assert result.stderr == (
        f"Error: {tmp_path}/set: no DICOM image is below it, but 2 files of volumes (NIfTI, NRRD, "
        "MetaImage). Say where images and masks are: --images 'images/{patient}.nii.gz' "
        "--masks 'labels/{patient}.nii.gz'.\n"
    )


def test_a_directory_that_is_no_stage_is_an_error_without_traceback(
    chaosprep: Run, tmp_path: Path
) -> None:
    (tmp_path / "foreign").mkdir()
    result = chaosprep("convert", tmp_path / "foreign", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "not a stage directory" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_parameter_is_a_usage_error_that_names_it(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    result = chaosprep("split", root, "-o", tmp_path / "out", "--val", "1.5")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: --val: ")
    assert not (tmp_path / "out").exists()


def test_an_interrupt_says_that_the_run_can_go_on(
    chaosprep: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("chaosprep.cli.stage.run", interrupted)
    result = chaosprep("split", root, "-o", tmp_path / "out")
    assert result.exit_code == 130
    assert result.stderr == f"{GO_ON}\n"


def test_an_interrupt_before_the_verb_has_begun_promises_nothing(
    chaosprep: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("chaosprep.cli.main.Verbs.resolve_command", interrupted)
    assert chaosprep("evaluate", root, root).stderr == "Interrupted.\n"


def test_options_can_come_from_the_environment(
    chaosprep: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAOSPREP_SPLIT_VAL_PATIENT", "MR003")
    monkeypatch.setenv("CHAOSPREP_JOBS", "1")
    result = chaosprep("split", root, "-o", tmp_path / "out", "-n")
    assert "val: 1 patient: MR003\n" in result.stdout
