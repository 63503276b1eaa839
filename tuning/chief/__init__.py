"""The chief, which hands out trials, and the workers that run them."""
