"""Reports of a search: text, live progress, plots, CSV and TensorBoard."""
