"""A search as text, pictures, CSV and TensorBoard."""
