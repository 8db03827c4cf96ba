"""Files that say what the values of masks stand for: one file for each kind."""
