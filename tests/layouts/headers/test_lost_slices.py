"""Slices that were lost on the way: files that are no DICOM any more are said to be there."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread, dcmwrite

from chaosprep.errors import NothingFoundError
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.root import Root
from tests.layouts.headers.series import series
from tests.layouts.trees import write

WHO = {"PatientID": "A-17", "PatientName": "Doe^Jane", "PatientBirthDate": "19500102"}


def look(root: Path) -> Root:
    return find(root, LayoutParams())


@pytest.mark.parametrize("lost", [b"", bytes(400), b"<html>"], ids=["empty", "zeros", "a page"])
def test_a_file_called_as_the_slices_beside_it_that_is_no_dicom_is_a_problem(
    tmp_path: Path, lost: bytes
) -> None:
    some = series("a", 1, WHO, slices=4)
    (problem,) = look(
        write(tmp_path, {**some, "a/11": lost, "a/11.txt": lost, "b/1": lost})
    ).problems
    assert problem.code == "not-dicom"
    assert problem.reason.startswith(
        "1 file next to the series taken, named like the slices there,"
    )


def test_slices_without_the_beginning_of_a_file_are_a_problem(tmp_path: Path) -> None:
    some = series("a", 1, WHO, slices=4)
    (problem,) = look(write(tmp_path, {**some, "a/last": some["a/3"][132:]})).problems
    assert (problem.code, problem.reason[:13]) == ("dicom-damaged", "1 DICOM file ")


def without_meta(data: bytes, implicit: bool) -> bytes:
    slice_, stream = dcmread(BytesIO(data)), BytesIO()
    slice_.preamble = None
    del slice_.file_meta
    dcmwrite(stream, slice_, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    return stream.getvalue()


@pytest.mark.parametrize(
    "cut",
    [lambda one: one[132:], lambda one: without_meta(one, True), lambda o: without_meta(o, False)],
    ids=["from group 2", "implicit", "explicit"],
)
def test_a_tree_of_files_that_lack_their_beginning_says_so(
    tmp_path: Path, cut: Callable[[bytes], bytes]
) -> None:
    write(tmp_path, {path: cut(data) for path, data in series("a", 1, WHO).items()})
    with pytest.raises(NothingFoundError, match="3 files of DICOM elements that lack") as caught:
        look(tmp_path)
    assert "dcmconv" in caught.value.remedy
