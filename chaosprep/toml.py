"""Settings that a person wrote: a small TOML file, whatever it was made to be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chaosprep.errors import FileError, UsageError
from chaosprep.files import read_regular

_MOST = 2**18  # bytes
_MOST_DEEP = 20  # tables in tables
_MOST_POINTS = 500  # in a line


def read_toml(path: Path, code: str, about: str = "") -> dict[str, Any]:
    """Read a TOML file that a person wrote; `about` goes before the file's name in an error.

    Raises:
        UsageError: with this code, the file cannot be read or is not TOML.
    """
    import tomllib

    remedy = "Correct it there, or give another TOML file."
    try:
        text = read_regular(path, follow=True, most=_MOST).decode()
        if max(line.count(".") for line in text.split("\n")) > _MOST_POINTS:  # tomllib would hang
            raise RecursionError
        table = tomllib.loads(text)
        _check_plain(table)
    except (FileError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise UsageError(f"{about}{path}: {_no_toml(error)}", remedy, code) from error
    return table


def _no_toml(error: Exception) -> str:
    """What is wrong with a TOML file, by what its reading raised."""
    import tomllib

    match error:
        case FileError():
            return error.reason
        case UnicodeDecodeError():
            return "it is not UTF-8 text"
        case RecursionError():
            return "it is nested too deeply"
        case tomllib.TOMLDecodeError():
            return str(error)
        case _:
            return "it holds a number of too many digits"


def _check_plain(table: dict[str, Any]) -> None:
    """Refuse what no setting is: a table too deep for others to walk, a number of over 63 bits.

    Raises:
        RecursionError: the first.
        ValueError: the second.
    """
    level: list[Any] = [table]
    for _ in range(_MOST_DEEP):
        inner = [one for one in level if isinstance(one, dict | list)]
        if not inner:
            return
        level = [x for one in inner for x in (one.values() if isinstance(one, dict) else one)]
        if any(isinstance(one, int) and abs(one) >= 2**63 for one in level):
            raise ValueError
    raise RecursionError


def toml_value(value: Any) -> str:  # noqa: ANN401 - whatever a setting is
    """A text, number, switch, list or table as TOML writes it, in one line.

    Raises:
        UsageError: `config`, a text that is no Unicode, such as the name of an odd file.
    """
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)  # inf and nan too are spelled as in Python
        case list() | tuple():
            return f"[{', '.join(map(toml_value, value))}]"
        case Mapping():
            pairs = (f"{_text(str(key))} = {toml_value(one)}" for key, one in value.items())
            return f"{{{', '.join(pairs)}}}"
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    """A basic string of TOML 1.0: JSON's, with the one control character that JSON leaves."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        reason = f"{text!r} is not Unicode, and cannot be in a TOML file"
        raise UsageError(reason, "Give the file another name.", "config") from error
    from json import dumps

    return dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
