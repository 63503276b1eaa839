"""One trial: train on every fold, report, stop when told."""
