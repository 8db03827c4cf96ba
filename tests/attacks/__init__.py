"""Attacks: what a hostile file, a kill or another process could do to a run."""
