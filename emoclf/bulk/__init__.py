"""Predictions for whole files of any size, in constant memory."""
