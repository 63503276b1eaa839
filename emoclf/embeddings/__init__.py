"""Word vectors: trained here or read from files, placed in an embedding matrix."""
