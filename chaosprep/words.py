"""Words that many messages share: how a parameter is spelled, and what a name was meant to be."""

import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

_SWITCHES = frozenset(
    {
        *("accept-burned-in", "all-organs", "binary", "deidentify", "dry-run"),
        "exact-probability",
        *(
            "keep-16bit",
            "keep-grid",
            "lenient-masks",
            "lesions",
            "mirror",
            "overwrite",
            "redivide",
            "swap-labels",
            "undo-normalization",
        ),
        "trust-folders",
    }
)
_CHOICES = (
    "auto|both|cpu|crop|files|folder|labelled|n4|none|npy|nyul|opencv|pad|seg|single|skip|sym|tar|"
    "zarr|zscore"
)
_VALUE = rf"-?\d+(?:\.\d+)?(?: \d+)?|'[^']*'|[A-Z][\w/]*(?: [A-Z]+)?|(?:{_CHOICES})"
_OPTION = (
    r"`[^`]*`|(?<!\w)'[^']*'"  # another program's command, somebody's own text
    r"|(?<![^\s(])--(?:(levels|organ|sequence) ([\w-]+)(?=[.,;:)])"
    rf"|(?!help\b)([a-z][a-z0-9]*(?:-[a-z0-9]+)*)(?: ({_VALUE}))?)"
    r"(?![\w/\\-]|\.\w)"  # part of a path or of a file's name
)
_MOST_SHOWN = 30
_DIGITS = 4000


def in_python(text: str, keywords: Mapping[str, str] = MappingProxyType({})) -> str:
    """A text that names options of the command line, as a Python caller writes them.

    `--on-error skip` becomes `on_error="skip"`, `--folds 5` `folds=5`, `--overwrite`
    `overwrite=True`, and `--val` without a value `val`. `keywords` are those that are called
    otherwise than their option.
    """
    return _respelled(text.replace("--help", "help()"), "=", "True", keywords)


def in_toml(text: str) -> str:
    """A text that names options of the command line, as a configuration file writes them."""
    return _respelled(text, " = ", "true", {})


def options_in(text: str) -> set[str]:
    """The options of the command line that a text names, without their hyphens in front."""
    found = re.finditer(_OPTION, text)
    return {name for one in found if (name := one[1] or one[3])}


def _respelled(text: str, equals: str, yes: str, names: Mapping[str, str]) -> str:
    def spelled(found: re.Match[str]) -> str:
        option, value = found[1] or found[3], found[2] or found[4]
        if option is None:
            return found[0]
        name = names.get(option, option.replace("-", "_"))
        if option in _SWITCHES:
            is_named_alone = text.startswith(":", found.end())
            return name if is_named_alone else f"{name}{equals}{yes}"
        return f"{name}{equals}{_value(value)}" if value else name

    return re.sub(_OPTION, spelled, text)


def _value(text: str) -> str:
    """A value as Python and TOML have it; one in capitals stands for something else."""
    if re.fullmatch(r"-?[\d.]+|'.*'|[A-Z/]+", text):
        return text
    if " " in text:
        return f"({text.replace(' ', ', ')})"
    return f'"{text}"'


def there_are(known: Collection[str], given: Iterable[str] = ()) -> str:
    """`There are: MR001, MR002. Did you mean MR001?`, of names that nothing has among those known.

    A long list is cut.
    """
    names = list(known)
    more = len(names) - _MOST_SHOWN
    listed = ", ".join(names[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"There are: {listed or 'none'}.{did_you_mean(given, names)}"


def whole(digits: str) -> int:
    """The number that some digits write, however many there are: `int` takes 4,300 at most."""
    number = 0
    for start in range(0, len(digits), _DIGITS):
        part = digits[start : start + _DIGITS]
        number = number * 10 ** len(part) + int(part)
    return number


def shortened(name: str, most: int) -> str:
    """A name with at most so many letters: its beginning, three points and its end."""
    end = most // 3
    return name if len(name) <= most else f"{name[: most - end - 3]}...{name[-end:]}"


def did_you_mean(given: Iterable[str], known: Collection[str]) -> str:
    """` Did you mean inspect?`, or nothing; `1` and `mr1` mean the names of that number."""
    near = list(dict.fromkeys(" or ".join(found) for one in given if (found := _meant(one, known))))
    return f" Did you mean {' and '.join(near)}?" if near else ""


def _meant(name: str, known: Collection[str]) -> list[str]:
    folded, number = name.casefold(), _numbered(name)
    same = [one for one in known if number is not None and _same_number(number, _numbered(one))]
    if same or name.isdecimal():
        return same[:3]
    longer = [one for one in known if folded and one.casefold().startswith(folded)]
    if longer:
        return longer[:3]
    from difflib import get_close_matches

    return get_close_matches(name, known, 1)


def _numbered(name: str) -> tuple[str, str] | None:
    """What stands before the number in which a name ends, and the number without zeros before."""
    begin = name.rstrip("0123456789")
    return (begin.casefold(), name[len(begin) :].lstrip("0")) if begin != name else None


def _same_number(given: tuple[str, str], other: tuple[str, str] | None) -> bool:
    return other is not None and given[1] == other[1] and given[0] in ("", other[0])
