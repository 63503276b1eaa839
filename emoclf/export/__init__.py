"""Classifiers in other forms, each checked against the predictor before it counts."""
