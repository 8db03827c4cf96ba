"""What came, went or changed between two directories, in counts and by name."""
