"""Attacks: what a hostile file, a kill, a full disk or another process could do to a run."""
