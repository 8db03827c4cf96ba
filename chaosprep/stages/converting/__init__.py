"""The parts of `convert`: its parameters, what it reads, and what the values become."""
