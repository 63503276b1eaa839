"""Hyperparameter search with keras-tuner; installed as ``emoclf.tuning``."""
