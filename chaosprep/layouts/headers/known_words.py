"""Volumes called by words that are known to identify nobody, for names that are passed on."""

from collections.abc import Iterable
from dataclasses import replace

from chaosprep.layouts.headers.catalog import Volume
from chaosprep.layouts.headers.naming import slug
from chaosprep.privacy.pseudonyms import Key


def in_known_words(volumes: Iterable[Volume], key: Key) -> tuple[Volume, ...]:
    """The volumes without other words in their names and descriptions.

    Eight keyed digits stand in a name for what it lost, so that no two become one; the same name
    gets the same ones in every patient. What volumes are chosen by stays what headers say.
    """
    from chaosprep.privacy.deidentify.descriptors import cleaned

    return tuple(
        replace(one, name=_known(one.name, key), described=cleaned(one.description))
        for one in volumes
    )


def _known(name: str, key: Key) -> str:
    from chaosprep.privacy.deidentify.descriptors import cleaned

    known = slug(cleaned(name))
    if known == name:
        return name
    begun = known if known[:1].isalpha() else f"series-{known}".strip("-.")
    return f"{begun}-{key.tag(name)}"
