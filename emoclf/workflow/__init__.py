"""From labelled data to an evaluated classifier: prepare, fit, evaluate, compare."""
