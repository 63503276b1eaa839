"""Aspect terms: what a review speaks of, and what it says of each."""
