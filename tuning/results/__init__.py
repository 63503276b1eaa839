"""Pure functions on the results of trials: ranking, noise, choice, pruning."""
