"""Rows and files: the manifest, the writer and the runner."""
