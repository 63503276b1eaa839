"""From texts to token ids, equally in Python and in TensorFlow graphs."""
