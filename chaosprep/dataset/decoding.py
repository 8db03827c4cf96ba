"""Descriptors as values: of this release, of an earlier one, or refused by what is not known."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from chaosprep.dataset.descriptor import MANIFEST_MINOR, MANIFEST_VERSION, Descriptor
from chaosprep.dataset.migrations import migrated, newer, strange_field, unknown_in
from chaosprep.errors import ManifestError
from chaosprep.expected import explain

D = TypeVar("D", bound=Descriptor)

_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Version(msgspec.Struct):
    """What is read before anything else is believed."""

    manifest_version: int
    manifest_minor: int = 0


class _Tool(msgspec.Struct):
    """Of what stands under `chaosprep`, the version; other fields may be whatever they are."""

    chaosprep: _Version


def decode_descriptor(path: Path, data: bytes, kind: type[D]) -> D:
    """Read a descriptor: the version first, and the records of an earlier release as today's.

    Raises:
        ManifestError: `manifest`, it is none of ours; `manifest-version`; `manifest-newer`, a later
            release wrote something that this one does not know.
    """
    raw = None
    try:
        raw = msgspec.json.decode(data)
        version = msgspec.convert(raw, _Tool).chaosprep
        if version.manifest_version != MANIFEST_VERSION:
            raise ManifestError(
                f"{path}: manifest version {version.manifest_version} is not known",
                "Use the release of chaosprep that wrote it.",
                code="manifest-version",
            )
    except _BROKEN as error:
        raise _foreign(path, error, _Tool, raw) from error
    is_newer = version.manifest_minor > MANIFEST_MINOR
    try:
        descriptor = msgspec.convert(_migrated(raw, version.manifest_minor), kind, str_keys=True)
    except _BROKEN as error:
        unknown = [strange_field("field", str(error))]
        refusal = (
            newer(path, _release(raw), unknown) if is_newer else _foreign(path, error, kind, raw)
        )
        raise refusal from error
    if is_newer and (unknown := _unknown(descriptor)):
        raise newer(path, _release(raw), unknown)
    return descriptor


def release_of(descriptor: Descriptor) -> str | None:
    """The release of chaosprep that wrote a descriptor, where it says so."""
    return descriptor.tool.versions.get("chaosprep")


def _release(raw: Any) -> str | None:  # noqa: ANN401 - as JSON has it
    """Who wrote it, where that is told as it always was."""
    versions = raw["chaosprep"].get("versions")
    told = versions.get("chaosprep") if isinstance(versions, dict) else None
    return told if isinstance(told, str) else None


def _migrated(raw: Any, minor: int) -> Any:  # noqa: ANN401 - as JSON has it
    """A descriptor whose records are today's."""
    tool = raw["chaosprep"]
    if isinstance(tool.get("history"), list):
        tool = tool | {"history": [migrated(past, minor) for past in tool["history"]]}
    return raw | {"chaosprep": migrated(tool, minor)}


def _unknown(descriptor: Descriptor) -> list[str]:
    records = (*descriptor.tool.history, descriptor.tool)
    return [one for record in records for one in unknown_in(record.stage, record.parameters)]


def _foreign(
    path: Path,
    error: Exception,
    kind: type[msgspec.Struct],
    raw: Any,  # noqa: ANN401 - as JSON has it
) -> ManifestError:
    why = explain(error, kind, raw) if isinstance(error, msgspec.ValidationError) else error
    return ManifestError(
        f"{path}: not a chaosprep descriptor ({why})",
        "A dataset root goes through chaosprep split first.",
        code="manifest",
    )
