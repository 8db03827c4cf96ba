"""The sessions on choosing and inspecting in docs/headers.md print what the page says."""

import re
from pathlib import Path

import pytest

from chaosprep.layouts.find import LayoutParams
from chaosprep.layouts.headers.criteria import OWN
from tests.archive.patients import write_archive
from tests.documents import HOME, blocks, replayed

PAGE = (HOME / "docs/headers.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """A section of the page, with its heading."""
    (found,) = re.findall(rf"^## {title}\n.*?(?=^## |\Z)", PAGE, flags=re.M | re.S)
    return str(found)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which the commands find an archive, a key and a file of sequences."""
    made = tmp_path_factory.mktemp("page")
    write_archive(made / "export", 11)
    (made / "key").write_bytes(b"an example's key")
    (made / "key").chmod(0o600)
    (toml,) = blocks(section("Choosing"), "toml")
    (made / "series.toml").write_text(toml)
    return made


@pytest.mark.parametrize("title", ["What inspect shows", "Choosing"])
def test_the_sessions_print_what_the_page_says(place: Path, title: str) -> None:
    sessions = replayed(section(title), place)
    assert len(sessions) == 2
    for expected, printed in sessions:
        assert printed == expected


def test_the_page_names_every_key_and_option() -> None:
    text = section("Choosing")
    for key in OWN:
        assert f"`{key}`" in text
    for name in ("select", "series", "pick"):
        assert name in LayoutParams.__struct_fields__
        assert f"--{name}" in text
