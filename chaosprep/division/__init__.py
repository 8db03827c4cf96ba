"""Who goes to which side and fold: by rank, by what is known, balanced."""
