"""Fitting: length buckets, the optimizer, checkpoints, and the loop around Keras."""
