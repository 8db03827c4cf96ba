"""Whether the project can be released: `python -m tests.release [--tag TAG] [--build FOLDER]`."""

import argparse
import sys
from pathlib import Path

from tests.release import licences
from tests.release.built import build
from tests.release.state import ALWAYS, AT_RELEASE, HOUSE, tagged


def main() -> int:
    """Print each check with what is wrong; 1 where anything is."""
    parser = argparse.ArgumentParser(prog="python -m tests.release", description=__doc__)
    parser.add_argument("--tag", help="the tag of the release: checks what must hold then, too")
    parser.add_argument("--build", type=Path, metavar="FOLDER", help="build and try the package")
    options = parser.parse_args()
    checks = dict(ALWAYS)
    checks["licences"] = licences.check
    if options.tag:
        checks |= AT_RELEASE | {"the tag": tagged(options.tag)}
    if options.build:
        checks["the package"] = lambda house: build(house, options.build)
    failed = 0
    for title, check in checks.items():
        faults = check(HOUSE)
        failed += bool(faults)
        sys.stdout.write(f"{title}: {'wrong' if faults else 'good'}\n")
        sys.stdout.writelines(f"  {fault}\n" for fault in faults)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
