"""Pixels: reading, ordering, windowing and organs."""
