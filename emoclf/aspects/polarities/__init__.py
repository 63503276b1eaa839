"""The classifier of what is said of a term."""
