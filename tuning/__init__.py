"""Hyper-parameter search with keras-tuner; installed as ``emoclf.tuning``."""
