"""Build the site: `python -m tests.site` writes build/site, strictly: no link may be broken."""

import subprocess
import sys

from tests.release.state import HOUSE
from tests.site.source import write_source


def main() -> int:
    """Write the pages, and let zensical make HTML of them."""
    write_source(HOUSE / "build/site-source")
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    return subprocess.run(command, cwd=HOUSE, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
