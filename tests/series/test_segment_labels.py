"""What is said of a DICOM SEG's segments of one name: which it is, but nobody's name."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

import chaosprep
from chaosprep.errors import ProblemsError
from tests.formats.test_segmentations import COUNT, IMAGES, seg
from tests.layouts.trees import COLS, ROWS, write


@pytest.mark.parametrize(("name", "said"), [("Liver", ": 'Liver'"), ("Tumour of Doe, Jane", "")])
def test_segments_of_one_name_are_one_line_with_it_but_nobodys_name(
    tmp_path: Path, name: str, said: str
) -> None:
    pytest.importorskip("highdicom")

    def label(made: Dataset) -> None:
        for segment in made.SegmentSequence:
            segment.SegmentLabel = name  # the second as PatientName has it

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
    assert (problem.code, problem.file) == ("mask-names", "labels/a.dcm")
    assert problem.reason.endswith(f"have the same name{said}")
