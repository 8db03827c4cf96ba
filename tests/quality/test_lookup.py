"""Which file a hash in a message or a table stands for."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import chaosprep
from chaosprep.cli.main import main
from chaosprep.errors import ProblemsError, UsageError
from chaosprep.layouts.find import LayoutParams
from chaosprep.params import make_params
from chaosprep.privacy.key_file import NAME
from chaosprep.quality.lookup import files_of
from tests.layouts.headers.series import series
from tests.layouts.trees import write

JANE = {"PatientID": "A-17", "PatientName": "Doe^Jane"}
BROKEN = "doe_jane/broken"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    broken = bytes(128) + b"DICM" + b"\xff" * 64
    return write(tmp_path / "root", {**series("doe_jane", 1, JANE), BROKEN: broken})


def hash_in(text: str) -> str:
    (line,) = (line for line in text.splitlines() if line.startswith("headers: "))
    return line.split(": ")[1]


def ran(*arguments: object) -> tuple[str, str]:
    result = CliRunner().invoke(main, [*map(str, arguments)])
    return result.stdout, result.stderr


def test_a_split_says_how_to_look_up_the_file_and_that_works(root: Path, tmp_path: Path) -> None:
    _, said = ran("split", root, "-o", tmp_path / "out", "--val", "0")
    assert "doe_jane" not in said
    assert (
        said.count("To see which file a hash stands for: chaosprep inspect ROOT --file HASH") == 1
    )
    key = tmp_path / NAME
    shown, _ = ran("inspect", root, "--pseudonymize", key, "--file", hash_in(said))
    assert shown == f"{hash_in(said)} {BROKEN}\n"


def test_an_inspect_without_a_key_looks_up_what_it_said_itself(root: Path) -> None:
    _, said = ran("inspect", root)
    file = hash_in(said.replace("Problem: ", ""))
    assert ran("inspect", root, "--file", file)[0] == f"{file} {BROKEN}\n"


def test_another_key_finds_no_file_and_says_which_is_needed(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(root, tmp_path / "out", val=0)
    (tmp_path / "other").write_bytes(b"k" * 32)
    params = make_params(LayoutParams, {"pseudonymize": str(tmp_path / "other")})
    with pytest.raises(UsageError, match="stands for no file") as failed:
        files_of(root, [caught.value.problems[0].file or ""], params)
    assert "chaosprep.key next to its output" in failed.value.remedy


def test_files_of_a_folder_of_masks_elsewhere_are_found(root: Path, tmp_path: Path) -> None:
    write(tmp_path / "masks", {"doe_jane.nii": b"none"})
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(root, tmp_path / "out", val=0, masks=str(tmp_path / "masks"))
    asked = {"pseudonymize": str(tmp_path / NAME), "masks": str(tmp_path / "masks")}
    files = [problem.file or "" for problem in caught.value.problems]
    found = files_of(root, files, make_params(LayoutParams, asked))
    assert "../masks/doe_jane.nii" in found.values()


def test_without_hashes_nothing_is_said_of_them(tmp_path: Path) -> None:
    root = write(tmp_path / "root", series("doe_jane", 1, JANE))
    _, said = ran("split", root, "-o", tmp_path / "out", "--val", "0")
    assert "which file a hash" not in said
