"""Names of structures in words that are known to identify nobody, for a set that is passed on."""

from collections.abc import Iterable, Mapping

import msgspec

from chaosprep.dataset.descriptor import LabelMap
from chaosprep.dataset.records import Slice
from chaosprep.errors import Problem
from chaosprep.facts import Code, Label
from chaosprep.printable import printable
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.source import SourceCase
from chaosprep.structures import folded
from chaosprep.terms import code_of

_SHORTEST = 3  # letters of a name that is looked for in a text
_SHOWN = 8  # names in a note


class KnownNames:
    """What structures are called: as they are, or where a word is not known, otherwise.

    Eight keyed digits then stand for what a name lost; the same name gets the same ones everywhere.
    Names that a user gave with `--labels` stay. Without a key all do.
    """

    def __init__(self, cases: Iterable[SourceCase], key: Key | None) -> None:
        self._key = key
        self._own, written = set[str](), set[str]()
        for case in cases if key is not None else ():
            told = (*case.labels.values(), *case.legend.values())
            written |= {*case.organs.values(), *(label.name for label in told)}
            if case.table is not None:
                self._own |= {label.name for label in case.table.legend.values()}
        others = {name: self.name(name) for name in sorted(written, key=len, reverse=True)}
        self.others = {name: other for name, other in others.items() if name != other}

    def name(self, name: str) -> str:
        """What a structure is called."""
        if self._key is None or name in self._own or code_of(name) is not None:
            return name
        from chaosprep.privacy.deidentify.descriptors import cleaned

        known = cleaned(name)
        return name if known == name else f"{known or 'structure'}-{self._key.tag(folded(name))}"

    def names(self, names: Mapping[int, str]) -> dict[int, str]:
        """What values stand for."""
        return {value: self.name(name) for value, name in names.items()}

    def labels(self, labels: LabelMap) -> LabelMap:
        """What values stand for, with codes of public schemes alone."""
        if self._key is None:
            return labels
        return {
            value: Label(self.name(one.name), one.code if _is_public(one.code) else None)
            for value, one in labels.items()
        }

    def row(self, row: Slice) -> Slice:
        """A row without the names in what is said of it."""
        warnings = tuple(map(self._text, row.warnings))
        return msgspec.structs.replace(row, warnings=warnings) if self.others else row

    def problem_of(self, problem: Problem) -> Problem:
        """A problem without the names."""
        if not self.others:
            return problem
        texts = {name: self._text(getattr(problem, name)) for name in ("reason", "remedy")}
        return msgspec.structs.replace(problem, **texts)

    def called_otherwise(self) -> tuple[str, ...]:
        """Which are called otherwise, to be said to the user alone."""
        if not self.others:
            return ()
        said = [f"{printable(name)} is {other}" for name, other in sorted(self.others.items())]
        more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
        return (
            "structures whose names hold words that may identify a person get other names "
            f"(extract-labels --rename gives them new ones): {', '.join(said[:_SHOWN])}{more}",
        )

    def _text(self, text: str) -> str:
        for name, other in self.others.items():
            if len(name) >= _SHORTEST:
                text = text.replace(name, other)
        return text


def _is_public(code: Code | None) -> bool:
    from chaosprep.privacy.deidentify.codes import PUBLIC
    from chaosprep.privacy.deidentify.descriptors import cleaned

    return code is not None and code.scheme in PUBLIC and cleaned(code.meaning) == code.meaning
