"""Distillation: a small classifier learns from the answers of a larger one."""
