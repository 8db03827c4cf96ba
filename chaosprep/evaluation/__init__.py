"""Comparing predicted masks with a reference: overlap, distances in mm, scores."""
