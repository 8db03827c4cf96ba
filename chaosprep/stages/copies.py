"""The files that split writes: as they are, or with --deidentify without what identifies."""

import secrets
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from chaosprep.dataset.records import File
from chaosprep.division.params import SplitParams
from chaosprep.errors import BROKEN, FileError
from chaosprep.files import sha256
from chaosprep.formats.dicom.faults import silent
from chaosprep.formats.dicom.file import DICOM
from chaosprep.formats.images import image_format
from chaosprep.imaging.png.chunks import pixels_only, read_head
from chaosprep.imaging.png.unpacking import holds_more
from chaosprep.privacy.pseudonyms import Key, read_key
from chaosprep.running.writer import Writer
from chaosprep.series.reading import SourceSlice
from chaosprep.series.source import SourceCase

DRY = Writer(None)
"""For what nothing is written of."""
_FORMAT = "deidentify-format"


class Image(NamedTuple):
    """An image that was written, and what is to be said of it."""

    file: File
    notes: tuple[str, ...]


class Images:
    """Writes the images of a case, each file once: all of its frames share it.

    With a key they are written without what identifies.
    """

    def __init__(
        self, case: SourceCase, params: SplitParams, writer: Writer, key: Key | None
    ) -> None:
        self._case, self._params, self._writer, self._key = case, params, writer, key
        self._made: dict[str, Image | FileError] = {}

    def of(self, found: SourceSlice) -> Image:
        """The image of a slice.

        Raises:
            FileError: why it is not written; of a file of several frames with each of them.
        """
        if found.image not in self._made:
            self._made[found.image] = self._written(found)
        made = self._made[found.image]
        if isinstance(made, FileError):
            raise made
        return made

    def _written(self, found: SourceSlice) -> Image | FileError:
        case, params = self._case, self._params
        assert case.split is not None
        origin, ending = Path(case.root, found.image), ending_of(found)
        link = "copy" if found.image in case.frames else params.link  # it may be a part of the file
        try:
            data = image_to_pass_on(case, found, params, self._key)
        except FileError as error:
            error.file = case.shown(found.image)
            return error
        digest = hash_to_pass_on(found, data)
        file = self._writer.copy(case.split, "images", found.id, origin, data, link, ending, digest)
        return Image(file, accepted_notes(found, params))


def ending_of(found: SourceSlice) -> str:
    """What the file of an image is called at its end."""
    kind = image_format(found.image, found.image_data)
    assert kind is not None, "its header was read"
    return kind.ending


def key_for(params: SplitParams, writer: Writer | None = None) -> Key | None:
    """The key that the copies of a run are made with; None where they are to stay as they are.

    Raises:
        FileError: `deidentify-key`, nobody gave one.
    """
    if not params.deidentify:
        return None
    if params.pseudonymize is not None:
        return read_key(params.pseudonymize)
    if writer is not None and writer.is_dry:
        return Key(secrets.token_bytes(32))  # of bytes that nobody keeps
    raise FileError(
        "--deidentify has no key", "Give one: --pseudonymize KEYFILE.", code="deidentify-key"
    )


def image_to_pass_on(
    case: SourceCase, found: SourceSlice, params: SplitParams, key: Key | None
) -> bytes:
    """The bytes to write of a slice's image; without a key, those that there are.

    Raises:
        FileError: `deidentify-format`, it is no DICOM; and what `deidentified` raises.
    """
    if key is None:
        return found.image_data
    kind = image_format(found.image, found.image_data)
    if kind is not DICOM:
        name = "of no known format" if kind is None else kind.name
        raise FileError(
            f"the image is {name}, but --deidentify only knows what identifies in DICOM",
            "Leave --deidentify out and look at its header yourself; --pseudonymize KEYFILE hides "
            "the names of files.",
            code=_FORMAT,
        )
    from chaosprep.privacy.deidentify.file import deidentified

    accept = params.accept_burned_in
    return deidentified(found.image_data, case.patient, key, accept_burned_in=accept)


def hash_to_pass_on(found: SourceSlice, data: bytes) -> str:
    """The SHA-256 of what is written of a slice's image: known already where it stays as it is."""
    return found.image_sha256 if data is found.image_data else sha256(data)


def accepted_notes(found: SourceSlice, params: SplitParams) -> tuple[str, ...]:
    """What is to be said of an image that was taken although it may show text."""
    if not params.accept_burned_in:
        return ()
    from pydicom import dcmread

    from chaosprep.privacy.deidentify.burned_in import doubt

    try:
        with silent():
            why = doubt(dcmread(BytesIO(found.image_data), force=True))
    except BROKEN:
        why = "its header cannot be read completely"
    return () if why is None else (f"its pixels may show text, which was accepted: {why}",)


def mask_to_pass_on(data: bytes, key: Key | None) -> bytes:
    """The bytes to write of a picture of a mask: with a key, its pixels without texts and times.

    Raises:
        FileError: `deidentify-format`, it is no PNG, or holds more than pixels.
    """
    if key is None:
        return data
    png = read_head(data, "mask-unreadable")
    if png is None:
        raise FileError(
            "the mask is another picture under the name of a PNG, which may say more than pixels",
            "Save it as a grey PNG.",
            code=_FORMAT,
        )
    kept = pixels_only(data, png, "mask-unreadable")
    if holds_more(kept, png):
        raise FileError(
            "the mask's PNG holds data after its pixels", "Save it again as a PNG.", code=_FORMAT
        )
    return kept
