"""A user's own recipe, from a TOML file."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.augmentation.recipe import ENGINES, AnyRecipe, AugmentorRecipe, Recipe
from chaosprep.errors import FileError, UsageError
from chaosprep.expected import explain
from chaosprep.words import did_you_mean

LARGEST_FILE = 2**20  # bytes; a recipe is never that long


def read_spec(path: Path) -> AnyRecipe:
    """Read a recipe from a TOML file, checked as the presets are.

    For the engine ``opencv`` (the default) each operation is a table, named as the fields of
    `Recipe`, with its ``probability`` and its own numbers. For ``engine = "augmentor"`` there is an
    array of tables ``operations``, each a method of `Augmentor.Pipeline` (``operation``), its
    ``probability`` and its arguments, in the order in which they happen.

    Raises `FileError` (``spec-unreadable``) for what is not TOML, and `UsageError`
    (``augmentation-recipe``) for what is not a recipe.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            reason = f"{path}: larger than a recipe can be"
            raise FileError(reason, "Check the file.", "spec-unreadable")
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"{path}: not readable: {error.strerror}"
        raise FileError(reason, "Check the path.", "spec-unreadable") from error
    except ValueError as error:  # tomllib's and the decoder's own errors are kinds of it
        reason = f"{path}: not TOML: {error}"
        raise FileError(reason, "Correct it there.", "spec-unreadable") from error
    try:
        return recipe_of(table)
    except UsageError as error:
        error.reason = f"{path}: {error.reason}"
        raise


def recipe_of(table: dict[str, Any]) -> AnyRecipe:
    """Make a recipe of a table as `read_spec` describes it.

    Raises `UsageError` (``augmentation-recipe``) for what is not a recipe.
    """
    engine = table.get("engine", "opencv")
    if engine not in ENGINES:
        hint = did_you_mean([str(engine)], ENGINES)
        raise _refuse(f"engine: there is no {engine}", f"Use {' or '.join(ENGINES)}.{hint}")
    if engine == "augmentor":
        return _convert({**table, "operations": _steps(table)}, AugmentorRecipe)
    return _convert(table, Recipe)


def _steps(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Put the arguments of each step, which stand beside its name, into a table of their own."""
    steps = table.get("operations", [])
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise _refuse(
            "operations is not an array of tables", "Write each one under [[operations]]."
        )
    found = []
    for step in steps:
        own = {key: step[key] for key in ("operation", "probability") if key in step}
        arguments = {key: value for key, value in step.items() if key not in own}
        found.append({**own, "arguments": arguments})
    return found


def _convert(table: dict[str, Any], recipe: type[AnyRecipe]) -> AnyRecipe:
    try:
        return msgspec.convert(table, recipe)
    except msgspec.ValidationError as error:
        remedy = "Correct it there; docs/augmentation.md describes recipes."
        raise _refuse(explain(error, recipe, table), remedy) from error


def _refuse(reason: str, remedy: str) -> UsageError:
    return UsageError(reason, remedy, "augmentation-recipe")
