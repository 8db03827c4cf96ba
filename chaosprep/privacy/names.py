"""Whether a name of a folder or file holds a person's name, in whatever order and spelling."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from chaosprep.privacy.common_words import FIELD, NAMESAKES, PARTICLES, PLACEHOLDERS
from chaosprep.privacy.spelling import FORMS, Form, plain, unmarked

_SHORTEST = 3  # letters: a shorter part of a name (`Li`) is no proof by itself
_LONGEST = 1024  # signs of a value that are looked at: a name has 64 (PS3.5 6.2), these are many
_ALONE = 6  # letters: a part as long as this is found amid other letters too
_IDEOGRAPHS = 0x2E80  # Unicode's first: a sign tells as much as two letters, and words have no ends
_COMPONENTS = 3  # of a name (PS3.5 6.2.1.1): family, given, middle; titles are nobody's
_RUNS = re.compile(r"[^\W\d_]+")
_MODALITIES = ("ct", "mr")  # that are joined to names: `MRSMITH`
_NOBODY = frozenset(map(plain, PLACEHOLDERS))


@dataclass(frozen=True)
class _Words:
    """A person's name in one form: its words, those that prove alone, those that do with others."""

    words: frozenset[str]
    strong: frozenset[str]
    weak: frozenset[str]


_NONE = _Words(frozenset(), frozenset(), frozenset())


@lru_cache(2**12)
def common(form: Form) -> frozenset[str]:
    """Words that tell nobody, in a form."""
    return frozenset(map(form, FIELD | PLACEHOLDERS))


@lru_cache
def _fillers(form: Form) -> frozenset[str]:
    """Those that may be joined to a name; of two letters they would make any word of one."""
    return frozenset(word for word in common(form) if len(word) >= _SHORTEST)


def is_code(name: str) -> bool:
    """Whether a PatientName is of words that tell nobody: `Patient^1`, `MR001`.

    Two and more that people are called too, such as `Long^Max`, are a name where no digit is.
    """
    words = set(_RUNS.findall(plain(name)))
    is_person = len(words) > 1 and words <= NAMESAKES and not re.search(r"\d", name)
    return words <= common(plain) and not is_person


def tells_name(shown: str, names: Iterable[str], year: str = "") -> bool:
    """Whether a name of a folder or file holds any of a person's names.

    A part of three letters and more is looked for as a word, and joined with other parts,
    initials and common words; one of six amid any letters. A shorter part, or one that is a common
    word, needs a second part, an initial joined to it, or the year of birth.

    Args:
        shown: the name of the folder or file.
        names: values of PatientName and the like (PS3.5 6.2.1), in any representation.
        year: of birth, four digits; empty where it is not known.
    """
    groups = (group for name in names for group in re.split(r"[=\\]", name[:_LONGEST]))
    people = [group for group in dict.fromkeys(groups) if not is_code(group)]
    has_year = year != "" and year in re.findall(r"(?<!\d)(?:19|20)\d\d", shown)
    return any(
        _holds(shown, _words(group, form), form, has_year) for group in people for form in FORMS
    )


@lru_cache(2**12)
def _words(group: str, form: Form) -> _Words:
    """The words of one representation of a name."""
    parts = "^".join(group.split("^")[:_COMPONENTS])
    raw = [word for word in _RUNS.findall(plain(parts)) if word not in _NOBODY or len(word) < 4]
    words = {form(word) for word in raw}
    strong = {form(word) for word in raw if _proves(word, form(word))} - common(form)
    small = set(map(form, PARTICLES)) if len(words) > 2 else set()
    weak = {word for word in words - strong - small if _weight(word) > 1}
    return _Words(frozenset(words), frozenset(strong), frozenset(weak))


def _proves(word: str, formed: str) -> bool:
    """Whether a word is long enough by itself; another spelling of it longer: Jing is no `ing`."""
    return _weight(formed) >= _SHORTEST + (formed != word)


@lru_cache(2**12)  # thousands of people have series of one name
def _runs(shown: str, form: Form) -> tuple[str, ...]:
    """The runs of letters of a name."""
    return tuple(map(form, _RUNS.findall(unmarked(shown))))


@lru_cache(2**12)
def _pieces(shown: str, form: Form) -> tuple[str, ...]:
    """What capitals divide its runs into."""
    whole = (run for run in _RUNS.findall(unmarked(shown)) if form(run) not in common(form))
    cut = map(_capitals, whole)
    return tuple(form(piece) for pieces in cut if len(pieces) > 1 for piece in pieces)


def _told(runs: tuple[str, ...], usual: frozenset[str]) -> str:
    """The runs joined, without common words."""
    return "".join(run for run in runs if len(run) < _SHORTEST or not _is_common(run, usual))


def _capitals(run: str) -> list[str]:
    """`SmithJ`, `JSmith` and `MRSmith` as two pieces."""
    cuts = [
        at
        for at in range(1, len(run))
        if run[at].isupper() and (run[at - 1].islower() or run[at + 1 : at + 2].islower())
    ]
    return [run[start:end] for start, end in zip([0, *cuts], [*cuts, len(run)], strict=True)]


def _holds(shown: str, name: _Words, form: Form, has_year: bool) -> bool:
    usual, runs = common(form), _runs(shown, form)
    joined = {first + second for first, second in pairwise(runs) if len(first + second) > _SHORTEST}
    if joined & name.strong or any(_is_amid(_told(runs, usual), word) for word in name.strong):
        return True
    bare = (run[2:] for run in runs if run.startswith(_MODALITIES))
    every = (*runs, *_pieces(shown, form), *bare)
    for run in every:
        if run in name.strong or (run not in usual and _is_own(run, name)):
            return True
        if not _is_common(run, usual) and _is_joined(run, name, _fillers(form)):
            return True
    return len(name.weak.intersection(every)) > (0 if has_year else 1)


def _is_joined(run: str, name: _Words, fillers: frozenset[str]) -> bool:
    """Whether a run is a part that proves, with other parts, initials and common words.

    One of three letters stands with common words alone: `hannover` is not H., Ann and `over`.
    """
    return any(
        _is_ringed(run, word)
        or _around(run, word, name if len(word) > _SHORTEST else _NONE, fillers)
        for word in name.strong
    )


def _is_own(run: str, name: _Words) -> bool:
    """Whether a run is made of a name alone, of more than one part, and one of them whole."""
    words = (word for word in name.strong | name.weak if word != run)
    return _weight(run) >= _SHORTEST and any(
        _around(run, word, name, frozenset()) for word in words
    )


def _around(run: str, word: str, name: _Words, usual: frozenset[str]) -> bool:
    """Whether a run is a word and, around it, what others of the name begin with, or is usual."""
    others = name.words - {word}
    return any(
        _is_made_of(run[: found.start()], others, usual)
        and _is_made_of(run[found.end() :], others, usual)
        for found in re.finditer(re.escape(word), run)
    )


def _is_ringed(run: str, word: str) -> bool:
    """Whether a run is a word with the initials of names that the header does not have."""
    more = len(run) - len(word)
    most = min(len(word) - _SHORTEST, 2)
    return 0 < more <= most and (run.startswith(word) or run.endswith(word))


@lru_cache(2**12)
def _is_common(run: str, fillers: frozenset[str]) -> bool:
    """Whether a run is a common word, or several of three letters and more."""
    if run in fillers:
        return True
    ends = range(_SHORTEST, len(run) - _SHORTEST + 1)
    return any(run[:end] in fillers and _is_common(run[end:], fillers) for end in ends)


def _is_made_of(text: str, words: frozenset[str], usual: frozenset[str]) -> bool:
    """Whether a text is made of beginnings of words and of usual words; nothing is."""
    ends = {0}
    for end in range(1, len(text) + 1):
        pieces = (text[start:end] for start in ends)
        if any(one in usual or any(word.startswith(one) for word in words) for one in pieces):
            ends.add(end)
    return len(text) in ends


def _is_amid(run: str, word: str) -> bool:
    """Whether a long word, or one of ideographs, stands anywhere in a run."""
    return (len(word) >= _ALONE or ord(word[0]) >= _IDEOGRAPHS) and word in run


def _weight(word: str) -> int:
    return sum(2 if ord(sign) >= _IDEOGRAPHS else 1 for sign in word)
