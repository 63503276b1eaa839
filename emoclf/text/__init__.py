"""From texts to token ids: one definition, run in Python and in TensorFlow graphs."""
