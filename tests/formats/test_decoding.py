"""The process that decodes: a limit of time, and files that crash or outlive it."""

import base64
import os
import sys
import time

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless

from chaosprep.errors import FileError
from chaosprep.formats.dicom import decoding
from chaosprep.formats.dicom.reading import read
from tests.formats.samples import encapsulated
from tests.formats.test_transfer import GREY, jpeg_2000

SOUND = encapsulated([jpeg_2000(GREY)], JPEG2000Lossless, GREY)
# 512 x 512 pixels, cut short in the middle of a scan: CharLS 2 works on it for 5 s and more.
SLOW = base64.b64decode(
    "/9j/9wALBAIAAgABAREA/9oACAEBAAAAACZYYJuZAzEdKRXQYcYpleOZUEOEOOO8diSSRRmneUQjhCjOEKFQrbQxgI"
    "BkxsSFFK43if8npP1tNa/92nr6OPQMVtHZoL8NsxTdze9+Yl2W070AIZsa+JrLpOOY8k6nxeMHgtGot7/5l/FxeZsb"
    "2P8R3v3MwENdyMILjV3J"
)
LARGE = np.zeros((512, 512), np.uint8)


def test_a_file_that_takes_too_long_to_decode_is_refused_and_the_next_one_is_read() -> None:
    pytest.importorskip("jpeg_ls")
    begin = time.monotonic()
    with pytest.raises(FileError) as caught:
        read(encapsulated([SLOW], JPEGLSLossless, LARGE))
    assert time.monotonic() - begin < 30
    assert caught.value.code == "too-slow"
    assert caught.value.reason == "its pixels are not decoded after 2.25 s of processor time"
    np.testing.assert_array_equal(read(SOUND)[1], GREY)


def test_the_limit_grows_with_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "SECONDS", 1e-3)
    pixels = np.random.default_rng(0).integers(0, 256, (1024, 512), np.uint8)
    data = encapsulated([jpeg_2000(pixels)], JPEG2000Lossless, pixels)
    np.testing.assert_array_equal(read(data)[1], pixels)  # half a second more


def test_a_decoder_that_ends_by_itself_is_one_error_and_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read(SOUND)
    crash = "import os, sys; print(end='!', flush=True); sys.stdin.buffer.read(8); os.abort()"
    monkeypatch.setattr(decoding, "_BEGIN", crash)
    decoding._decoder(os.getpid())._stop()
    with pytest.raises(FileError, match="the pixel data crash their decoder"):
        read(SOUND)
    monkeypatch.undo()
    np.testing.assert_array_equal(read(SOUND)[1], GREY)


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> decoding._Decoder:
    """One that is not started yet."""
    made = decoding._Decoder()
    monkeypatch.setattr(decoding, "_decoder", lambda pid: made)
    return made


def test_pixels_are_read_where_no_process_can_be_started(
    monkeypatch: pytest.MonkeyPatch, decoder: decoding._Decoder
) -> None:
    def none() -> None:
        raise BlockingIOError

    monkeypatch.setattr(decoding, "_start", none)
    np.testing.assert_array_equal(read(SOUND)[1], GREY)


@pytest.mark.parametrize("executable", ["/bin/true", "/bin/false"])
def test_pixels_are_read_where_another_program_stands_for_python(
    monkeypatch: pytest.MonkeyPatch, decoder: decoding._Decoder, executable: str
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    np.testing.assert_array_equal(read(SOUND)[1], GREY)
    monkeypatch.setattr(decoding, "_start", lambda: pytest.fail("it is not asked again"))
    np.testing.assert_array_equal(read(SOUND)[1], GREY)


@pytest.mark.parametrize(("name", "value"), [("executable", None), ("frozen", True)])
def test_an_interpreter_in_another_program_starts_none(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(sys, name, value, raising=False)
    monkeypatch.setattr(decoding, "_start", lambda: pytest.fail("the program starts itself"))
    made = decoding._Decoder()
    monkeypatch.setattr(decoding, "_decoder", lambda pid: made)
    np.testing.assert_array_equal(read(SOUND)[1], GREY)


def test_a_fork_has_a_decoder_of_its_own() -> None:
    read(SOUND)
    child = os.fork()
    if child == 0:  # answers with its exit code
        os._exit(int(not np.array_equal(read(SOUND)[1], GREY)))
    np.testing.assert_array_equal(read(SOUND)[1], GREY)
    assert os.waitpid(child, 0)[1] == 0


def test_an_interrupted_answer_is_not_that_of_the_next_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    other = encapsulated([jpeg_2000(GREY[::-1].copy())], JPEG2000Lossless, GREY)
    monkeypatch.setattr(decoding, "_filled", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read(other)
    monkeypatch.undo()
    np.testing.assert_array_equal(read(SOUND)[1], GREY)
