"""Makes api.pyi and __init__.pyi of what the functions say at run time: python -m tests.stubs."""

import re
from collections.abc import Callable
from inspect import Parameter, Signature, signature
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import chaosprep
from chaosprep import api

HOME = Path(chaosprep.__file__).parent
MADE = '"""{} Made by `python -m tests.stubs`."""\n\n'


class Types:
    """Types as text, and what must be imported for it."""

    def __init__(self) -> None:
        self.found: dict[str, set[str]] = {}

    def text(self, hint: Any) -> str:  # noqa: ANN401 - a type
        if isinstance(hint, str):
            return re.sub(r"(chaosprep[.\w]*)\.(\w+)", lambda m: self._named(m[1], m[2]), hint)
        if hint in (None, NoneType):
            return "None"
        origin, inner = get_origin(hint), get_args(hint)
        return self._whole(hint) if origin is None else self._made_of(origin, inner)

    def _made_of(self, origin: Any, inner: tuple[Any, ...]) -> str:  # noqa: ANN401 - a type
        if origin in (Union, UnionType):
            return " | ".join(map(self.text, sorted(inner, key=lambda one: one is NoneType)))
        if origin is Literal:
            values = ", ".join(f'"{one}"' if isinstance(one, str) else str(one) for one in inner)
            return f"{self._named('typing', 'Literal')}[{values}]"
        return f"{self.text(origin)}[{', '.join(map(self.text, inner))}]"

    def _whole(self, hint: Any) -> str:  # noqa: ANN401 - a type
        if isinstance(hint, list):
            return f"[{', '.join(map(self.text, hint))}]"
        name: str = hint.__name__
        return self._named(hint.__module__.partition("._")[0], name)

    def _named(self, module: str, name: str) -> str:
        if module != "builtins":
            self.found.setdefault(module, set()).add(name)
        return name

    def imports(self) -> str:
        own = [name for name in sorted(self.found) if name.startswith("chaosprep")]
        others = [name for name in sorted(self.found) if name not in own]
        blocks = (
            "".join(f"from {name} import {', '.join(sorted(self.found[name]))}\n" for name in names)
            for names in (others, own)
        )
        return "\n".join(block for block in blocks if block)


def function(name: str, made: Signature, about: str, types: Types) -> str:
    """A function's stub: every parameter on a line of its own, its defaults as `...`."""
    lines, starred = [], False
    for parameter in made.parameters.values():
        if parameter.kind is Parameter.KEYWORD_ONLY and not starred:
            lines.append("    *,\n")
            starred = True
        default = "" if parameter.default is Parameter.empty else " = ..."
        lines.append(f"    {parameter.name}: {types.text(parameter.annotation)}{default},\n")
    returned = types.text(made.return_annotation)
    return f'def {name}(\n{"".join(lines)}) -> {returned}:\n    """{about}"""\n'


def api_stub() -> str:
    """The functions of chaosprep.api."""
    types = Types()
    functions = []
    for name in sorted(vars(api)["__all__"]):
        found: Callable[..., Any] = getattr(api, name)
        about = (found.__doc__ or "").partition("\n")[0]
        functions.append(function(name, signature(found), about, types))
    head = MADE.format("The Python functions, one per verb, with their types.")
    return head + types.imports() + "\n" + "\n".join(functions)


def package_stub() -> str:
    """The public names of chaosprep, each from its room."""
    rooms = sorted((room, name) for name, room in vars(chaosprep)["_rooms"]().items())
    lines = [f"from chaosprep.{room} import {name} as {name}\n" for room, name in rooms]
    lines.append("from chaosprep.dataset.opening import open_dataset\n")
    names = sorted(chaosprep.__all__, key=lambda name: (not name[0].isupper(), name))
    public = "".join(f'    "{name}",\n' for name in names)
    return (
        MADE.format("The public names, with their types.")
        + "".join(sorted(lines, key=lambda line: line.split()[1]))
        + f"\n__version__: str\nopen = open_dataset\n__all__ = [\n{public}]\n"
    )


STUBS = {"api.pyi": api_stub, "__init__.pyi": package_stub}

if __name__ == "__main__":
    for file, made in STUBS.items():
        (HOME / file).write_text(made(), encoding="utf-8")
