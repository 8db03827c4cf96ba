"""One room asks which system this is, and how text is written is the same on all of them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "chaosprep"
MODULES = {"fcntl", "grp", "msvcrt", "pwd", "resource", "winreg"}
ASKED = {
    *("os.O_BINARY", "os.O_DIRECTORY", "os.O_NOFOLLOW", "os.O_NONBLOCK", "os.chmod", "os.fchmod"),
    *("os.getuid", "os.killpg", "os.link", "os.name", "os.symlink", "os.umask", "os.uname"),
    *("platform.system", "sys.getwindowsversion", "sys.platform"),
    *("signal.SIGALRM", "signal.SIGKILL", "signal.setitimer", "signal.pthread_sigmask"),
}
PYTHON = {"getattr(sys, 'frozen', False)", "hasattr(sys, 'frozen')"}
METHODS = {"chmod", "hardlink_to", "symlink_to"}
_MAY = re.compile(  # a tree of each file would take long
    r"\b(os|platform|signal|sys)[.,]|fcntl|msvcrt|\b(grp|pwd|resource|winreg)\b"
    r"|symlink_to|hardlink_to|chmod|open\(|_text\(|text=True"
)


def asks(source: str) -> Iterator[str]:
    """What a module asks that not every system answers."""
    for node in _nodes(source):
        if isinstance(node, ast.Import):
            yield from MODULES.intersection(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield node.module
        elif isinstance(node, ast.Attribute):
            text = f"{node.value.id if isinstance(node.value, ast.Name) else ''}.{node.attr}"
            if text in ASKED or node.attr in METHODS:
                yield text
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            of = [one.id for one in node.args[:1] if isinstance(one, ast.Name)]
            is_asked = node.func.id in ("getattr", "hasattr") and of in (
                ["os"],
                ["signal"],
                ["sys"],
            )
            if is_asked and ast.unparse(node) not in PYTHON:
                yield ast.unparse(node)


def text_writers(source: str) -> Iterator[str]:
    """Calls that write text whose line ends the system may choose, or text of its own encoding."""
    for node in _nodes(source):
        if isinstance(node, ast.Call) and _is_of_the_system(node):
            yield ast.unparse(node)


def _is_of_the_system(call: ast.Call) -> bool:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    given = {one.arg for one in call.keywords}
    if name == "write_text":
        return not {"newline", "encoding"} <= given
    if name == "read_text":
        return not (call.args or "encoding" in given)
    if name in ("open", "fdopen") and (mode := _text_mode(call)) is not None:
        return not {"encoding"} | ({"newline"} if mode != "r" else set()) <= given
    return name in ("run", "Popen", "check_output") and "text" in given and "encoding" not in given


def _nodes(source: str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(source)) if _MAY.search(source) else iter(())


def _text_mode(call: ast.Call) -> str | None:
    modes = [
        one.value
        for one in (*call.args, *(k.value for k in call.keywords if k.arg == "mode"))
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and 0 < len(one.value) < 4
    ]
    found = next((one for one in modes if set(one) <= set("rwxabt+")), None)
    return None if found is None or "b" in found else found


def files(but: str = "") -> list[Path]:
    found = sorted(PACKAGE.rglob("*.py"))
    return [path for path in found if path.relative_to(PACKAGE).parts[0] != but]


def test_one_room_asks_which_system_this_is() -> None:
    said = {
        f"{path.relative_to(PACKAGE)}: {one}"
        for path in files(but="systems")
        for one in asks(path.read_text("utf-8"))
    }
    assert said == set()


def test_text_is_written_alike_everywhere() -> None:
    said = {
        f"{path.relative_to(PACKAGE)}: {one}"
        for path in files()
        for one in text_writers(path.read_text("utf-8"))
    }
    assert said == set()


@pytest.mark.parametrize(
    "source",
    [
        "Path('a').symlink_to('b')",
        "def f():\n    import fcntl",
        "from fcntl import flock",
        "getattr(os, 'O_BINARY', 0)",
        "hasattr(signal, 'setitimer')",
        "if os.name == 'nt': ...",
        "os.fchmod(1, 2)",
    ],
)
def test_a_question_is_seen(source: str) -> None:
    assert [*asks(source)]


@pytest.mark.parametrize(
    "source",
    [
        "open('a', 'w', encoding='utf-8')",
        "path.open('a', newline='')",
        "path.read_text()",
        "path.write_text('x', encoding='utf-8')",
        "subprocess.run(['a'], text=True)",
    ],
)
def test_text_of_the_system_is_seen(source: str) -> None:
    assert [*text_writers(source)]


def test_what_is_said_in_full_is_passed() -> None:
    source = (
        "open('a', 'w', encoding='utf-8', newline='\\n')\n"
        "open(a, 'rb')\n"
        "os.open(path, os.O_RDONLY)\n"
        "path.read_text('utf-8')\n"
        "path.write_text('x', encoding='utf-8', newline='\\n')\n"
    )
    assert [*text_writers(source), *asks(source)] == []
