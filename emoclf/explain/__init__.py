"""Explanations of predictions: shares of words and phrases in a class's logit."""
