"""Descriptions of series, structures and the like, without what might tell who.

PS3.15's Clean Descriptors Option (E.3.5), from the side of what is known: a word stays where it
tells how an image was made or what it shows; every other word goes, and with it numbers as long as
those of people, dates, and times of day.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from chaosprep.privacy.deidentify.harmless_words import anatomical_words, harmless_words
from chaosprep.privacy.spelling import plain

LONGEST = 1024
"""Signs of a text that are looked at."""
_MARKS = " _-+./,:;*()[]%&<>=#^|"
_DIGITS = 4  # of a number, as b-values and times of repetition have
_B_STEP = 50  # s/mm2: b-values that are given in a row are multiples of it
_ALONE = 3  # digits of a number that stands by itself: one of four is a year, or a short id
_TOGETHER = 5  # digits of numbers in a row that might be one: of a telephone, or a date
_ROW = re.compile(
    r"(?<![\d.])(?:\b[^\W\d_]|(?<=_)[^\W\d_])?\d+(?:\.\d+)?(?:[-_/ .,:]+\d+(?:\.\d+)?)+(?![\d.])"
)
_DATED = re.compile(  # dates and times of day
    r"(?<!\d)(\d{1,2}([-./: ])\d{1,2}\2(\d{4}|\d\d)|\d{4}([-./: ])\d{1,2}\4\d{1,2})(?!\d)"
    r"|(?<!\d)\d{1,2}:\d{2}(?!\d)"
)
_MONTHS = """
jan january januar janvier enero gen gennaio feb february februar febbraio febrero fev fevrier
février mar march marz märz mrz mars marzo maart apr april aprile avr avril abr abril may mai mei
maggio mayo jun june juni juin junio giu giugno jul july juli juil juillet julio lug luglio aug
august agosto aout août augustus sep sept september septembre septiembre settembre okt october
oktober octobre octubre ottobre oct nov november novembre noviembre dec december dez dezember
decembre décembre dic dicembre
"""
_MONTH = rf"(?<![^\W\d_])(?:{'|'.join(sorted(_MONTHS.split(), key=len, reverse=True))})(?![^\W\d_])"
_OTHERS = re.compile(  # days by names of months, ages, addresses
    rf"(?<!\d)\d{{1,2}}(?:st|nd|rd|th)?[-./_ ]*{_MONTH}(?:[-./,_' ]*\d{{2,4}}(?!\d))?"
    rf"|{_MONTH}[-./_ ]*(?:\d{{1,2}}(?:st|nd|rd|th)?[-./,_' ]+)?\d{{2,4}}(?!\d)"
    r"|(?<![^\W_])(?<!\.)\d{1,3}[- ]?(?:y/?o|y|yrs?|years?|j|jahre?|ans|anni|anos|jaar"
    r"|months?|monate?|weeks?|wks?|wochen?|days?|tage?)(?![^\W_])"
    r"|(?<!\S)\S*@\S*|(?<!\w)\w+://\S*|www\.\S*",
    re.IGNORECASE,
)
_B_VALUES = re.compile(r"[bB]?\d{1,4}([_,-] ?\d{1,4}){1,9}")
_SIZE = re.compile(r"\d{1,3}x\d{1,3}(x\d{1,3})?", re.IGNORECASE)
_PADDED = re.compile(r"0\d{2,}")  # as ids are
_DECIMAL = re.compile(r"(?<![\d.])\d{1,3}\.\d{1,3}(?![\d.])")
_TOKEN = re.compile(r"\d{1,3}\.\d{1,3}(?![\d.])|[^\W_]+")
_PIECE = re.compile(r"\d+|[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])|[^\W\d_]")
_LETTERS = re.compile(r"[^\W\d_]+")
# What stands before somebody's name or number.
_TITLES = """
age aged born by dob doctor dr for frau herr id madame miss mister mme mrn mrs name operator pat
patient physician prof professor radiographer senor signor sir technologist
"""
_BEFORE = frozenset(_TITLES.split())
# What has numbers of four digits: b-values, times, doses.
_BEFORE_NUMBERS = frozenset(("b", "bw", "ctv", "fa", "gtv", "ptv", "te", "ti", "tr", "tsl"))
_SINGLE = frozenset("bcdfghiklmnpqrstvwx")  # letters beside a number: `B30f`
_PREFIXED = ("sT", "eT", "dT")  # Philips' `sT2W`
_FEW = 2  # of them in a word


def cleaned(text: str, names: Iterable[str] = ()) -> str:
    """What of a text is known to be harmless; empty where nothing is.

    Args:
        text: a description, a label, the name of a protocol.
        names: values of PatientName and the like (PS3.5 6.2.1): what is in them goes even where
            it is a harmless word too (Long, White).
    """
    told = {word for name in names for word in _LETTERS.findall(plain(name[:LONGEST]))}
    text, words = text[:LONGEST], frozenset(word for word in told if len(word) > 1)
    while (kept := _cleaned(text, words)) != text:  # what goes may bring others together
        text = kept
    return kept


@lru_cache(2**12)  # the slices of a series share them
def _cleaned(text: str, told: frozenset[str]) -> str:
    text = _OTHERS.sub(" ? ", _DATED.sub(" ? ", _ROW.sub(_row, text)))
    kept: list[str] = []
    end, before = 0, ""
    for match in _TOKEN.finditer(text):
        token = match.group()
        if plain(before) not in _BEFORE and _is_harmless(token, plain(before), told):
            between = text[end : match.start()]
            joined = end > 0 or not kept
            kept += [_marks(between) if joined else " ", token]
            end = match.end()
        else:
            end = 0
        before = token
    if kept and end and text[end : end + 1] in (")", "]", ">", "%"):
        kept.append(text[end])
    found = "".join(kept)
    for opening, closing in ("()", "[]", "<>"):
        if found.count(opening) != found.count(closing):
            found = found.replace(opening, " ").replace(closing, " ")
    found = re.sub(r" +", " ", found)
    return found.strip(" _-/,:;^|.+&=")


def _row(found: re.Match[str]) -> str:
    """Numbers in a row, where they are few digits; b-values may be many."""
    row = found.group()
    if _B_VALUES.fullmatch(row) and all(map(_is_b_value, re.findall(r"\d+", row))):
        return row
    if len(re.findall(r"\d", _DECIMAL.sub("", row))) < _TOGETHER:
        return row
    return " ? "


def _marks(between: str) -> str:
    """The signs between two words that stay; a space where anything was that does not."""
    return between if all(sign in _MARKS for sign in between) else " "


def _is_harmless(token: str, before: str, told: frozenset[str]) -> bool:
    if _DECIMAL.fullmatch(token):
        return True
    if token.isdecimal():
        return token.isascii() and _is_small(token, before)
    if plain(token) in told:
        return False
    if not any(sign.isdecimal() for sign in token) and _is_known(plain(token)):
        return True
    return _is_made_of_known(token, told)


def _is_small(number: str, before: str) -> bool:
    """Whether a number that stands by itself is that of a slice, an echo, or a b-value."""
    if len(number) <= _ALONE:
        return not _PADDED.fullmatch(number)
    is_one_of_several = before.isdecimal() and _is_b_value(before) and _is_b_value(number)
    return len(number) == _DIGITS and (before in _BEFORE_NUMBERS or is_one_of_several)


def _is_b_value(number: str) -> bool:
    return len(number) <= _DIGITS and int(number) % _B_STEP == 0


def _is_made_of_known(token: str, told: frozenset[str]) -> bool:
    """Whether a token is of known words and short numbers: `T2w`, `b1000`, `InPhase`, `dir16`."""
    runs = re.findall(r"\d+|[^\W\d_]+", token)
    numbers = [run for run in runs if run.isdecimal()]
    if _SIZE.fullmatch(token):
        return True
    if sum(map(len, numbers)) >= _TOGETHER or not all(map(_may_be_joined, numbers)):
        return False
    if sum(len(run) == 1 and not run.isdecimal() for run in runs) > _FEW:
        return False
    if any(len(one) == _DIGITS for one in numbers):
        words = [plain(run) for run in runs if not run.isdecimal()]
        return all(word in _BEFORE_NUMBERS for word in words)
    return all(run.isdecimal() or _is_run_known(run, bool(numbers), told) for run in runs)


def _may_be_joined(number: str) -> bool:
    return number.isascii() and len(number) <= _DIGITS and not _PADDED.fullmatch(number)


def _is_run_known(run: str, has_number: bool, told: frozenset[str]) -> bool:
    if plain(run) in told:
        return False
    if has_number and (plain(run) in _SINGLE or run in _PREFIXED):
        return True
    if _is_known(plain(run)):
        return True
    pieces = [plain(piece) for piece in _PIECE.findall(run)]
    return len(pieces) > 1 and all(
        len(piece) > 1 and piece not in told and _is_known(piece) for piece in pieces
    )


def _is_known(word: str) -> bool:
    return word in harmless_words() or (len(word) > 2 and word in anatomical_words())
