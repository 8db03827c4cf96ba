"""How a DICOM file begins."""

import struct

_FIRST = 0x18  # the SOPInstanceUID of group 8: a slice's elements begin there, or before


def is_dicom(data: bytes) -> bool:
    """Whether these bytes begin as a DICOM file (PS3.10 7.1: ``DICM`` at byte 128)."""
    return data[128:132] == b"DICM"


def is_bare(data: bytes) -> bool:
    """Whether these bytes are DICOM elements without what a file begins with (PS3.10 7.1).

    They are if they begin with the length of group 2, or with an element of group 8 of which the
    length is that of a header's.
    """
    if data[:6] == b"\2\0\0\0UL":
        return True
    group, element, length = struct.unpack("<HHL", data[:8].ljust(8, b"\xff"))
    is_explicit = data[4:6].isalpha() and data[4:6].isupper()
    return group == 8 and element <= _FIRST and (is_explicit or length < 2**10)
