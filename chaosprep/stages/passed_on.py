"""What `split --deidentify` reads and writes: nothing that identifies, in any of its files."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from chaosprep.dataset.descriptor import DataSource, License
from chaosprep.division.params import SplitParams
from chaosprep.errors import UsageError
from chaosprep.files import check_apart
from chaosprep.layouts.find import find
from chaosprep.layouts.headers.cache import discard
from chaosprep.layouts.root import Root, pseudonymized
from chaosprep.printable import printable
from chaosprep.privacy.deidentify.descriptors import cleaned
from chaosprep.privacy.identity import Identity, exposes, identity_at
from chaosprep.privacy.key_file import kept_key, read_kept
from chaosprep.privacy.pseudonyms import Key, read_key
from chaosprep.terms import code_of
from chaosprep.workbench import Workbench

_SHOWN = 8  # names


def find_to_pass_on(root: Path, params: SplitParams, bench: Workbench) -> Root:
    """The series below a root under pseudonyms; no header is kept beside the output.

    The key is the user's, else the one beside the output. Without either, in a dry run, the ids
    are not final.

    Raises:
        UsageError: `output-place`, `key`, and what `find` raises.
        ChaosprepError: what `find` raises.
    """
    file, key = None, None
    if params.pseudonymize is None:
        if bench.folder is not None and root.is_dir():  # else `find` says so, and no key is made
            check_apart(root, bench.folder / bench.name)
            file = kept_key(bench)
        elif bench.folder is None:
            file = kept_key(bench)
        key = Key(secrets.token_bytes(32)) if file is None else read_kept(file)
    discard(bench)
    apart = replace(bench, folder=None, reads=None)
    found = find(root, params, sequences=params.sequence, bench=apart, key=key, known_words=True)
    if not all(case.aliases for case in found.cases):  # a layout that knows of no keys
        found = pseudonymized(found, key or read_key(str(params.pseudonymize)))
    _check_origin(found)
    return replace(found, key_file=file)


def unknown_names(root: Root) -> tuple[str, ...]:
    """What to say of names of structures and sequences that hold words nobody knows.

    They stand in the table as somebody wrote them, and may be those of a person.
    """
    written = {label.name for label in root.label_map.values()}
    for case in root.cases:
        written |= {case.sequence, *case.organs.values()} - {*case.hidden}
    unknown = sorted(name for name in written if code_of(name) is None and cleaned(name) != name)
    if not unknown:
        return ()
    listed = ", ".join(printable(name) for name in unknown[:_SHOWN])
    more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
    return (
        "names of structures and sequences stay as they are; look at these, whether they tell of "
        f"a person: {listed}{more}",
    )


def _check_origin(found: Root) -> None:
    """Refuse licences and sources that name a patient.

    Raises:
        UsageError: `name-identifies`.
    """
    told: list[License | DataSource] = [*found.licenses, *found.sources]
    texts = [text for one in told for text in _texts(one)]
    if any(exposes(text, identity) for identity in _people(found) for text in texts):
        raise UsageError(
            f"{found.directory}: what it says of its licences and sources holds what identifies a "
            "patient",
            "Write another title into its datapackage.json.",
            code="name-identifies",
        )


def _texts(one: License | DataSource) -> Iterator[str]:
    return (text for text in msgspec.structs.astuple(one) if text)


def _people(found: Root) -> Iterator[Identity]:
    if found.people is not None:
        return (identity for some in found.people.values() for identity in some)
    return (identity_at(Path(case.root), path) for case in found.cases for path in case.images[:1])
