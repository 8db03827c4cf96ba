"""The files that a layout found, on their way to slices: paired by rule, read, put in order."""
