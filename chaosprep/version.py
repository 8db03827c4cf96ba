"""The release, apart from everything that wants to know it."""

__version__ = "0.1.0"
