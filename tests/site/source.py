"""The pages that the site is made of: those of docs, some beside it, and one made from the code.

Links lead where they lead in the repository: to the page where the site has it, else to the file at
the address of the source.
"""

import posixpath
import re
import shutil
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from tests.release.state import HOUSE, source
from tests.site.commands import commands_page
from tests.site.links import rewritten

# Pages that lie outside docs, and what the site calls them. README.md would be a folder's index.
BESIDE = {
    "README.md": "overview.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
MADE = {"commands.md": commands_page}
SETTINGS = HOUSE / "zensical.toml"


def write_source(folder: Path) -> None:
    """Make `folder` anew, with every page and picture of the site."""
    shutil.rmtree(folder, ignore_errors=True)
    for file in sorted((HOUSE / "docs").rglob("*")):
        place = folder / file.relative_to(HOUSE / "docs")
        if file.suffix == ".md":
            _write_page(file.relative_to(HOUSE).as_posix(), place, folder)
        elif file.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
    for name, called in BESIDE.items():
        _write_page(name, folder / called, folder)
    for name, page in MADE.items():
        (folder / name).write_text(page(), encoding="utf-8")


def _write_page(name: str, place: Path, folder: Path) -> None:
    here = posixpath.dirname(place.relative_to(folder).as_posix())
    text = (HOUSE / name).read_text(encoding="utf-8")
    text = rewritten(text, lambda target: _led(target, posixpath.dirname(name), here))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(_spaced(text), encoding="utf-8")


def _led(target: str, there: str, here: str) -> str:
    """A target of a page in the folder `there` of the repository, from `here` of the site."""
    path, hash_, anchor = target.partition("#")
    if urlsplit(target).scheme or not path:
        return target
    file = posixpath.normpath(posixpath.join(there, path))
    if file in BESIDE:
        file = f"docs/{BESIDE[file]}"
    if not file.startswith("docs/"):
        return f"{source(HOUSE)}/blob/main/{file}{hash_}{anchor}"
    return posixpath.relpath(file.removeprefix("docs/"), here or ".") + hash_ + anchor


def _spaced(text: str) -> str:
    """A page with an empty line before each list, without which it would be part of a paragraph."""
    return re.sub(r"(?m)^((?![-\s|#>]|\d+\. ).+\n)(?=- )", r"\1\n", text)


def settings() -> dict[str, object]:
    """What zensical.toml says of the project."""
    project: dict[str, object] = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))["project"]
    return project


def nav_pages(entry: object) -> list[str]:
    """The pages of the navigation, or of a part of it, in their order."""
    if isinstance(entry, str):
        return [entry]
    below = entry.values() if isinstance(entry, dict) else entry
    assert not isinstance(below, str)
    return [page for one in below for page in nav_pages(one)]  # type: ignore[attr-defined]
