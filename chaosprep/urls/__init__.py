"""Places behind URLs: how they are named, and how their objects are read and written."""
