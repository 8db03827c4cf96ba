"""docs/remote.md: its sessions, on a store in memory instead of S3, and its error codes."""

import doctest
import re
from pathlib import Path

import pytest

from chaosprep.remote import store
from chaosprep.remote.claim import ENDING
from chaosprep.remote.copy import AT_ONCE
from tests.documents import HOME, blocks, replayed
from tests.remote.conftest import Bucket

PAGE = (HOME / "docs/remote.md").read_text(encoding="utf-8")
HERE = PAGE.replace("s3://", "memory://")


def test_the_sessions_give_what_the_page_says(small: Path, bucket: Bucket, tmp_path: Path) -> None:
    bucket.put(small / "root", "root")
    [(expected, printed)] = replayed(HERE, tmp_path)
    assert printed == expected
    [python] = blocks(HERE, "python")
    test = doctest.DocTestParser().get_doctest(python, {}, "remote.md", "remote.md", 0)
    report: list[str] = []
    assert not doctest.DocTestRunner().run(test, out=report.append).failed, "".join(report)


def test_the_numbers_and_codes_of_the_page_are_those_of_the_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()  # the waits are none in tests
    assert store.WAITS == [0.5, 1.0, 2.0]
    assert AT_ONCE == 8
    assert f"`images{ENDING}`" in PAGE
    errors = (HOME / "docs/errors.md").read_text(encoding="utf-8")
    codes = re.findall(r"\(`([a-z]+(?:-[a-z]+)?)`\)", PAGE)
    assert len(codes) >= 5
    assert all(f"| `{code}` |" in errors for code in codes)
