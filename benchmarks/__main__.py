"""Ours beside others, in one run: python -m benchmarks [SECTION ...] [--write PAGE]."""

from benchmarks.command import main

if __name__ == "__main__":
    main()
