"""Number of texts that several parts of a split contain."""

from emoclf.datasets.duplicates import group_parts
from emoclf.datasets.split import Split, leaking_texts


def count_leaks(split: Split) -> dict[tuple[str, str], int]:
    """Count the texts of a later part that have a near-duplicate in an earlier one."""
    parts = split.parts()
    groups = group_parts([*parts.values()], 0.8)
    leaks = leaking_texts(dict(zip(parts, groups, strict=True)))
    return {pair: len(positions) for pair, positions in leaks.items()}
