"""Splits as files: one module for each form, and a line in the table."""
