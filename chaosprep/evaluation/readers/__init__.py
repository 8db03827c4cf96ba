"""Readers of the same cases: how far they agree, and their consensus."""
