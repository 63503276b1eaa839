"""One trial: train on every fold or seed, report the progress, stop when told to."""
