"""`chaosprep diff`: exit codes, and what `--json` has whether anything differs or not."""

import json
import os
from pathlib import Path

from chaosprep.phantom import Patient, write_chaos

from .conftest import Run


def test_exit_codes_tell_what_was_found(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    fewer = write_chaos(tmp_path / "fewer", [Patient(id=1, slices=2, matrix=32)])
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert chaosprep("diff", root, root, "-j", "1").exit_code == 0
    assert chaosprep("diff", root, fewer, "-j", "1").exit_code == 1
    assert chaosprep("diff", root, tmp_path / "nowhere").exit_code == 2
    assert chaosprep("diff", root, root, "--patient", "MR999").exit_code == 2
    assert chaosprep("diff", root, tmp_path / "pipe").exit_code == 2
    assert chaosprep("diff", root, tmp_path / "empty").exit_code == 4


def test_json_has_the_same_keys_whatever_differs(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    fewer = write_chaos(tmp_path / "fewer", [Patient(id=1, slices=2, matrix=32)])
    same, other = (
        json.loads(chaosprep("diff", root, b, "-j", "1", "--json").stdout) for b in (root, fewer)
    )
    assert same.keys() == other.keys()
    assert next(iter(same)) == "differs"
    assert (same["differs"], other["differs"]) == (False, True)
    assert len(other["patients"]["went"]) == same["patients"]["both"] - 1
