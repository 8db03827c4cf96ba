"""Folders and files behind a URL: a working copy of each on this machine, and the way back."""
