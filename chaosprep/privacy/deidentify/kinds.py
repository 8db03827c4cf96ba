"""What is de-identified at all: images, and structures drawn on them."""

from collections.abc import Mapping

from chaosprep.errors import FileError
from chaosprep.formats.dicom.objects import is_picture, what_else
from chaosprep.privacy.deidentify.uids import is_registered

_STRUCTURES = ("SEG", "RTSTRUCT")
# Objects with pixels that `is_picture` leaves out, by the end of their SOP class's UID (PS3.4 B.5).
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_OTHERS = ("30", "66.4", "66.7", "481.1", "481.2", "481.3")  # maps, segmentations, RT
_REMEDY = "Leave it out: only images, segmentations and structure sets are de-identified."


def check_kind(evidence: Mapping[str, str], sized: bool) -> None:
    """Refuse what is no image, segmentation or structure set, as free content makes up the rest.

    Args:
        evidence: SOPClassUID, Modality and ImageType, as far as the file has them.
        sized: whether the header says how large a picture the file holds.

    Raises `FileError` ``deidentify-kind``.
    """
    uid = evidence.get("SOPClassUID", "")
    is_storage, end = uid.startswith(_STORAGE), uid.removeprefix(_STORAGE)
    is_structure = not uid and evidence.get("Modality") in _STRUCTURES
    if is_structure or (is_storage and end in _OTHERS):
        return
    if (not uid or is_registered(uid)) and is_picture(evidence, sized):
        return
    if uid and not is_registered(uid):
        raise FileError("its kind (SOP class) is not one of the standard's", _REMEDY, _CODE)
    found = what_else(evidence, sized)
    if found is not None and found.alone and sized:  # a localizer, a screen save
        return
    what = found.what if found else "object without a picture"
    raise FileError(f"this kind of file cannot be de-identified: {what}", _REMEDY, _CODE)


_CODE = "deidentify-kind"
