"""What a run was begun with: the first part of every key in its journal."""

from pathlib import Path

import msgspec

from chaosprep.dataset.containers.table import StoreName
from chaosprep.dataset.descriptor import MANIFEST_MINOR
from chaosprep.dataset.migrations import Record, migrated
from chaosprep.files import write_new
from chaosprep.params import P, differing
from chaosprep.running.kept import read_kept
from chaosprep.running.stage import C, Stage

SETTINGS = "settings.json"


def settings_of(stage: Stage[C, P], params: P, store: StoreName = "files") -> bytes:
    """A stage with the parameters that differ from their defaults, and where its files go."""
    packed = {} if store == "files" else {"store": store}
    record = packed | {
        "manifest_minor": MANIFEST_MINOR,
        "stage": stage.name,
        "version": stage.version,
        "parameters": differing(params.recorded()),
    }
    return msgspec.json.encode(record)


def begun_with(workspace: Path, stage: Stage[C, P], settings: bytes) -> bytes:
    """The settings that an unfinished run has, where they come to the same as these, else these.

    Raises:
        ChaosprepError: `workspace`, what stands there is no file of a run.
    """
    begun = read_kept(workspace / SETTINGS)
    if begun is None:
        return settings
    try:
        found = _today(stage, begun)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return settings
    return begun if found == _today(stage, settings) else settings


def keep_settings(workspace: Path, settings: bytes) -> None:
    """Write down what the journal's keys from here on are made with."""
    place = workspace / SETTINGS
    if read_kept(place) != settings:
        write_new(place, settings)


class _Begun(msgspec.Struct):
    manifest_minor: int
    stage: str
    version: int
    parameters: Record
    store: StoreName = "files"


def _today(stage: Stage[C, P], settings: bytes) -> Record:
    """Settings of this or an earlier release, with today's names and every default."""
    begun = msgspec.json.decode(settings, type=_Begun)
    record: Record = migrated(msgspec.to_builtins(begun), begun.manifest_minor)
    del record["manifest_minor"]
    return record | {"parameters": stage.params.completed(record["parameters"])}
