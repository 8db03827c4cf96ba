"""An installed chaosprep, tried in an empty folder with an empty home: `python smoke.py`.

It is run as a file, by the Python that has the package; nothing of a clone is on its path.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

WRITE = (
    "from pathlib import Path; from chaosprep.phantom import write_chaos; write_chaos(Path('root'))"
)
WHENCE = "import chaosprep; print(chaosprep.__file__)"
CHAOSPREP = [
    "-c",
    "import sys; sys.argv[0] = 'chaosprep'; from chaosprep.cli.entry import main; main()",
]
STEPS = [
    ["-c", WRITE],
    [*CHAOSPREP, "--version"],
    [*CHAOSPREP, "--help"],
    [*CHAOSPREP, "inspect", "root"],
    [*CHAOSPREP, "prepare", "root", "-o", "out", "--keep-16bit", "--copies", "2", "--report"],
    [*CHAOSPREP, "verify", "out/augmented"],
]


def run(step: list[str], place: Path, home: Path) -> str:
    """What a step prints; it must succeed and warn of nothing."""
    names = {"HOME": str(home), "USERPROFILE": str(home)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-W", "error", *step],
        cwd=place,
        env=kept | names,
        text=True,
        encoding="utf-8",
        capture_output=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{step} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    """Try every step, and the script that pip made."""
    with tempfile.TemporaryDirectory() as folder:
        place, home = Path(folder, "place"), Path(folder, "home")
        place.mkdir()
        home.mkdir()
        whence = Path(run(["-c", WHENCE], place, home).strip())
        if "site-packages" not in whence.parts:
            sys.exit(f"chaosprep is not installed: it comes from {whence.parent}")
        printed = [run(step, place, home) for step in STEPS][-1]
        script = shutil.which("chaosprep", path=sysconfig.get_path("scripts"))
        if script is None:
            sys.exit("there is no command chaosprep")
        subprocess.run([script, "--version"], cwd=place, check=True, stdout=subprocess.DEVNULL)
        sys.stdout.write(f"Python {sys.version.split()[0]}: {printed}")


if __name__ == "__main__":
    main()
