"""Aspect models in other formats, written, checked and read."""
