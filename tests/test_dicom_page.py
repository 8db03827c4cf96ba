"""The block of docs/dicom.md, on a file of the sample data, beside pydicom."""

from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from tests.documents import HOME, blocks, place_with_samples

PAGE = (HOME / "docs/dicom.md").read_text(encoding="utf-8")


def test_the_block_reads_what_pydicom_reads(tmp_path: Path) -> None:
    (block,) = blocks(PAGE, "python")
    names: dict[str, Any] = {}
    with chdir(place_with_samples(tmp_path)):
        exec(block, names)
        theirs = pydicom.dcmread(next(Path("sample_data").rglob("*.dcm")))
    np.testing.assert_array_equal(names["pixels"], theirs.pixel_array)
    np.testing.assert_array_equal(names["stack"], theirs.pixel_array[None])
    assert names["header"].rows == theirs.Rows
    assert names["picture"].dtype == np.uint8
