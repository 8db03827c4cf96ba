"""The tables of formats: every line is a format, and only those that are reached are imported."""

import subprocess
import sys

from chaosprep.formats.image_file import ImageFormat
from chaosprep.formats.images import IMAGES
from chaosprep.formats.mask_file import MaskFormat
from chaosprep.formats.masks import MASKS


def test_every_line_names_a_format() -> None:
    assert {type(one) for one in IMAGES} == {ImageFormat}
    assert {type(one) for one in MASKS} == {MaskFormat}


def test_a_file_of_the_first_format_imports_no_other() -> None:
    program = (
        "import sys\nfrom chaosprep.formats.images import image_format\n"
        "assert image_format('1.dcm', b'\\0' * 128 + b'DICM').name == 'DICOM'\n"
        "print('chaosprep.formats.nrrd_image' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
