"""Keras functional models: one file for each architecture, and one head for all."""

from emoclf.models.registry import ARCHITECTURES

__all__ = ["ARCHITECTURES"]
