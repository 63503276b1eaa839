"""Search spaces: which settings are searched, and over which values."""
