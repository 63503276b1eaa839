"""Aspect terms of reviews, and the polarity of each."""
