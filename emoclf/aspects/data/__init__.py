"""Sentences with marked terms: their files, splits and tags."""
