"""The archive, written once: all of it, and a few patients."""

import pytest

from tests.archive.patients import Archive, write_archive


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Fifty patients."""
    return write_archive(tmp_path_factory.mktemp("archive") / "export")


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The first eleven, among them all that is special."""
    return write_archive(tmp_path_factory.mktemp("few") / "export", 11)
