"""The way back: slices, or predictions on them, as volumes in the patient."""
