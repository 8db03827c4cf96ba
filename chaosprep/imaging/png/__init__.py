"""Grey PNG: filters, chunks, and the bytes, the same every time."""
