"""Whose each picture is, of those that lie below one root."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from chaosprep.privacy.evidence import TELLING, person_of

Said = Mapping[str, str]
"""What `read_evidence` gives of a picture."""


def owners(pictures: Iterable[Said]) -> Callable[[Said], str]:
    """Tell the person of each picture, empty where nothing does; see `person_of`.

    A picture without a PatientID is of the only person in its study that has one and the same name;
    a picture that tells nobody is of the only person in its study at all.
    """
    distinct = {_key(said): said for said in pictures}
    studies: dict[str, dict[str, set[str]]] = defaultdict(dict)  # person -> names
    for said in distinct.values():
        study, person = said.get("StudyInstanceUID", ""), person_of(said)
        if study and person:
            studies[study].setdefault(person, set()).add(person_of(said, ("PatientName",)))
    told = {
        key: _owner(person_of(said), studies.get(said.get("StudyInstanceUID", ""), {}))
        for key, said in distinct.items()
    }
    return lambda said: told[_key(said)]


_TELLING = (*TELLING, "StudyInstanceUID")


def _key(said: Said) -> tuple[str | None, ...]:
    return tuple(map(said.get, _TELLING))


def _owner(person: str, there: Mapping[str, set[str]]) -> str:
    if person:
        return _settled(person, there)
    found = {_settled(one, there) for one in there}
    return found.pop() if len(found) == 1 else ""


def _settled(person: str, there: Mapping[str, set[str]]) -> str:
    """The only other person of a study who has the name that is all that tells this one."""
    others = [one for one, names in there.items() if one != person and person in names]
    return others[0] if len(others) == 1 else person
