"""How the world stores data: a tree of files becomes cases."""
