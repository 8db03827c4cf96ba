"""One table of docs/training.md: python -m benchmarks.training DATA [--networks]."""

import sys

from benchmarks.training.command import main

if __name__ == "__main__":  # workers import this module too
    sys.exit(main())
