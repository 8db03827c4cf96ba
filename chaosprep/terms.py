"""The codes of structures by their names: DICOM's own, never those of a similar structure."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from chaosprep.facts import Code
from chaosprep.known import CODES

if TYPE_CHECKING:
    from pydicom.sr.codedict import Collection

PRIVATE_SCHEME = "99CHAOSPREP"
"""Of the codes that are made for names without one (PS3.3 8.2: private ones begin with 99)."""

_ANATOMICAL = Code("SCT", "123037004", "Anatomical Structure")
# Category (PS3.16 CID 7150) -> the context group of its property types, whose union is CID 7151.
# Devices, functions and spatial concepts are no structures of a patient.
_TYPES = {
    _ANATOMICAL: "cid7192",
    Code("SCT", "49755003", "Morphologically Abnormal Structure"): "cid7194",
    Code("SCT", "85756007", "Tissue"): "cid7191",
    Code("SCT", "91720002", "Body Substance"): "cid7197",
}
# In these groups, but a qualifier, what is not a structure at all, or no more than a category.
_NO_TYPES = {
    ("SCT", "17621005"),  # Normal
    ("DCM", "125040"),  # Background
    ("SCT", "706342009"),  # Phantom
    ("SCT", "85756007"),  # Tissue
    ("SCT", "91772007"),  # Organ
}
_SIDES = {"right": Code("SCT", "24028007", "Right"), "left": Code("SCT", "7771000", "Left")}
"""PS3.16 CID 244."""

PAIRED = (
    *("adrenal gland", "amygdala", "ankle joint", "axilla", "axillary artery", "axillary vein"),
    *("brachial artery", "brachial vein", "breast", "bronchus", "calcaneus", "carotid artery"),
    *("caudate nucleus", "cerebral hemisphere", "clavicle", "common carotid artery"),
    *("common iliac artery", "common iliac vein", "elbow joint", "external carotid artery"),
    *("external iliac artery", "external iliac vein", "eye", "eyeball", "fallopian tube"),
    *("femoral artery", "femoral vein", "femur", "fibula", "foot", "forearm", "frontal lobe"),
    *("globus pallidus", "hand", "hip", "hip joint", "hippocampus", "humerus", "iliac artery"),
    *("iliac vein", "ilium", "innominate vein", "insula", "internal carotid artery"),
    *("internal iliac artery", "internal iliac vein", "internal jugular vein", "kidney", "knee"),
    *("lateral ventricle", "lower leg", "lower lobe of lung", "lung", "nucleus accumbens"),
    *("occipital lobe", "ovary", "parietal lobe", "parotid gland", "patella", "putamen"),
    *("renal artery", "renal pelvis", "renal vein", "rib", "scapula", "seminal vesicle"),
    *("shoulder", "subclavian artery", "subclavian vein", "submandibular gland", "temporal bone"),
    *("temporal lobe", "testis", "thalamus", "thigh", "upper arm", "upper lobe of lung", "ureter"),
    *("vertebral artery", "wrist joint"),
)
"""What a body has on both sides; the left of anything else is a part of it."""

_SPELLINGS = {
    "caecum": "cecum",
    "haemorrhage": "hemorrhage",
    "oedema": "edema",
    "oesophagus": "esophagus",
    "postcava": "inferior vena cava",
    "tumour": "tumor",
    "vertebrae": "vertebra",
}
_SILENT = {"of", "the", "structure"}  # "Structure of liver" and "Kidney structure" are FSNs
_TAG = re.compile(r" \((body structure|morphologic abnormality)\)$")


class Sided(NamedTuple):
    """The code of a structure that has none for each side, and the code of the side."""

    code: Code
    side: Code


def code_of(name: str) -> Code | None:
    """The code of exactly the structure of a name; None where DICOM has none for it.

    Case, spaces, ``-``, ``_`` and the order of the words do not matter: ``kidney_right`` is
    ``right-kidney``. The codes are those that the known data sets state, then the types of segments
    in PS3.16 CID 7191, 7192, 7194 and 7197, by every meaning that pydicom's dictionaries have for
    them. A name that fits several is nobody's.
    """
    return _found(_words(name))


def sided_code_of(name: str) -> Sided | None:
    """The codes of a structure of a pair and its side, where DICOM has none for both together.

    None where the name tells no side, has a code of its own (`code_of`), or is not in `PAIRED`.
    """
    words = _words(name)
    sides = [word for word in words if word in _SIDES]
    if len(sides) != 1 or _found(words) is not None:
        return None
    code = _found([word for word in words if word not in _SIDES])
    if code is None or code not in map(code_of, PAIRED):
        return None
    return Sided(code, _SIDES[sides[0]])


def private_code(name: str) -> Code:
    """A code of ours for a name without one: the first 16 digits of the SHA-256 of its UTF-8."""
    return Code(PRIVATE_SCHEME, sha256(name.encode()).hexdigest()[:16].upper(), name[:64])


def category_of(code: Code | None) -> Code:
    """The category of a segment with this code (PS3.16 CID 7150): anatomical where it is not known.

    A code is a lesion's by its scheme and value, not by its name.
    """
    return _types().get(code[:2], _ANATOMICAL) if code is not None else _ANATOMICAL


def _words(name: str) -> list[str]:
    """The words of a name, in lower case."""
    words = re.split(r"[\W_]+", _TAG.sub("", name).casefold())
    spelled = (_SPELLINGS.get(word, word).split() for word in words if word)
    return [word for every in spelled for word in every if word not in _SILENT]


def _found(words: list[str]) -> Code | None:
    """The code of words in any order, or written as one (``gall bladder``)."""
    if not words:
        return None
    every = "".join(words)
    for table in (_stated(), _standard()):
        for key in (" ".join(sorted(words)), every):
            if key in table:
                return table[key]
    return None


@cache
def _stated() -> dict[str, Code | None]:
    """Key of a name -> code, of the known data sets."""
    return _by_key((name, code) for name, code in CODES.items())


@cache
def _types() -> dict[tuple[str, str], Code]:
    """Scheme and value of all that a segment can be -> its category."""
    from pydicom.sr.codedict import codes

    found: dict[tuple[str, str], Code] = {}
    for category, group in _TYPES.items():
        for code in _concepts(getattr(codes, group)):
            found.setdefault(code[:2], category)
    return {code: category for code, category in found.items() if code not in _NO_TYPES}


@cache
def _standard() -> dict[str, Code | None]:
    """Key of a name -> code, of DICOM; None for the names of several."""
    from pydicom.sr.codedict import codes

    types = _types()
    main = {
        code[:2]: code
        for group in reversed(_TYPES.values())
        for code in _concepts(getattr(codes, group))
    }
    every = [*main.values(), *_concepts(codes.SCT)]
    return _by_key((one.meaning, main[one[:2]]) for one in every if one[:2] in types)


def _by_key(named: Iterable[tuple[str, Code]]) -> dict[str, Code | None]:
    table: dict[str, Code | None] = {}
    for name, code in named:
        words = _words(name)
        for key in {" ".join(sorted(words)), "".join(words)}:
            same = table.get(key, code)
            table[key] = code if same is not None and same[:2] == code[:2] else None
    return table


def _concepts(collection: "Collection") -> Iterator[Code]:
    """The codes of a collection of pydicom's; without those whose keyword has several."""
    for keyword in sorted(collection.dir()):
        try:
            found = getattr(collection, keyword)
        except RuntimeError:
            continue
        yield Code(found.scheme_designator, found.value, found.meaning)
