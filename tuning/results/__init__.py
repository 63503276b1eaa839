"""Pure functions on the outcomes of trials: ranking, noise, pruning, choice."""
