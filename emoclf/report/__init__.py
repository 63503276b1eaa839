"""One self-contained HTML page about a result: numbers, plots, mistakes and texts."""
