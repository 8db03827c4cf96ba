"""What the attacks share: their inputs, the process that commands are forked from, a count."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.attacker import Zygote
from tests.attacks.verbs import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The inputs of all verbs. Read only."""
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def _trained() -> Iterator[Zygote]:
    process = Zygote("chaosprep.torch.training")
    yield process
    process.close()


@pytest.fixture
def zygote(request: pytest.FixtureRequest) -> Zygote:
    """Runs commands; one with PyTorch for a verb that trains."""
    if sys.platform != "linux":
        pytest.skip("made for Linux alone")
    verb = getattr(request.node, "callspec", None)
    wanted = verb.params.get("verb") if verb else None
    if wanted == "train":
        pytest.importorskip("torch")
        return request.getfixturevalue("_trained")  # type: ignore[no-any-return]
    return request.getfixturevalue("forked")  # type: ignore[no-any-return]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """An empty folder for outputs."""
    made = tmp_path / "here"
    made.mkdir()
    return made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how much was tried."""
    tried = Counter[str]()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, count in report.user_properties:
                if isinstance(count, int):
                    tried[name] += count
    if tried:
        told = ", ".join(f"{count} {name}" for name, count in sorted(tried.items()))
        terminalreporter.write_line(f"attacks: {told}")
