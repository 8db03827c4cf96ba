"""The site, built once for all tests that look at it."""

from pathlib import Path

import pytest

from tests.site.build import build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the site in build/site."""
    pytest.importorskip("zensical")
    place = tmp_path_factory.mktemp("built")
    build(place)
    return place


@pytest.fixture(scope="session")
def site(built: Path) -> Path:
    """The HTML of the site."""
    return built / "build/site"
