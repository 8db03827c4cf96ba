"""Cases that stand out from the others of their dataset, and why, in words."""
