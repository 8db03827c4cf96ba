"""Images as NIfTI, NRRD and MetaImage that are damaged: one error, or sound headers and voxels."""

import gzip
import random
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from chaosprep.dataset.records import Coordinate, Factor, Length
from chaosprep.errors import ChaosprepError
from chaosprep.formats.images import open_image, part_of, volumes_in
from chaosprep.imaging.header import Header
from tests import memory
from tests.attacks import test_metaimage_grammar as metaimage
from tests.attacks import test_nifti_grammar as nifti
from tests.attacks import test_nrrd_grammar as nrrd
from tests.attacks.grammars import batches, draws, tried

nibabel = pytest.importorskip("nibabel")
msgspec = pytest.importorskip("msgspec")

FEW = 150
MADE: dict[str, Callable[[random.Random], bytes]] = {
    "v.nii": nifti.damaged,
    "v.nrrd": lambda draw: nrrd.damaged(draw)[0],
    "v.mha": lambda draw: metaimage.damaged(draw)[0],
}


def reads(name: str, data: bytes) -> bool:
    """Check what was read, of each frame; tell whether there was an image."""
    tried(lambda: [part_of(name, data, frames) for frames in volumes_in(name, data)])
    headers = tried(lambda: open_image(name, data).headers())
    if isinstance(headers, ChaosprepError):
        return False
    file = open_image(name, data)
    planes = []
    for number, header in enumerate(headers):
        again, plane = file.read(number)
        assert repr(again) == repr(header)
        assert plane.shape == (header.rows, header.cols)
        assert plane.dtype.name == header.dtype
        assert np.isfinite(plane).all()
        can_be_written(header)
        planes.append(plane)
    assert sum(plane.nbytes for plane in planes) <= len(data) * 1100
    if name == "v.nii":
        is_nibabels(data, planes)
    return True


def can_be_written(header: Header) -> None:
    """Check that a row of the table has room for what a header says."""
    msgspec.convert(header.pixel_spacing, tuple[Length, Length])
    msgspec.convert((header.rescale_slope, header.rescale_intercept), tuple[Factor, Factor])
    assert abs(header.rescale_slope) >= 1e-30
    if header.image_position_patient is not None:
        msgspec.convert(list(header.image_position_patient), list[Coordinate])
        cosines = np.reshape(header.image_orientation_patient or (), (2, 3))
        assert np.allclose(cosines @ cosines.T, np.eye(2), atol=1e-6)


def is_nibabels(data: bytes, planes: list[np.ndarray]) -> None:
    plain = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = plain[:348] + bytes(4) + plain[352:]  # extensions may be anything
        stored = nibabel.Nifti1Image.from_bytes(plain).dataobj.get_unscaled()
    stored = np.asarray(stored).reshape(*stored.shape[:2], -1, order="F")
    assert all(np.array_equal(plane, stored[:, :, at].T) for at, plane in enumerate(planes))


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("batch", batches(FEW))
def test_a_damaged_image_is_one_error_or_sound(
    name: str, batch: int, capfd: pytest.CaptureFixture[str]
) -> None:
    before = memory.begin()
    for draw in draws(name, batch, FEW):
        reads(name, MADE[name](draw))
    assert capfd.readouterr() == ("", "")
    assert memory.peak() - before < 2**19


@pytest.mark.parametrize("name", MADE)
def test_enough_of_them_are_read(name: str) -> None:
    every = (draw for batch in range(2) for draw in draws(name, batch, 100))
    assert 10 < sum(reads(name, MADE[name](draw)) for draw in every) < 90
