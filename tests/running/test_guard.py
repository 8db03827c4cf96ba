"""A script without its `__main__` guard that asks for workers gets one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from chaosprep import Dataset

CALLS = {
    "prepare": "from chaosprep.running import small; small._MOST = 0; "
    "chaosprep.prepare({root!r}, {out!r}, jobs=None)",
    "split": "chaosprep.split({root!r}, {out!r}, jobs=2)",
    "verify": "chaosprep.verify({pairs!r}, jobs=2)",
}
SENTENCE = (
    "chaosprep.errors.UsageError: jobs: every worker runs the calling script once more from its "
    "beginning. Put what the script does under if __name__ == '__main__':, or use jobs=1."
)


def ran(script: Path, text: str) -> subprocess.CompletedProcess[str]:
    script.write_text(f"import chaosprep\n{text}\n")
    return subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("call", CALLS)
def test_without_a_guard_it_is_told_so(
    call: str, phantom: Path, pairs: Dataset, tmp_path: Path
) -> None:
    places = {
        "root": str(phantom),
        "out": str(tmp_path / "out"),
        "pairs": str(pairs.directory),
    }
    done = ran(tmp_path / "script.py", CALLS[call].format(**places))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == SENTENCE
    assert done.stderr.count("Traceback") == 1  # that of the call itself: no worker adds one


def test_with_a_guard_or_one_job_all_is_well(phantom: Path, tmp_path: Path) -> None:
    call = "chaosprep.split({!r}, {!r}, jobs={})"
    guarded = call.format(str(phantom), str(tmp_path / "a"), 2)
    assert ran(tmp_path / "a.py", f"if __name__ == '__main__':\n    {guarded}").stderr == ""
    assert ran(tmp_path / "b.py", call.format(str(phantom), str(tmp_path / "b"), 1)).stderr == ""
    assert (tmp_path / "a/datapackage.json").read_bytes() == (
        tmp_path / "b/datapackage.json"
    ).read_bytes()
