"""Names of structures: which of them are the same, and which were misspelt."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

_BETWEEN = re.compile(r"[\s_\-\u2010-\u2015]+")
_MOST = 1000  # letters: no name has more
_SHORTEST = 5  # letters of a word that is misspelt: skin and shin, left and lift are others
_LONGEST = 80  # letters of a name in which misspellings are looked for
_APART = frozenset({frozenset({"ileum", "ilium"}), frozenset({"perineal", "peroneal"})})


def folded(name: str) -> str:
    """A name as it is compared: without case, and runs of spaces, `-` and `_` as one space.

    Letters are composed (Unicode's NFC), and signs that show nothing (category Cf) are left out.
    What is too long for a name stays as it is.
    """
    if len(name) > _MOST:  # Unicode sorts accents one by one
        return name
    shown = "".join(sign for sign in name if unicodedata.category(sign) != "Cf")
    folds = unicodedata.normalize("NFD", unicodedata.normalize("NFD", shown).casefold())
    return unicodedata.normalize("NFC", _BETWEEN.sub(" ", folds)).strip()


def same_name(one: str, other: str) -> bool:
    """Whether two names are of one structure."""
    return folded(one) == folded(other)


class NearMiss(NamedTuple):
    """A name that stands in one case only, and the one of other cases that it is almost."""

    case: str
    name: str
    meant: str


def near_misses(names_by_case: Mapping[str, Collection[str]]) -> list[NearMiss]:
    """The names that were likely misspelt in one case, in the order of the cases.

    Such a name stands in one case only, and a very similar one in two others or more, but not in
    this one. Similar are names that differ in the spaces within, or in one word of five letters or
    more by one letter that is another, missing, added or exchanged with its neighbour; but never in
    a digit, a Roman numeral, or a letter that tells a side or a part (`rib_1` and `rib_2`,
    `kidney_L` and `kidney_R`).
    """
    cases: dict[str, set[str]] = defaultdict(set)
    spelled: dict[str, str] = {}
    for case, names in names_by_case.items():
        for name in names:
            cases[folded(name)].add(case)
            spelled.setdefault(folded(name), name)
    usual: dict[str, list[str]] = defaultdict(list)
    for name, where in cases.items():
        for part in _almost(name) if len(where) > 1 else ():
            usual[part].append(name)
    return [
        NearMiss(case, name, spelled[meant])
        for case, names in names_by_case.items()
        for name in dict.fromkeys(names)
        if cases[folded(name)] == {case}
        and (meant := _meant(folded(name), case, usual, cases)) is not None
    ]


def _meant(
    name: str, case: str, usual: Mapping[str, list[str]], cases: Mapping[str, set[str]]
) -> str | None:
    """Of the names that are almost this one, and not in its case, the one in the most cases."""
    near = {other for part in _almost(name) for other in usual.get(part, ())}
    found = [other for other in near if case not in cases[other] and _is_misspelt(name, other)]
    return min(found, key=lambda other: (-len(cases[other]), other), default=None)


def _almost(name: str) -> Iterator[str]:
    """A name without its spaces, and that without one letter: names one letter apart share one."""
    letters = name.replace(" ", "")
    if len(letters) <= _LONGEST:
        yield letters
        yield from dict.fromkeys(letters[:at] + letters[at + 1 :] for at in range(len(letters)))


def _is_misspelt(name: str, meant: str) -> bool:
    """Whether one folded name is likely another, misspelt."""
    if re.findall(r"\d+", name) != re.findall(r"\d+", meant):
        return False
    if name.replace(" ", "") == meant.replace(" ", ""):
        return True
    ours, others = name.split(" "), meant.split(" ")
    if len(ours) != len(others):
        return False
    apart = [pair for pair in zip(ours, others, strict=True) if pair[0] != pair[1]]
    return len(apart) == 1 and _is_word_misspelt(*apart[0])


def _is_word_misspelt(word: str, meant: str) -> bool:
    """Whether two words differ in one letter that tells nothing by itself."""
    if len(meant) < _SHORTEST or len(word) < _SHORTEST - 1 or frozenset({word, meant}) in _APART:
        return False
    if _unnumbered(word) == _unnumbered(meant):
        return False
    begin = _shared(word, meant)
    rest, wanted = word[begin:], meant[begin:]
    end = _shared(rest[::-1], wanted[::-1])
    one, other = rest[: len(rest) - end], wanted[: len(wanted) - end]
    if len(one) == len(other) == 2:
        return one == other[::-1]
    at_an_end = begin == 0 or end == 0
    if len(one) == len(other) == 1:
        return not at_an_end  # a letter before or behind a word tells parts apart: lungL, lungR
    return len(one) + len(other) == 1 and not (at_an_end and one + other in ("l", "r"))


def _unnumbered(word: str) -> str:
    """A word without the Roman numeral that it ends in."""
    return re.sub(r"[ivx]+$", "", word)


def _shared(one: str, other: str) -> int:
    """How many letters two words begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
