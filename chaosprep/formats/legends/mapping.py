"""Legends as tables of names and numbers: nnU-Net's and the Decathlon's JSON, and one's own."""

import json
from collections.abc import Mapping

from chaosprep.formats.legends.entries import Entry, LegendFormat, code_of, key_of, no_legend


class _Object(dict[str, object]):
    """A JSON object that knows whether a key stood there twice."""

    is_double = False


def mapped(found: object) -> list[Entry]:
    """The entries of a table as JSON or TOML has it, or of the table `labels` in it.

    nnU-Net v2 writes name -> number, v1 and the Decathlon number -> name; a table with `name` and
    `code` may stand where a name does.

    Raises:
        FileError: `labels`, an entry is not one structure with one key.
    """
    if isinstance(found, Mapping):
        found = found.get("labels", found)
    if not isinstance(found, Mapping):
        raise no_legend("it has no labels")
    if isinstance(found, _Object) and found.is_double:
        raise no_legend("a name or a number occurs twice")
    return [_entry(str(key), value) for key, value in found.items()]


def _entry(key: str, value: object) -> Entry:
    is_key = key_of(key) is not None
    match value:
        case bool():
            pass
        case int() if not is_key:
            return Entry(str(value), key)
        case str() if is_key != (key_of(value) is not None):
            return Entry(key, value) if is_key else Entry(value, key)
        case {"name": str(name), **rest} if is_key and not rest:
            return Entry(key, name)
        case {"name": str(name), "code": [*parts], **rest} if is_key and not rest:
            return Entry(key, name, code_of(parts))
    raise no_legend(
        f"{key[:40]!r} is not one structure with one number",
        "Give each structure one whole number; regions and ignored voxels are not structures.",
    )


def read_json(text: str) -> list[Entry]:
    """The entries of a JSON file.

    Raises:
        FileError: `labels`, it is not JSON, or an entry is not one structure with one key.
    """
    try:
        found = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise no_legend("it is not JSON") from error
    return mapped(found)


def _object(pairs: list[tuple[str, object]]) -> _Object:
    made = _Object(pairs)
    made.is_double = len(made) < len(pairs)
    return made


JSON = LegendFormat("JSON", (".json",), lambda text: True, read_json)
