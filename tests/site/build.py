"""From pages to HTML that asks nothing of the network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.site.source import SETTINGS, write_source

# What zensical has pages fetch for their search, where they are opened as files; ours instead.
ELSEWHERE = "https://unpkg.com/iframe-worker/shim"
OWN = Path(__file__).with_name("own")
WORKER = "worker.js"


def build(place: Path) -> Path:
    """Build the site in `place`/build/site, strictly, and say where it is.

    Raises:
        subprocess.CalledProcessError: a link leads nowhere, or the settings are wrong.
    """
    source = place / "build/site-source"
    write_source(source)
    for file in OWN.iterdir():
        shutil.copy(file, source)
    if place != SETTINGS.parent:
        shutil.copy(SETTINGS, place)
    html(place)
    return place / "build/site"


def html(place: Path) -> None:
    """HTML of the pages that stand in `place`/build/site-source."""
    site = place / "build/site"
    shutil.rmtree(site, ignore_errors=True)
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    subprocess.run(command, cwd=place, check=True)
    for page in site.rglob("*.html"):
        ours = Path(os.path.relpath(site / WORKER, page.parent)).as_posix()
        page.write_text(page.read_text(encoding="utf-8").replace(ELSEWHERE, ours), encoding="utf-8")
