"""Training: length buckets, optimizers, checkpoints, and the loop around Keras."""
