"""How one file is read: images, and masks with the names of their labels."""
