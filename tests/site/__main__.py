"""Build the site: `python -m tests.site` writes build/site, or says which link leads nowhere."""

import subprocess
import sys

from tests.release.state import HOUSE
from tests.site.build import build


def main() -> int:
    """Build it; whatever is wrong was said by zensical."""
    try:
        site = build(HOUSE)
    except subprocess.CalledProcessError as error:
        return error.returncode
    print(f"Open {site.relative_to(HOUSE)}/index.html")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
