"""Two predictions of the same cases, and whether they differ by more than chance."""
