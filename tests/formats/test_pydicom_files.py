"""Every file that pydicom itself is tested with: its pixels, or one named error."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom.data
import pytest
from numpy.typing import NDArray
from pydicom import dcmread

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read_frames, read_headers

ROOT = Path(pydicom.data.__file__).parent
FILES = [
    path for path in sorted(ROOT.rglob("*")) if path.is_file() and "__pycache__" not in str(path)
]
IDS = [str(path.relative_to(ROOT)) for path in FILES]
CODES = {
    *("not-dicom", "dicom-truncated", "dicom-broken", "no-pixels", "not-grey"),
    *("transfer-syntax", "too-large"),
}


def pydicoms_frames(data: bytes) -> NDArray[Any] | None:
    """Give (frames, rows, cols) where pydicom decodes grey pixels, else None."""
    try:
        slice_ = dcmread(BytesIO(data))
        pixels = slice_.pixel_array
    except Exception:  # noqa: BLE001 pydicom's own errors are of every kind
        return None
    if slice_.PhotometricInterpretation not in ("MONOCHROME1", "MONOCHROME2"):
        return None
    return pixels if pixels.ndim == 3 else pixels[np.newaxis]


@pytest.mark.parametrize("path", FILES, ids=IDS)
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_a_file_gives_pydicoms_grey_pixels_or_one_error(
    path: Path, recwarn: pytest.WarningsRecorder, capfd: pytest.CaptureFixture[str]
) -> None:
    data = path.read_bytes()
    headers, pixels, code = None, None, ""
    try:
        headers, pixels = read_frames(data)
    except FileError as error:
        code = error.code
    assert not recwarn.list
    assert capfd.readouterr() == ("", "")
    expected = pydicoms_frames(data)
    if expected is None:
        assert code in CODES
    else:
        assert pixels is not None, code
        np.testing.assert_array_equal(pixels, expected)
        assert pixels.dtype == expected.dtype.newbyteorder("=")
        assert headers == read_headers(data)


def test_there_are_enough_files_to_say_something() -> None:
    decoded = sum(pydicoms_frames(path.read_bytes()) is not None for path in FILES[::5])
    assert len(FILES) > 150
    assert decoded > 8
