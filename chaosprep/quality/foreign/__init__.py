"""Data of anybody, laid out in any way: what can be said of it by its files alone."""
