"""Small trees as the downloads of docs/recipes/ leave them, made of phantoms."""
