"""What a person chooses to leave out of a dataset: cases by name, slices by what the table says."""
