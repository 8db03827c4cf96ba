"""The house keeps its plan: arrows point down CONTRIBUTING's table, no circles, no long files."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
LONGEST = 300

Imports = dict[str, set[str]]


def read_imports(house: Path, *trees: str) -> Imports:
    """Module -> what it imports, also inside functions and for type checkers only."""
    paths = [path.relative_to(house) for tree in trees for path in (house / tree).rglob("*.py")]
    names = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in paths}
    return {
        name: {found for found in _imported(house / path, name) if found != name}
        for name, path in names.items()
    }


def _imported(path: Path, name: str) -> Iterator[str]:
    """What a file names in its imports: modules, and `module.name`, which may be a module."""
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def between_modules(imports: Imports) -> Imports:
    """The imports of modules of the tree only: `module.name` as `module` where it is no module."""
    return {
        name: {
            there
            for found in every
            if (there := found if found in imports else found.rpartition(".")[0]) in imports
        }
        - {name}
        for name, every in imports.items()
    }


def circle(imports: Imports) -> list[str]:
    """Modules of which each imports the next, and the last is the first; none where none is."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def rooms() -> dict[str, int]:
    """Room -> row of CONTRIBUTING's table."""
    table = re.findall(r"^\| (`.*?) \|", (HOUSE / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    return {name: row for row, names in enumerate(table) for name in re.findall(r"`(\w+)`", names)}


@cache
def ours() -> Imports:
    """All imports of the package, the benchmarks and the tests."""
    return read_imports(HOUSE, "chaosprep", "benchmarks", "tests")


def room(module: str) -> str:
    """The folder or file of `chaosprep/` that a module stands in."""
    return module.split(".")[1]


def between_rooms() -> Iterator[tuple[str, str]]:
    """Every import from one room by another; the package itself belongs to none."""
    for name, every in between_modules(ours()).items():
        for found in every:
            inside = name.startswith("chaosprep.") and found.startswith("chaosprep.")
            if inside and room(name) != room(found):
                yield name, found


def test_every_room_stands_in_the_table() -> None:
    found = {room(name) for name in ours() if name.startswith("chaosprep.")}
    assert found == set(rooms())


def test_no_room_imports_upwards() -> None:
    rank = rooms()
    up = {f"{a} -> {b}" for a, b in between_rooms() if rank[room(b)] < rank[room(a)]}
    assert up == set()


def test_no_room_imports_the_package_itself() -> None:
    """It stands above all rooms: it knows where every public name is."""
    every = between_modules(ours())
    assert not [n for n, to in every.items() if n.startswith("chaosprep.") and "chaosprep" in to]


def test_nothing_imports_the_command_line() -> None:
    assert not [f"{a} -> {b}" for a, b in between_rooms() if room(b) == "cli"]


def test_no_file_imports_itself_by_whatever_way() -> None:
    assert circle(between_modules(ours())) == []


@pytest.mark.parametrize(("library", "home"), [("torch", "torch"), ("click", "cli")])
def test_a_library_is_imported_in_its_room_only(library: str, home: str) -> None:
    users = {
        room(name)
        for name, every in ours().items()
        if name.startswith("chaosprep.") and any(f.split(".")[0] == library for f in every)
    }
    assert users == {home}


def test_no_file_is_long() -> None:
    lines = {
        path.relative_to(HOUSE).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in (HOUSE / "chaosprep").rglob("*.py")
    }
    assert {name for name, count in lines.items() if count > LONGEST} == set()


def test_imports_are_seen_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/__init__.py").write_text("")
    (tmp_path / "a/b.py").write_text("def f():\n    from a.c import g\n")
    (tmp_path / "a/c.py").write_text("if TYPE_CHECKING:\n    from . import d\n")
    (tmp_path / "a/d.py").write_text("import a.b\nimport click.core\n")
    every = read_imports(tmp_path, "a")
    assert every["a.d"] == {"a.b", "click.core"}
    assert between_modules(every) == {"a": set(), "a.b": {"a.c"}, "a.c": {"a.d"}, "a.d": {"a.b"}}
    assert sorted(circle(between_modules(every))[1:]) == ["a.b", "a.c", "a.d"]
