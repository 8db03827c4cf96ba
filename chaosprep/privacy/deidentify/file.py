"""One DICOM file without what identifies."""

from chaosprep.privacy.pseudonyms import Key


def deidentified(data: bytes, patient: str, key: Key, *, accept_burned_in: bool = False) -> bytes:
    """The file without what identifies; the pixels are the same, bit for bit.

    Raises:
        FileError: its pixels may show text, or it cannot be read.
    """
    raise NotImplementedError
