"""Grey values of a whole volume: the body, a coil's field, and how several scans are made alike."""
