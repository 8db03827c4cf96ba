"""What errors the package can make, read from its code.

Every place that makes an error or a problem is found: its code, reason and remedy. Where they come
as parameters of a function, they are taken from its calls. What is known only while it runs stands
in braces.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from chaosprep import errors

TEXTS = {"code", "reason", "remedy", "what"}
"""Parameters of this name are words of an error."""

UNNAMED = "error"
"""The code of an error that was given none."""


@dataclass(frozen=True)
class Said:
    """One error as the code has it: texts with `{name}` where they are known only at run time."""

    code: str
    kind: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Scope:
    """Where an expression stands, and what the parameters of its function are given."""

    module: ast.Module
    function: ast.FunctionDef | None
    given: "dict[str, tuple[ast.expr, Scope]]"
    line: int = 0
    chosen: dict[str, bool] = field(default_factory=lambda: defaultdict(bool))


Given = dict[str, tuple[ast.expr, Scope]]


class Code:
    """The package's source."""

    def __init__(self, package: Path) -> None:
        self.trees = [ast.parse(path.read_bytes()) for path in sorted(package.rglob("*.py"))]
        self.calls: dict[str, list[tuple[ast.Call, Scope]]] = defaultdict(list)
        self.functions: dict[str, list[tuple[ast.expr, Scope]]] = defaultdict(list)
        self.constants: dict[tuple[ast.Module | None, str], ast.expr] = {}
        for tree in self.trees:
            self._gather(tree, Scope(tree, None, {}))
            for node in tree.body:
                for target, value in _assigned(node):
                    if isinstance(target, ast.Name):
                        self.constants[tree, target.id] = value
                        self.constants.setdefault((None, target.id), value)

    def _gather(self, node: ast.AST, scope: Scope) -> None:
        for child in ast.iter_child_nodes(node):
            inner = scope
            if isinstance(child, ast.FunctionDef):
                inner = Scope(scope.module, child, {})
            if isinstance(child, ast.Call):
                there = Scope(scope.module, scope.function, {}, child.lineno)
                self.calls[_name(child.func)].append((child, there))
            if isinstance(child, ast.Return) and child.value is not None and scope.function:
                there = Scope(scope.module, scope.function, {}, child.lineno)
                self.functions[scope.function.name].append((child.value, there))
            self._gather(child, inner)

    def said(self) -> set[Said]:
        """Every error and problem that the package can make."""
        found = set[Said]()
        for kind in KINDS:
            for call, scope in self.calls[kind]:
                for given in self._ways(call, scope):
                    found |= set(self._made(kind, call, given))
        return found

    def _ways(self, call: ast.Call, scope: Scope, depth: int = 3) -> Iterator[Scope]:
        """The scope of an error, once for each call that gives its function parameters."""
        for turn in self._turns(scope):
            yield from self._callers(call, turn, depth)

    def _turns(self, scope: Scope) -> Iterator[Scope]:
        """The scope once for each element of a table that it loops over."""
        for node, _ in _blocks(scope.function, scope.line) if scope.function else ():
            if not isinstance(node, ast.For) or scope.line > (node.end_lineno or 0):
                continue
            over: ast.expr | None = node.iter
            if isinstance(over, ast.Name):
                over = self._constant(over.id, scope)
            if isinstance(over, ast.Tuple | ast.List):
                for one in over.elts:
                    given = {
                        name.id: (value, scope)
                        for name in ast.walk(node.target)
                        if isinstance(name, ast.Name)
                        for value in _paired(node.target, one, name.id)
                        if isinstance(value, ast.Constant)
                    }
                    yield replace(scope, given={**scope.given, **given})
                return
        yield scope

    def _callers(self, call: ast.Call, scope: Scope, depth: int) -> Iterator[Scope]:
        function = scope.function
        if function is None or not depth or not _used(call, scope) & _parameters(function):
            yield scope
            return
        for outer, there in self.calls[function.name]:
            if there.module is not scope.module and function.name.startswith("_"):
                continue
            for way in self._ways(outer, there, depth - 1):
                yield replace(scope, given={**scope.given, **_bound(function, outer, way)})

    def _made(self, kind: str, call: ast.Call, scope: Scope) -> Iterator[Said]:
        for chosen in _choices(call):
            yield from self._chosen(kind, call, replace(scope, chosen=defaultdict(bool, chosen)))

    def _chosen(self, kind: str, call: ast.Call, scope: Scope) -> Iterator[Said]:
        several = kind == "ProblemsError"  # the third of whose arguments are the problems
        third = "problems" if several else "code"
        parts = _arguments(call, ("reason", "remedy", third))
        if several:
            parts.setdefault("code", ast.Constant("problems"))
        code = parts.get("code", ast.Constant(UNNAMED))
        if isinstance(code, ast.Attribute) and code.attr == "code":
            return  # another error once more, with its place
        for name in self.texts(code, scope, inside=True):
            where = replace(scope, given={**scope.given, "code": (ast.Constant(name), scope)})
            remedies = self.texts(parts["remedy"], where) if "remedy" in parts else [""]
            for reason in self.texts(parts["reason"], where):
                for remedy in remedies:
                    yield Said(name, kind, reason, remedy)

    def texts(self, node: ast.expr, scope: Scope, *, inside: bool = False) -> list[str]:
        """What a text can be; `inside`, parts of an f-string are followed too."""
        found: list[str] = []
        match node:
            case ast.Constant(value=value):
                found = [str(value)]
            case ast.JoinedStr(values=values):
                found = self._joined(values, scope, inside)
            case ast.FormattedValue(value=ast.IfExp() as value):
                found = self.texts(value, scope)
            case ast.FormattedValue(value=ast.Name(id=name)) if (
                inside or name in TEXTS or isinstance(self._constant(name, scope), ast.Constant)
            ):
                found = [text for text in self._named(name, scope) if text[:1] != "{"]
            case ast.IfExp(test=test, body=one, orelse=other):
                found = self.texts(one if scope.chosen[ast.dump(test)] else other, scope)
            case ast.BinOp(left=left, right=right, op=ast.Add()):
                found = self._joined([left, right], scope, inside)
            case ast.Name(id=name):
                found = self._named(name, scope)
            case ast.Subscript(value=ast.Name(id=table), slice=key):
                found = self._looked_up(table, key, scope)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=table), attr="get"), args=[key, *rest]
            ):
                found = self._looked_up(table, key, scope)
                found = found or [text for one in rest for text in self.texts(one, scope)]
            case ast.Call(func=ast.Name(id=name)) if name in self.functions:
                found = [
                    t for value, there in self.functions[name] for t in self.texts(value, there)
                ]
        return found or [_placeholder(node)]

    def _joined(self, values: list[ast.expr], scope: Scope, inside: bool) -> list[str]:
        found = [""]
        for value in values:
            found = [a + b for a in found for b in self.texts(value, scope, inside=inside)]
        return found

    def _looked_up(self, table: str, key: ast.expr, scope: Scope) -> list[str]:
        known = self._constant(table, scope)
        if not isinstance(known, ast.Dict):
            return []
        wanted = self.texts(key, scope)
        return [
            text
            for one, value in zip(known.keys, known.values, strict=True)
            if isinstance(one, ast.Constant) and one.value in wanted
            for text in self.texts(value, scope)
        ]

    def _named(self, name: str, scope: Scope) -> list[str]:
        if name in scope.given:
            value, there = scope.given[name]
            return self.texts(value, there)
        values = list(self._local(name, scope))
        if not values and (constant := self._constant(name, scope)) is not None:
            values = [constant]
        return [text for value in values for text in self.texts(value, scope)] or [f"{{{name}}}"]

    def _constant(self, name: str, scope: Scope) -> ast.expr | None:
        """What a module gives a name: the scope's own, else the one that it is imported from."""
        return self.constants.get((scope.module, name), self.constants.get((None, name)))

    def _local(self, name: str, scope: Scope) -> Iterator[ast.expr]:
        """What a name has been given before a line: the last assignment that is always passed,
        and those of branches behind it.
        """
        blocks = list(_blocks(scope.function, scope.line)) if scope.function else []
        for node, always in reversed(blocks):
            values = [v for target, value in _assigned(node) for v in _paired(target, value, name)]
            yield from values
            if values and always:
                return


KINDS = {
    "Problem": 1,
    **{
        name: kind.exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.ChaosprepError)
    },
}
"""What is made -> the exit code of the command."""


def _name(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def _parameters(function: ast.FunctionDef) -> set[str]:
    """Those that are words of an error."""
    every = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    return {one.arg for one in every} & TEXTS


def _choices(call: ast.Call) -> Iterator[list[tuple[str, bool]]]:
    """Each way that the `a if test else b` of a call can go, the same tests the same way."""
    tests = sorted({ast.dump(n.test) for n in ast.walk(call) if isinstance(n, ast.IfExp)})
    for way in product((True, False), repeat=len(tests)):
        yield list(zip(tests, way, strict=True))


def _used(call: ast.Call, scope: Scope) -> set[str]:
    """The names in a call's arguments, and in what those were given before it."""
    found = {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}
    for node, _ in _blocks(scope.function, scope.line) if scope.function else ():
        for target, value in _assigned(node):
            if any(isinstance(n, ast.Name) and n.id in found for n in ast.walk(target)):
                found |= {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
    return found


def _assigned(node: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield node.target, node.value


def _blocks(node: ast.AST, line: int) -> Iterator[tuple[ast.stmt, bool]]:
    """The statements of a function before a line; whether whoever comes there has passed them."""
    for name in ("body", "orelse", "handlers", "finalbody"):
        block = getattr(node, name, [])
        ends = [one.end_lineno or 0 for one in block]
        around = bool(block) and block[0].lineno <= line <= max(ends)
        for one in block:
            if one.lineno <= line:
                if isinstance(one, ast.stmt):
                    yield one, around
                if not isinstance(one, ast.FunctionDef):
                    yield from _blocks(one, line)


def _arguments(call: ast.Call, names: tuple[str, ...]) -> dict[str, ast.expr]:
    given = dict(zip(names, call.args, strict=False))
    return given | {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def _bound(function: ast.FunctionDef, call: ast.Call, way: Scope) -> Given:
    """Each parameter of a function with what a call gives for it, its default else."""
    positional = [a.arg for a in [*function.args.posonlyargs, *function.args.args]]
    defaults = function.args.defaults
    known = dict(zip(positional[len(positional) - len(defaults) :], defaults, strict=True))
    given = {name: (value, way) for name, value in known.items()}
    taken = [name for name in positional if name not in ("self", "cls")]
    given |= {n: (v, way) for n, v in _arguments(call, tuple(taken)).items()}
    return {name: given[name] for name in _parameters(function) & given.keys()}


def _paired(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    if isinstance(target, ast.Name) and target.id == name:
        yield value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=False):
            yield from _paired(one, other, name)


def _placeholder(node: ast.expr) -> str:
    """`{name}` for what is known only at run time: the last name in the expression."""
    match node:
        case ast.FormattedValue(value=value) | ast.Subscript(value=value):
            return _placeholder(value)
        case ast.Call(args=[value, *_]):
            return _placeholder(value)
        case ast.Call(func=ast.Attribute(value=value)):
            return _placeholder(value)
        case ast.Attribute(attr=attr) if not attr.startswith("__"):
            return f"{{{attr.strip('_')}}}"
    names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    return f"{{{(names or ['...'])[0].strip('_')}}}"
