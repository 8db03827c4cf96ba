"""What `split --deidentify` reads and writes: nothing that identifies, in any of its files."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from chaosprep.dataset.descriptor import DataSource, LeftOut, License
from chaosprep.division.params import SplitParams
from chaosprep.errors import UsageError
from chaosprep.files import check_apart
from chaosprep.layouts.find import find
from chaosprep.layouts.headers.cache import discard
from chaosprep.layouts.root import Root
from chaosprep.printable import printable
from chaosprep.privacy.identity import Identity, exposes, identity_at
from chaosprep.privacy.key_file import kept_key, read_kept
from chaosprep.privacy.pseudonyms import Key, read_key
from chaosprep.stages.known_names import KnownNames
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
    apart = msgspec.structs.replace(bench, folder=None, reads=None)
    found = find(
        root,
        params,
        sequences=params.sequence,
        exclude=params.exclude,
        bench=apart,
        key=key,
        known_words=True,
    )
    _check_origin(found)
    known = KnownNames(found.cases, key or read_key(str(params.pseudonymize)))
    return replace(
        found,
        key_file=file,
        problems=tuple(map(known.problem_of, found.problems)),
        left_out=tuple(map(_in_known_words, found.left_out)),
    )


def _in_known_words(one: LeftOut) -> LeftOut:
    """What a person left out, without the words of their reason that may tell of somebody."""
    from chaosprep.privacy.deidentify.descriptors import cleaned

    return msgspec.structs.replace(one, reason=cleaned(one.reason) or "rejected")


def notes_on_names(root: Root, key: Key | None) -> tuple[str, ...]:
    """What to say of names of structures and of sequences that hold words nobody knows.

    Those of sequences stand in the table as somebody wrote them.
    """
    from chaosprep.privacy.deidentify.descriptors import cleaned

    structures = KnownNames(root.cases, key).called_otherwise()
    names = {case.sequence for case in root.cases}
    unknown = sorted(name for name in names if cleaned(name) != name)
    if not unknown or root.people is not None:  # those that headers tell were made of known words
        return structures
    listed = ", ".join(printable(name) for name in unknown[:_SHOWN])
    more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
    return (
        *structures,
        "names of sequences stay as they are; check whether these identify a person: "
        f"{listed}{more}",
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
            f"{found.directory}: its licences or sources contain something that identifies a "
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
