"""Which folder of a root holds a public data set."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaosprep.errors import ChaosprepError
from chaosprep.layouts.downloads import find_home, homes_in, takes_home
from chaosprep.layouts.layout import Where
from tests.layouts.named import labels, save, volume
from tests.layouts.published import amos, found


def fits(folder: Path) -> bool:
    return (folder / "mark").exists()


def marked(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mark").touch()
    return folder


@pytest.fixture
def unlisted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Makes a folder one that nobody may list."""
    scandir: Any = os.scandir

    def closed(folder: Path) -> None:
        def refuse(path: Path) -> object:
            if Path(path) == folder:
                raise PermissionError(13, "Permission denied", str(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)

    return closed


def test_the_root_goes_before_what_is_in_it(tmp_path: Path) -> None:
    marked(tmp_path / "inner")
    assert homes_in(marked(tmp_path), fits) == [tmp_path]


def test_folders_are_looked_into_two_deep(tmp_path: Path) -> None:
    deep = marked(tmp_path / "a/b")
    assert homes_in(tmp_path, fits) == [deep]
    assert homes_in(tmp_path.parent, lambda folder: folder == deep) == []


def test_no_link_and_no_folder_of_many_is_looked_into(tmp_path: Path) -> None:
    home = marked(tmp_path / "else")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(home)
    assert homes_in(root, fits) == []
    for number in range(17):
        marked(tmp_path / f"many/{number}")
    assert homes_in(tmp_path / "many", fits) == []


def test_a_folder_that_nobody_may_list_is_said_of_what_was_asked_for(
    tmp_path: Path, unlisted: Callable[[Path], None]
) -> None:
    (tmp_path / "shut").mkdir()
    unlisted(tmp_path / "shut")
    with pytest.raises(ChaosprepError) as caught:
        find_home(tmp_path, fits, "it", "a mark")
    assert caught.value.code == "folder-unreadable"


def test_a_folder_that_nobody_may_list_keeps_no_other_layout_from_the_root(
    tmp_path: Path, unlisted: Callable[[Path], None]
) -> None:
    (tmp_path / "shut").mkdir()
    unlisted(tmp_path / "shut")
    assert not takes_home(fits)(tmp_path, Where())


def test_files_of_others_in_a_download_are_passed_over(tmp_path: Path) -> None:
    folder = amos(tmp_path / "amos22", {"Tr": (1,)})
    save(tmp_path / "__MACOSX/imagesTr/amos_0001.nii.gz", volume(0))
    save(folder / "imagesTr/._amos_0001.nii.gz", volume(0))
    save(folder / "labelsTr/._amos_0001.nii.gz", labels(0))
    root = found(tmp_path, "amos", patient_from_name="{patient}")
    assert [case.images for case in root.cases] == [("imagesTr/amos_0001.nii.gz",)]
    assert root.problems == ()
