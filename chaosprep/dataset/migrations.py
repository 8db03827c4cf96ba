"""What later releases call otherwise, and what this release knows of a stage.

The record of a stage stands in descriptors, for the directory itself and each stage of its history,
in the workspace of an unfinished one, and in the cards of checkpoints.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from chaosprep.errors import ManifestError
from chaosprep.params import Params
from chaosprep.stage_table import STAGES, load_stage

Record = dict[str, Any]
"""`stage`, `parameters` and more, as they stand in a file."""

Change = Callable[[Record], Record]


def _train_never_compressed(record: Record) -> Record:
    """`train --compression` did nothing, and is gone."""
    kept = {name: one for name, one in record["parameters"].items() if name != "compression"}
    return record | {"parameters": kept} if record["stage"] == "train" else record


MIGRATIONS: tuple[tuple[int, Change], ...] = ((1, _train_never_compressed),)
"""Minor versions of the manifest, ascending, and what each has changed in the records before it."""


def migrated(record: Any, minor: int) -> Any:  # noqa: ANN401 - as JSON has it
    """A record of this minor version as today's; what is no record is left for others to refuse."""
    if not isinstance(record, dict) or not isinstance(record.get("stage"), str):
        return record
    if not isinstance(record.get("parameters"), dict):
        return record
    for since, change in MIGRATIONS:
        if since > minor:
            record = change(record)
    return record


def params_of(stage: str) -> type[Params] | None:
    """The parameters of a stage, by its name; None for a stage that this release does not have."""
    found: type[Params] | None = load_stage(stage).params if stage in STAGES else None
    return found


def completed(stage: str, recorded: Record) -> Record:
    """Recorded parameters with the default of each that is absent, sorted by name."""
    kind = params_of(stage)
    return dict(sorted((recorded if kind is None else kind.completed(recorded)).items()))


def unknown_in(stage: str, recorded: Iterable[str]) -> list[str]:
    """What this release does not know of a recorded stage, in words."""
    kind = params_of(stage)
    return [f"the stage {stage}"] if kind is None else unknown_parameters(kind, stage, recorded)


def unknown_parameters(kind: type[Params], stage: str, recorded: Iterable[str]) -> list[str]:
    """The recorded parameters that this release's stage does not have, in words."""
    strange = sorted(set(recorded) - set(kind.__struct_fields__))
    return [f"the parameter {name} of {stage}" for name in strange]


def newer(place: object, release: str | None, unknown: Iterable[str]) -> ManifestError:
    """The error for what another release wrote and this one does not know."""
    who = f"chaosprep {release}" if release else "a later release of chaosprep"
    return ManifestError(
        f"{place}: {who} wrote it; this release does not know {', '.join(unknown)}",
        "Use that release, or a later one.",
        code="manifest-newer",
    )


def strange_field(kind: str, text: str) -> str:
    """What msgspec's message says that it does not know, in words; `kind` is field or column."""
    found = re.search(r"unknown field `(.*?)`", text)
    return f"the {kind} {found[1]}" if found else f"what a {kind} holds ({text})"
