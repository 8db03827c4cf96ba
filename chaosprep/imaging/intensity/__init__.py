"""Grey values of a whole volume: where the body is, and what a coil's field did to them."""
