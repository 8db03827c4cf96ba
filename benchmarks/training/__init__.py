"""What preparation and network are worth in training: `python -m benchmarks.training DATA`."""
