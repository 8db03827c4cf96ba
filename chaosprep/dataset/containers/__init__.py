"""Containers: files that hold all images, or all masks, of one case."""
