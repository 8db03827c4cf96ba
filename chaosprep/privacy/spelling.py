"""Names as they are compared: without case and accents, in Latin letters, whoever spelled them."""

from collections.abc import Callable
from unicodedata import category, normalize

Form = Callable[[str], str]

# Cyrillic as in passports (ICAO Doc 9303-3, 6), Greek by ELOT 743; marks are gone before.
_CYRILLIC = dict(zip("абвгґдеиіклмнопрстуфыэз", "abvggdeiiklmnoprstufyez", strict=True))
_CYRILLIC |= {"ж": "zh", "\u0445": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": ""}
_CYRILLIC |= {"ь": "", "ю": "iu", "я": "ia", "є": "ie"}
_GREEK = dict(zip("αβγδεζηικλμνξοπρσςτυφω", "avgdeziiklmnxoprsstyfo", strict=True))
_GREEK |= {"θ": "th", "χ": "ch", "ψ": "ps"}
_OU = "\u03bf\u03c5", "ou"
# Latin letters that Unicode does not take apart.
_LATIN = {"æ": "ae", "œ": "oe", "ø": "o", "þ": "th", "ð": "d", "đ": "d", "ł": "l", "\u0131": "i"}
_LATIN |= {"ħ": "h", "ŋ": "n", "ŧ": "t", "ə": "e"}
_SIGNS = str.maketrans(_CYRILLIC | _GREEK | _LATIN)
# One spelling for several: Mueller and Müller, Yulia, Julia and Iuliia, Khan and Han.
_ALIKE = (
    *(("ae", "a"), ("oe", "o"), ("ue", "u"), ("aa", "a"), ("y", "i"), ("j", "i"), ("ii", "i")),
    *(("kh", "h"), ("shch", "sch")),
)


def unmarked(text: str) -> str:
    """A text without accents and other marks on its letters."""
    if text.isascii():
        return text
    kept = (sign for sign in normalize("NFKD", text) if category(sign) != "Mn")
    return normalize("NFKC", "".join(kept))


def plain(text: str) -> str:
    """A text without case and marks, Cyrillic and Greek in Latin letters."""
    if text.isascii():
        return text.casefold()
    return unmarked(unmarked(text).casefold()).replace(*_OU).translate(_SIGNS)


def alike(text: str) -> str:
    """The same, with usual ways to write one sound made one."""
    text = plain(text)
    for several, one in _ALIKE:
        text = text.replace(several, one)
    return text


FORMS: tuple[Form, ...] = (plain, alike)
