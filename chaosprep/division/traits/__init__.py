"""What patients have that sides are to have alike: read from masks, headers and tables."""
