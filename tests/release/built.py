"""The package as it is published: built, looked into, and tried; needs build, twine and PyPI."""

import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

LINK = re.compile(r"\]\((?!https?://|#)([^)]+)\)")


def build(house: Path, folder: Path) -> list[str]:
    """Build the sdist, and from it the wheel, into an empty folder; what is wrong with them."""
    if folder.exists() and any(folder.iterdir()):
        return [f"{folder} is not empty: remove what is in it"]
    faults = _run("-m", "build", "--outdir", str(folder), str(house))
    if faults:
        return faults
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return [
        *_run("-m", "twine", "check", "--strict", str(sdist), str(wheel)),
        *sdist_faults(sdist, house),
        *wheel_faults(wheel, house),
        *try_it(wheel),
    ]


def _run(*words: str, python: str = sys.executable) -> list[str]:
    """Run Python; what it printed, where it failed."""
    done = subprocess.run([python, *words], text=True, capture_output=True, check=False)
    failed = f"{' '.join(words)} exited {done.returncode}: {done.stdout}{done.stderr}"
    return [failed] if done.returncode else []


def tracked(house: Path) -> set[str]:
    """Every file under version control."""
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=house, text=True, capture_output=True, check=True).stdout
    return set(filter(None, listed.split("\0")))


def sdist_faults(sdist: Path, house: Path) -> list[str]:
    """The sdist holds every file under version control, and nothing else."""
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    return _differences(sdist.name, held - {"PKG-INFO"}, tracked(house))


def wheel_faults(wheel: Path, house: Path) -> list[str]:
    """The wheel holds the package, and a description whose links lead somewhere from anywhere."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        text = str(message_from_bytes(archive.read(name)).get_payload())
    wanted = {name for name in tracked(house) if name.startswith("chaosprep/")}
    relative = [f"{wheel.name}: the link {one} is relative" for one in LINK.findall(text)]
    return _differences(wheel.name, held, wanted) + relative


def _differences(name: str, held: set[str], wanted: set[str]) -> list[str]:
    lacking = [f"{name}: {one} is missing" for one in sorted(wanted - held)]
    return lacking + [f"{name}: {one} does not belong" for one in sorted(held - wanted)]


def try_it(wheel: Path) -> list[str]:
    """Install the wheel into an environment of its own, and run every step of smoke.py there."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        places = (Path(folder, "bin/python"), Path(folder, "Scripts/python.exe"))
        python = str(next(place for place in places if place.exists()))
        installed = _run("-m", "pip", "install", "--quiet", str(wheel), python=python)
        return installed or _run(str(Path(__file__).with_name("smoke.py")), python=python)
