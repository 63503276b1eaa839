"""Figures to be believed: with their spread, their part, and floors beside them."""
