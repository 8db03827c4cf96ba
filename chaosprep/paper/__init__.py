"""Text for a paper and a data card: what was done to a dataset, by its manifest alone."""
