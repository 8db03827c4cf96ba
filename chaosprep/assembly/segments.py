"""What the segments of a DICOM SEG are called, and with which codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaosprep.errors import FileError, plural
from chaosprep.facts import Code
from chaosprep.files import sha256
from chaosprep.formats.legend import one_line
from chaosprep.terms import PRIVATE_SCHEME, category_of, code_of, private_code, sided_code_of

_LO, _SH, _LONG = 64, 16, 200  # characters (PS3.5 6.2); a long code value has no such limit
_HASH = 16  # hexadecimal digits: as many as an SH has characters
_TAIL = 9  # of a label that was cut: ~ and a part of the hash


@dataclass(frozen=True)
class Segment:
    """A segment: its label, of 64 characters at most, the structure's name, and its codes.

    ``side`` modifies the type of a structure that has no code for each side.
    """

    label: str
    name: str
    code: Code
    side: Code | None

    @property
    def is_shortened(self) -> bool:
        """Whether the label is not all of the name."""
        return self.label != self.name

    @property
    def is_ascii(self) -> bool:
        """Whether every character set of DICOM can say it."""
        return all(map(str.isascii, (self.name, *self.code)))


def segments_of(names: Sequence[str], codes: Mapping[str, Code]) -> list[Segment]:
    """The segments of structures: each with the code given for its name, else DICOM's (`code_of`).

    A name without any gets a private code: the first 16 digits of the SHA-256 of its UTF-8.

    Raises:
        FileError: `seg`, a given code does not fit into a DICOM file.
    """
    return [_segment(name, codes.get(name), {*names} - {name}) for name in names]


def shortened_note(count: int) -> tuple[str, ...]:
    """What to say where so many names do not stand whole in a SegmentLabel."""
    if not count:
        return ()
    return (
        f"{plural(count, 'name')} of more than {_LO} characters, or with a backslash or a hidden "
        "character: SegmentLabel has a substitute, SegmentDescription the full name",
    )


def _segment(name: str, given: Code | None, others: set[str]) -> Segment:
    label = _label(name, others)
    sided = sided_code_of(name)
    code = given or code_of(name)
    if sided is not None and (code is None or code[:2] == sided.code[:2]):
        return Segment(label, name, code or sided.code, sided.side)
    if code is None:
        return Segment(label, name, private_code(name)._replace(meaning=label), None)
    return Segment(label, name, _checked(code, label), None)


def _label(name: str, others: set[str]) -> str:
    """A name as an LO can hold it: one line, without a backslash, at most 64 characters."""
    text = one_line(name).replace("\\", "/")
    if text == name and len(text) <= _LO:
        return text
    if text and text not in others and len(text) <= _LO:
        return text
    return f"{text[: _LO - _TAIL].rstrip()}~{_digits(name)[: _TAIL - 1]}"


def _digits(name: str) -> str:
    return sha256(name.encode())[:_HASH].upper()


def _checked(code: Code, label: str) -> Code:
    texts = [(code.scheme, _SH), (code.value, _LONG), (code.meaning, _LONG)]
    if any(one_line(text) != text or "\\" in text or len(text) > most for text, most in texts):
        raise FileError(
            f"the code of {label!r} cannot be in a DICOM file",
            "Give codes of one line without a backslash; a coding scheme has up to 16 characters.",
            code="seg",
        )
    return code._replace(meaning=(code.meaning or label)[:_LO])


def describe(number: int, segment: Segment, *, automatic: bool) -> Any:  # noqa: ANN401 - highdicom's
    """The description of a segment as highdicom takes it; numbers count from 1."""
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription

    network = AlgorithmIdentificationSequence(
        name="prediction",
        family=_concept(Code("DCM", "123109", "Artificial Intelligence")),
        version="not stated",
    )
    made = SegmentDescription(
        segment_number=number,
        segment_label=segment.label,
        segmented_property_category=_concept(category_of(segment.code)),
        segmented_property_type=_concept(segment.code),
        algorithm_type="AUTOMATIC" if automatic else "MANUAL",
        algorithm_identification=network if automatic else None,
    )
    if segment.is_shortened:
        made.SegmentDescription = segment.name
    if segment.side is not None:
        (kind,) = made.SegmentedPropertyTypeCodeSequence
        kind.SegmentedPropertyTypeModifierCodeSequence = [_concept(segment.side)]
    return made


def private_scheme() -> Any:  # noqa: ANN401 - pydicom's
    """What a file says of the scheme of private codes (PS3.3 C.12.1.1)."""
    from pydicom import Dataset as Item

    item = Item()
    item.CodingSchemeDesignator = PRIVATE_SCHEME
    item.CodingSchemeName = "Names of structures without a code"
    item.CodingSchemeResponsibleOrganization = "chaosprep"
    return item


def _concept(code: Code) -> Any:  # noqa: ANN401 - highdicom's
    from highdicom.sr import CodedConcept

    return CodedConcept(code.value, code.scheme, code.meaning)
