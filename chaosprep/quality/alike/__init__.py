"""What is in a dataset twice: equal and similar slices, and the cases that they make up."""
