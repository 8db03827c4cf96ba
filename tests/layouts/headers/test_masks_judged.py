"""Whether a volume below the root holds labels: its voxels are read once, and in little memory."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from chaosprep.layouts.find import LayoutParams, survey
from chaosprep.layouts.headers import finding
from chaosprep.layouts.headers.mask_files import is_label_map
from chaosprep.quality.archive import inspect_archive
from tests.layouts.headers.scans import Scan, nibabel, write_nifti

ONE = Scan()
OBLIQUE = Scan(patient="B-2", orientation="oblique", origin=(5.0, -7.5, 31.0))


def test_the_values_of_a_volume_are_judged_plane_by_plane(tmp_path: Path) -> None:
    """A volume of 16 MiB that a few kB of gzip hold takes little more memory than it is large."""
    size = 256
    voxels = np.zeros((size, size, size), np.uint8)
    voxels[::2] = np.arange(size) // 8  # more values than any image has as few of
    file = tmp_path / "m.nii.gz"
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), file)
    tracemalloc.start()
    assert is_label_map(tmp_path, file.name)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4 * voxels.nbytes


def test_the_values_of_a_volume_are_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `inspect` too, which asks what there is and what would be taken."""
    ONE.write(tmp_path / "a")
    write_nifti(tmp_path / "on.nii.gz", ONE, ONE.labels(1, 2))
    write_nifti(tmp_path / "off.nii.gz", OBLIQUE, ONE.labels(1, 2))
    seen: list[str] = []

    def look(root: Path, path: str) -> bool:
        seen.append(path)
        return is_label_map(root, path)

    monkeypatch.setattr(finding, "is_label_map", look)
    surveyed = survey(tmp_path, LayoutParams())
    assert surveyed is not None
    (view,) = inspect_archive(surveyed).volumes
    assert view.refers == ("NIfTI",)
    assert sorted(seen) == ["off.nii.gz", "on.nii.gz"]
