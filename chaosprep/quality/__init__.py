"""Judging data: what is there, and whether it can be trusted."""
