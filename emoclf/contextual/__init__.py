"""Transformer encoders, and the word vectors that are distilled from them."""
