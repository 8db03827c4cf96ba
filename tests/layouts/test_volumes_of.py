"""Files of several volumes are told by the beginning of their headers."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from chaosprep.layouts.volumes_of import each_volume, frames_of_volumes
from chaosprep.series.source import SourceCase
from tests.formats.itk_volumes import nrrd
from tests.formats.volume_files import nifti, noise
from tests.layouts.trees import slice_at, write

FOUR = nifti(noise("i2", (5, 4, 3, 2)))


def case(root: Path, *images: str) -> SourceCase:
    return SourceCase(
        root=str(root),
        id="a_t1",
        patient="a",
        sequence="t1",
        pool="train",
        images=images,
        masks=None,
        rule="key",
    )


def test_volumes_are_counted_by_the_header_alone(tmp_path: Path) -> None:
    raw = gzip.decompress(nifti(noise("i2", (50, 40, 30, 7))))
    write(tmp_path, {"a.nii": raw[:400], "b.nii.gz": nifti(noise("i2", (50, 40, 30, 7)))[:40000]})
    assert len(frames_of_volumes(tmp_path / "a.nii")) == 7
    assert len(frames_of_volumes(tmp_path / "b.nii.gz")) == 7
    assert frames_of_volumes(tmp_path / "a.nii")[1] == tuple(range(30, 60))


def test_a_long_header_is_read_to_its_end(tmp_path: Path) -> None:
    lines = ["type: short", "dimension: 4", "sizes: 2 5 4 3", "kinds: list domain domain domain"]
    lines += ["spacings: nan 1 1 2", "endian: little", "encoding: raw"]
    lines += [f"key{at}:={'x' * 100}" for at in range(1000)]
    write(tmp_path, {"a.nrrd": nrrd(lines, bytes(240))})
    assert len(frames_of_volumes(tmp_path / "a.nrrd")) == 2


@pytest.mark.parametrize("name", ["a.nii.gz", "a.dcm", "a.png", "none.nii", "a.nrrd", "a.mha"])
def test_what_cannot_tell_has_none(tmp_path: Path, name: str) -> None:
    files = {"a.nii.gz": FOUR[:50], "a.dcm": slice_at(0), "a.png": FOUR}
    write(tmp_path, files | {"a.nrrd": b"NRRD0004\n", "a.mha": b"NDims = 3\n"})
    assert frames_of_volumes(tmp_path / name) == ()


def test_a_case_of_one_file_of_several_is_one_for_each(tmp_path: Path) -> None:
    write(tmp_path, {"a.nii.gz": FOUR, "b.nii.gz": nifti(np.zeros((5, 4, 3), np.int16))})
    one, two = each_volume(case(tmp_path, "a.nii.gz"))
    assert [(one.id, one.sequence), (two.id, two.sequence)] == [
        ("a_t1-1", "t1-1"),
        ("a_t1-2", "t1-2"),
    ]
    assert (one.frames, two.frames) == ({"a.nii.gz": (0, 1, 2)}, {"a.nii.gz": (3, 4, 5)})
    for alone in (case(tmp_path, "b.nii.gz"), case(tmp_path, "a.nii.gz", "b.nii.gz")):
        assert each_volume(alone) == (alone,)


def test_a_link_out_of_the_root_is_not_opened(tmp_path: Path) -> None:
    write(tmp_path, {"outside/a.nii.gz": FOUR, "root/b.nii.gz": FOUR})
    (tmp_path / "root/a.nii.gz").symlink_to(tmp_path / "outside/a.nii.gz")
    (tmp_path / "root/c.nii.gz").symlink_to(tmp_path / "root/b.nii.gz")
    assert len(each_volume(case(tmp_path / "root", "a.nii.gz"))) == 1
    assert len(each_volume(case(tmp_path / "root", "c.nii.gz"))) == 2
