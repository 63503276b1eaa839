"""Answers to whole files: records stream in with their numbers, predictions out."""
