"""What is still in a file that a de-identification takes out, told without the key of that."""

import re
from collections.abc import Iterator

from chaosprep.errors import FileError
from chaosprep.formats.dicom.faults import guarded
from chaosprep.formats.dicom.start import is_dicom
from chaosprep.privacy.deidentify.actions import Cleaner
from chaosprep.privacy.deidentify.codestreams import pixels_alone
from chaosprep.privacy.deidentify.dates import is_time, shifted_date, shifted_datetime
from chaosprep.privacy.deidentify.elements import Element, Elements
from chaosprep.privacy.deidentify.file import METHOD, parse, whole
from chaosprep.privacy.deidentify.uids import is_registered
from chaosprep.privacy.deidentify.values import Values
from chaosprep.privacy.deidentify.who import Who
from chaosprep.privacy.pseudonyms import Key

_PREAMBLE = 128  # bytes (PS3.10 7.1)
_META = range(0x00020000, 0x00030000)
_META_INSTANCE = 0x00020003
# File meta information that PS3.10 7.1 asks for, and who wrote it.
_META_KEPT = (
    *(0x00020000, 0x00020001, 0x00020002, _META_INSTANCE, 0x00020010, 0x00020012, 0x00020013),
)
_REMOVED, _METHOD = 0x00120062, 0x00120063
_SAID = (_REMOVED, _METHOD, 0x00120064, 0x00280303)
_NOBODY = Who((), frozenset())
_KEYED_UID = re.compile(r"2\.25\.[1-9]\d{0,38}")
_TAG = re.compile(r"[0-9a-f]{8}")


class _AnyKey(Key):
    """Stands for a key that is not there: what a key may have made stays what it is."""

    def __init__(self) -> None:
        super().__init__(b"")

    def uid(self, text: str) -> str:
        return text if _KEYED_UID.fullmatch(text) else ""

    def tag(self, text: str) -> str:
        last = text.rpartition("\0")[2]
        return last if _TAG.fullmatch(last) else ""

    def number(self, use: str, text: str) -> int:
        return 0


class _Still(Values):
    """Does to values what the profile does, but for moving dates."""

    def __init__(self, patient: str) -> None:
        super().__init__(patient, _AnyKey(), _NOBODY)
        self._shift = {
            "DA": lambda text: shifted_date(text, 0),
            "DT": lambda text: shifted_datetime(text, 0),
            "TM": lambda text: text if is_time(text) else None,
        }


class _Looker(Cleaner):
    """Does to a data set what the profile does, but for moving dates."""

    def __init__(self, patient: str, *, is_little: bool) -> None:
        super().__init__(patient, _AnyKey(), _NOBODY, is_little=is_little)
        self._values = _Still(patient)


def left(data: bytes, patient: str) -> tuple[str, ...]:
    """What a file still has that `deidentified` takes out or changes, by keywords, sorted.

    Nothing of a file that it made. That a date was moved, and that a UID of the form `2.25.` and
    a number came from a key, only the key could tell: they are taken for it.

    Args:
        data: the file.
        patient: the pseudonym that stands in it for PatientID and PatientName.

    Raises:
        FileError: it cannot be read.
    """
    if not is_dicom(data):
        raise FileError("not a DICOM file", "Make it again.", "not-dicom")
    parsed = parse(whole(data))
    with guarded("the file cannot be made sense of"):
        elements = {tag: one for tag, one in parsed.elements.items() if tag not in _SAID}
        looker = _Looker(patient, is_little=parsed.encoding.is_little)
        cleaned = looker.data_set(pixels_alone(elements, parsed.syntax))
        tags = {*_changed(elements, cleaned), *_of_meta(parsed.meta), *_unsaid(parsed.elements)}
    found = {_called(tag) for tag in tags}
    return tuple(sorted(found | ({"the preamble"} if any(data[:_PREAMBLE]) else set())))


def _changed(before: Elements, after: Elements) -> Iterator[int]:
    """The tags of what became another one, or went, nested ones too."""
    for tag, element in before.items():
        now = after.get(tag)
        if now is None or len(element.items or ()) != len(now.items or ()):
            yield tag
        elif element.items:
            for item, other in zip(element.items, now.items or (), strict=True):
                yield from _changed(item, other)
        elif _value(element) != _value(now):
            yield tag


def _value(element: Element) -> bytes:
    return bytes(element.value).rstrip(b" \0")


def _of_meta(meta: Elements) -> Iterator[int]:
    """What file meta information has beside what it must have, and a UID that no key made."""
    yield from (tag for tag in meta if tag in _META and tag not in _META_KEPT)
    instance = meta.get(_META_INSTANCE)
    uid = _value(instance).decode("latin-1") if instance else ""
    if uid and not is_registered(uid) and not _KEYED_UID.fullmatch(uid):
        yield _META_INSTANCE


def _unsaid(elements: Elements) -> Iterator[int]:
    """What a file should say of its being de-identified, and does not."""
    removed, method = elements.get(_REMOVED), elements.get(_METHOD)
    if removed is None or _value(removed) != b"YES":
        yield _REMOVED
    if method is not None and not _value(method).decode("latin-1").startswith(METHOD):
        yield _METHOD


def _called(tag: int) -> str:
    from pydicom.datadict import keyword_for_tag

    if tag >> 16 & 1:
        return "private elements"
    return keyword_for_tag(tag) or f"({tag >> 16:04x},{tag & 0xFFFF:04x})"
