"""The trait that the cases themselves tell: which sequences a patient has."""

from chaosprep.division.traits.trait import Evidence, Trait, together
from chaosprep.layouts.root import Root
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.source import SourceCase


def sequence(text: str, root: Root, key: Key | None) -> Trait | None:
    """`sequence`: those that a patient has, of the wanted ones."""

    def of_case(case: SourceCase, told: Evidence) -> str:
        return case.sequence

    return Trait("sequence", of_case, together) if text.strip().casefold() == "sequence" else None
