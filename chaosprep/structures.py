"""Names of structures: which of them are the same."""

import re
import unicodedata

_BETWEEN = re.compile(r"[\s_\-\u2010-\u2015]+")


def folded(name: str) -> str:
    """A name as it is compared: without case, and runs of spaces, `-` and `_` as one space.

    Letters are composed (Unicode's NFC), and signs that show nothing (category Cf) are left out.
    """
    shown = "".join(sign for sign in name if unicodedata.category(sign) != "Cf")
    folds = unicodedata.normalize("NFD", unicodedata.normalize("NFD", shown).casefold())
    return unicodedata.normalize("NFC", _BETWEEN.sub(" ", folds)).strip()
