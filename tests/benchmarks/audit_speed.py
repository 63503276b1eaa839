"""Seconds of an audit, and of grouping alone, for short sentences of IMDb reviews.

EMOCLF_DATA=… python tests/benchmarks/audit_speed.py [--texts 100000]
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import re
import resource
import time
from pathlib import Path

from emoclf import Dataset, audit_dataset
from emoclf.datasets.duplicates import group_duplicates


def sentences(n: int) -> list[str]:
    """Return sentences of unlabelled reviews."""
    path = Path(os.environ["EMOCLF_DATA"]) / "imdb" / "imdb_unsup.txt.gz"
    texts: list[str] = []
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            parts = re.split(r"(?<=[.!?])\s+", line.replace("<br />", " "))
            texts += [part.strip() for part in parts if 20 < len(part) < 300]
            if len(texts) >= n:
                break
    random.Random(0).shuffle(texts)
    return texts[:n]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000)
    texts = sentences(parser.parse_args().texts)
    data = Dataset.from_lists(texts, ["even", "odd"] * (len(texts) // 2))
    start = time.perf_counter()
    group_duplicates(texts)
    grouped = time.perf_counter()
    cut = len(texts) * 4 // 5
    train, test = data[:cut], data[cut:]
    begun = time.perf_counter()
    audit = audit_dataset(train, test=test)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(texts):,} texts: grouped in {grouped - start:.1f} s, audited in "
        f"{seconds:.1f} s, at most {peak:,.0f} MB; findings: "
        f"{', '.join(one.name for one in audit.findings)}"
    )
