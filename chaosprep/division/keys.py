"""The key of an earlier split, where no other is given: ids go on as they were."""

from contextlib import suppress
from pathlib import Path

import msgspec

from chaosprep.division.params import SplitParams
from chaosprep.errors import UsageError
from chaosprep.privacy.key_file import NAME
from chaosprep.privacy.pseudonyms import read_key


def with_known_key(params: SplitParams) -> tuple[SplitParams, Path | None]:
    """The parameters with the key of the split that is gone on with, and the file that has it.

    None where a key is given, or that split is none of ours, or has no pseudonyms.

    Raises:
        UsageError: `split-key`, the key is not beside it; or what `read_split` raises.
    """
    if params.earlier is None or params.pseudonymize is not None:
        return params, None
    from chaosprep.division.files.table import read_split

    option, path = params.earlier
    key = read_split(path, option, None).key
    if key is None:
        return params, None
    file = _beside(Path(path).absolute(), key)
    if file is None:
        raise UsageError(
            f"{option}: the ids of the earlier split come from the key {key}, which is not next to "
            f"it ({NAME})",
            "Give the file of that key: --pseudonymize KEYFILE.",
            code="split-key",
        )
    if params.link == "sym":
        raise UsageError(
            f"--link sym: links would show the paths that the pseudonyms of {option} hide",
            "Leave it out: the files are then copied.",
            code="parameter",
        )
    return msgspec.structs.replace(params, pseudonymize=str(file)), file


def _beside(path: Path, key: str) -> Path | None:
    """The file of a key beside a stage directory, or beside the folder that holds all stages."""
    folder = path if path.is_dir() else path.parent
    for place in (folder.parent, folder.parent.parent):
        with suppress(UsageError):  # there is none, or no key
            if read_key(place / NAME).fingerprint() == key:
                return place / NAME
    return None
