"""The process that hands out trials, and the workers that run them."""
