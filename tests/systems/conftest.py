"""Windows' rules for a test."""

import pytest

from tests.systems.shim import install, to_inherit


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process and those that it starts keep the rules that Windows has for files."""
    for name, value in to_inherit().items():
        monkeypatch.setenv(name, value)
    install(monkeypatch.setattr)
