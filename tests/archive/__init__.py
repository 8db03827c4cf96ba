"""A phantom archive: what a hospital's scanners sent, as small files in no order."""
