"""Single DICOM files without what identifies, for those that belong to a data set's images."""

from pathlib import Path

from chaosprep.errors import UsageError, about
from chaosprep.files import read_regular
from chaosprep.privacy.deidentify.file import PSEUDONYM, deidentified
from chaosprep.privacy.pseudonyms import read_key


def deidentify(
    source: str | Path | bytes,
    *,
    key: str | Path,
    patient: str,
    accept_burned_in: bool = False,
) -> bytes:
    """A DICOM file without what identifies, as `split` with `deidentify=True` writes images.

    With the key and the patient of a data set, a SEG or an RTSTRUCT refers to the images in it, and
    its dates are moved as theirs are.

    Args:
        source: the file, or its bytes: images, a segmentation or a structure set.
        key: the key file of the data set: `chaosprep.key` beside it, where no other was given.
        patient: the pseudonym of the patient, as the data set has it.
        accept_burned_in: whether pixels that may show text will do.

    Returns:
        The bytes of the new file; its pixels are the same, bit for bit.

    Raises:
        UsageError: `key`, the key file will not do; `parameter`, nor will the pseudonym.
        FileError: the file cannot be read, may show text, or is of a kind that cannot be done.
    """
    if not PSEUDONYM.fullmatch(patient):
        raise UsageError(
            "patient: a pseudonym has letters, digits and -._, 64 of them at most",
            "Give the id that the table has for the patient.",
            code="parameter",
        )
    secret = read_key(key, option="key: ")
    if isinstance(source, bytes):
        return deidentified(source, patient, secret, accept_burned_in=accept_burned_in)
    with about(str(source)):
        data = read_regular(Path(source), follow=True)
        return deidentified(data, patient, secret, accept_burned_in=accept_burned_in)
