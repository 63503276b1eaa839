"""Classify the polarity of a term."""
