"""Metrics of predictions, with intervals, and comparisons with baselines."""
