"""Comparing predicted masks with a reference: overlap, distances in mm, CHAOS scores."""
