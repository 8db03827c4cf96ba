"""What grey values are worth: where the body is, and how values of several scans are made alike."""
