"""One command from a dataset to the table, on a phantom too small to learn from."""

import re
import sys
from itertools import product
from pathlib import Path

import pytest

pytest.importorskip("torch")

from benchmarks.training import runs
from benchmarks.training.arms import NETWORKS, PREPARED, Arm, Input
from benchmarks.training.command import main
from benchmarks.training.results import Folder
from chaosprep.phantom import Patient, write_chaos

ARMS = ("16-bit-mri", "tutorial")
ORGANS = ("liver", "right-kidney", "left-kidney", "spleen")
SMALL = ("--epochs", "1", "--size", "16", "--spacing", "12.5", "--device", "cpu", "--jobs", "1")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients of three slices."""
    phantoms = [Patient(id=id, slices=3, matrix=40, sequences=("t1-in",)) for id in (1, 2, 3)]
    return write_chaos(tmp_path_factory.mktemp("root"), phantoms)


def test_every_arm_judges_every_patient_once_and_an_interrupted_run_goes_on(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = tmp_path / "out", tmp_path / "page.md"
    page.write_text("<!-- training: begin -->\n<!-- training: end -->\n")
    words = [str(root), "--out", str(out), *SMALL, "--arms", *ARMS]
    assert main([*words, "--write", str(page)]) == 0
    printed, said = capsys.readouterr()
    assert said.splitlines()[-1].startswith("6 of 6: ")
    assert page.read_text() == printed
    lines = [line.split("|")[3].strip() for line in printed.splitlines() if line.startswith("| ")]
    assert [bool(re.fullmatch(r"[01]\.\d{3}", cell)) for cell in lines] == [
        False,
        False,
        *[True] * 2,
    ]
    whole = Folder(out).done()
    for arm in ARMS:
        judged = [row.patient for key, one in whole.items() if key[0] == arm for row in one.results]
        assert sorted(judged) == ["MR001", "MR002", "MR003"]
    assert not list((out / "runs").iterdir())

    file = out / "results.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]) + b'{"arm": "16')
    assert main(words) == 0
    again, said = capsys.readouterr()
    assert [line for line in said.splitlines() if " of " in line] == ["1 of 1: tutorial, 2, 0"]
    table = [[line for line in text.splitlines() if line[:1] == "|"] for text in (printed, again)]
    assert table[0] == table[1]
    found = Folder(out).done()
    assert {key: one.results for key, one in found.items()} == {
        key: one.results for key, one in whole.items()
    }


def test_a_training_that_fails_is_a_line_and_the_others_go_on(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no way\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setenv("NNUNET_PYTHON", str(python))
    words = [str(root), "--networks", "--out", str(tmp_path / "out"), *SMALL]
    assert main([*words, "--arms", "unet-liver", "nnunet-liver"]) == 1
    printed, said = capsys.readouterr()
    assert said.count("nnU-Net failed: no way") == 3
    assert "not measured: 0 of 3 trainings" in printed
    assert len(Folder(tmp_path / "out").done()) == 3


def test_what_this_release_or_machine_lacks_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNUNET_PYTHON", str(tmp_path / "nowhere"))
    nnunet = NETWORKS["liver"][-1]
    assert runs.missing(nnunet) == "nnU-Net is not installed (make .venv-nnunet/ready)"
    assert runs.missing(PREPARED[0]) is None
    for convert, train in (({"sharpen": 1}, {}), ({"window": 5}, {}), ({}, {"network": "vnet"})):
        arm = Arm("new", ("", ""), Input("new", convert), train=train)
        assert runs.missing(arm)


def test_an_arm_of_another_name_is_refused(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(root), "--out", str(tmp_path / "out"), "--arms", "16bit"]) == 2
    assert capsys.readouterr().err.startswith("--arms: there is no 16bit. There are 16-bit-mri,")
    assert not (tmp_path / "out").exists()


def test_other_settings_need_another_folder(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNUNET_PYTHON", str(tmp_path / "nowhere"))
    words = [str(root), "--out", str(tmp_path / "out"), "--arms", "nnunet-all", "--networks"]
    assert main([*words, *SMALL]) == 0
    assert main([*words, *SMALL, "--lr", "0.1"]) == 2
    assert "its results are of other settings (budget)" in capsys.readouterr().err


@pytest.mark.peers
@pytest.mark.filterwarnings("default")
def test_nnunet_goes_the_same_folds(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own plans, trainer and validation, judged on the scanner's pixels of the unseen."""
    pytest.importorskip("nnunetv2")
    monkeypatch.setenv("NNUNET_PYTHON", sys.executable)
    words = [str(root), "--networks", "--out", str(tmp_path / "out"), *SMALL]
    assert main([*words, "--arms", "nnunet-all"]) == 0
    assert re.search(r"nnU-Net 2-D \| four organs \| [01]\.\d{3} ", capsys.readouterr().out)
    done = Folder(tmp_path / "out").done().values()
    judged = {(row.patient, row.organ) for one in done for row in one.results}
    assert judged == set(product(("MR001", "MR002", "MR003"), ORGANS))
