"""What may stand in a condition: a closed list of the nodes of Python's grammar."""

import ast
import warnings
from collections.abc import Sequence
from typing import Final

from chaosprep.errors import UsageError
from chaosprep.expressions.values import ARITHMETIC, FUNCTIONS
from chaosprep.printable import printable
from chaosprep.words import shortened

MOST_LETTERS: Final = 1000
_MOST_NODES, _MOST_DEEP = 300, 40
REMEDY: Final = (
    "Compare columns as in: rows >= 256 and spacing[0] <= 6, or: sequence in ('t1-in', 'ct')."
)
NAMED: Final[dict[str, object]] = {"null": None, "true": True, "false": False}


def about(text: str) -> str:
    """The beginning of a message about a condition."""
    return f"--where: {printable(shortened(text, 100))}"


def parsed(text: str) -> ast.expr:
    """The expression of a text, whatever it says.

    Raises:
        UsageError: `where-syntax`.
    """
    if len(text) > MOST_LETTERS or sum(map(text.count, "([{")) > _MOST_NODES:
        reason = f"{about(text)}: it has more than {MOST_LETTERS} letters, or too many parts"
        raise UsageError(reason, "Write several shorter ones.", "where-syntax")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"{about(text)}: it cannot be read as a condition", REMEDY, "where-syntax"
        ) from error


def names_in(text: str, tree: ast.expr) -> set[str]:
    """The names of an expression that says nothing but what may be said.

    Raises:
        UsageError: `where-syntax`, it does, or has too many parts.
    """
    names, nodes, level = set[str](), 0, [tree]
    text = text.strip()
    _check_judged(text, [tree])
    for _ in range(_MOST_DEEP):
        nodes += len(level)
        names |= {one.id for one in level if isinstance(one, ast.Name)}
        level = [inner for one in level for inner in _inner(text, one)]
    if level or nodes > _MOST_NODES:
        reason = f"{about(text)}: it is nested too deeply or has too many parts"
        raise UsageError(reason, "Write several shorter ones.", "where-syntax")
    return names


def _inner(text: str, node: ast.expr) -> Sequence[ast.expr]:  # noqa: PLR0911 - one each
    """What stands in a node that is known here."""
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str()) | ast.Name():
            return ()
        case ast.Tuple(elts=some) | ast.List(elts=some):
            return some
        case ast.BoolOp(values=some):
            _check_judged(text, some)
            return some
        case ast.UnaryOp(op=ast.Not() | ast.UAdd() | ast.USub() as op, operand=one):
            _check_judged(text, [one] if isinstance(op, ast.Not) else [])
            return (one,)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            return (left, right)
        case ast.Subscript(value=whole, slice=key) if not isinstance(key, ast.Slice | ast.Tuple):
            return (whole, key)
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = (left, *others)
            tests = [at for at, op in enumerate(ops) if isinstance(op, ast.Is | ast.IsNot)]
            if all(asks_for_nothing(ops[at], sides[at], sides[at + 1]) for at in tests):
                return sides
        case ast.Call(func=ast.Name(id=name), args=[_, *_] as some, keywords=[]) if (
            name in FUNCTIONS
        ):
            return some
    raise UsageError(
        f"{about(text)}: {_said(text, node)} is not allowed in it",
        "It takes columns, numbers, texts, and, or, not, in, comparisons, sums and products, "
        f"x['key'], x[0] and {', '.join(FUNCTIONS)}.",
        "where-syntax",
    )


def _check_judged(text: str, nodes: Sequence[ast.expr]) -> None:
    """Refuse what is always true or never, where it is asked whether it holds.

    Raises:
        UsageError: `where-syntax`.
    """
    for node in nodes:
        if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool)):
            continue
        if isinstance(node, ast.Constant | ast.Tuple | ast.List):
            raise UsageError(
                f"{about(text)}: {_said(text, node)} says nothing about a row",
                "Join whole comparisons with and, or: sequence == 't1-in' or sequence == 'ct'; "
                "sequence in ('t1-in', 'ct') is the same.",
                "where-syntax",
            )


def _said(text: str, node: ast.expr) -> str:
    return printable(shortened(ast.get_source_segment(text, node) or "that", 60))


def asks_for_nothing(op: ast.cmpop, left: ast.expr, right: ast.expr) -> bool:
    """Whether a comparison asks whether there is a value: `mask is None`, `fold != null`."""
    return isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq) and any(
        (isinstance(one, ast.Constant) and one.value is None)
        or (isinstance(one, ast.Name) and one.id == "null")
        for one in (left, right)
    )
