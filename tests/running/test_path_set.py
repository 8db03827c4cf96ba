"""The paths of a table in eight bytes each."""

from pathlib import Path

import pytest

from chaosprep.dataset import store as store_module
from chaosprep.dataset.store import Store
from chaosprep.running.path_set import PathSet

PATHS = [f"train/images/P{number}_t1_s000.png" for number in range(1000)]


def test_it_knows_what_was_added_and_nothing_else() -> None:
    paths = PathSet()
    assert PATHS[0] not in paths
    for path in PATHS[::2]:
        paths.add(path)
    assert [path in paths for path in PATHS] == [True, False] * 500
    paths.add(PATHS[1])
    assert (PATHS[0] in paths, PATHS[1] in paths, PATHS[3] in paths) == (True, True, False)


def test_a_directory_is_pruned_by_it_some_names_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_AT_ONCE", 2)
    store, paths = Store(tmp_path), PathSet()
    for path in PATHS[:9]:
        store.write(path, b"x")
    for path in PATHS[3:5]:
        paths.add(path)
    store.prune(paths)
    assert sorted(store.strays(())) == PATHS[3:5]
