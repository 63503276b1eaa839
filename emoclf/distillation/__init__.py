"""Distillation: a small classifier learns from the predictions of a larger one."""
