"""What a DICOM SEG's overlap says of its segments: their labels, but nobody's name."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

import chaosprep
from chaosprep.errors import ProblemsError
from tests.formats.test_segmentations import COUNT, IMAGES, seg
from tests.layouts.trees import COLS, ROWS, write


def test_overlapping_segments_are_one_line_with_their_labels_but_nobodys_name(
    tmp_path: Path,
) -> None:
    pytest.importorskip("highdicom")

    def label(made: Dataset) -> None:
        made.SegmentSequence[0].SegmentLabel = "Liver"
        made.SegmentSequence[1].SegmentLabel = "Tumour of Doe, Jane"  # as PatientName has it

    mask = seg(np.ones((COUNT, ROWS, COLS, 2), np.uint8), edit=label)
    images = {f"scans/a/{n}.dcm": data for n, data in enumerate(IMAGES.values())}
    root = write(tmp_path / "root", images | {"labels/a.dcm": mask})
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(
            root,
            tmp_path / "out",
            images="scans/{patient}/{slice}.dcm",
            masks="labels/{patient}.dcm",
            val=0,
        )
    (problem,) = caught.value.problems
    assert (problem.code, problem.file) == ("mask-overlap", "labels/a.dcm")
    assert problem.reason.endswith(f": 1 (Liver) and 2 ({COUNT} images)")
