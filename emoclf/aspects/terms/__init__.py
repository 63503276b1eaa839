"""The tagger that finds terms in texts."""
