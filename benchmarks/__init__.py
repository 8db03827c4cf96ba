"""How fast, and in how much memory, beside other ways of the same work."""
