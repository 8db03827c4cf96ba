"""Whose each picture is, of those that lie below one root."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from chaosprep.privacy.evidence import person_of

Said = Mapping[str, str]
"""What `read_evidence` gives of a picture."""


def owners(pictures: Iterable[Said]) -> Callable[[Said], str]:
    """Tell the person of each picture, empty where nothing does; see `person_of`.

    A picture without a PatientID is of the only person in its study that has one and the same name;
    a picture that tells nobody is of the only person in its study at all.
    """
    studies: dict[str, dict[str, set[str]]] = defaultdict(dict)  # person -> names
    for said in pictures:
        study, person = said.get("StudyInstanceUID", ""), person_of(said)
        if study and person:
            studies[study].setdefault(person, set()).add(person_of(said, ("PatientName",)))

    def owner(said: Said) -> str:
        there = studies.get(said.get("StudyInstanceUID", ""), {})
        person = person_of(said)
        if person:
            return _settled(person, there)
        found = {_settled(one, there) for one in there}
        return found.pop() if len(found) == 1 else ""

    return owner


def _settled(person: str, there: Mapping[str, set[str]]) -> str:
    """The only other person of a study who has the name that is all that tells this one."""
    others = [one for one, names in there.items() if one != person and person in names]
    return others[0] if len(others) == 1 else person
