"""Whether the project can be released: its files, its package, its image, its licences."""
