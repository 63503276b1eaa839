"""The index finds exactly the pairs that a comparison of all pairs finds."""

from __future__ import annotations

import random

import pytest

from emoclf.datasets.duplicates import normalise, shingles
from emoclf.datasets.near_duplicate_index import NearDuplicateIndex


def texts_of(rng: random.Random, count: int) -> list[str]:
    # Few words, so that many pairs are near the threshold.
    return [
        " ".join(f"w{int(rng.expovariate(0.3))}" for _ in range(rng.randint(1, 12)))
        for _ in range(count)
    ]


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9])
def test_no_pair_is_missed_and_none_is_wrong(threshold: float) -> None:
    rng = random.Random(0)
    known, others = texts_of(rng, 150), texts_of(rng, 400)
    index = NearDuplicateIndex(known, threshold)

    def similar(a: str, b: str) -> bool:
        one, other = shingles(a), shingles(b)
        return len(one & other) / len(one | other) >= threshold - 1e-9

    found = [text in index for text in others]
    assert found == [any(similar(text, other) for other in known) for text in others]
    assert 0 < sum(found) < len(found)


def test_exact_duplicates_only() -> None:
    index = NearDuplicateIndex(["So  sad!", "非常好"], 1.0)
    assert "so sad!" in index
    assert "so sad" not in index
    assert "so sad" in NearDuplicateIndex(["So  sad!"], 0.9)


def test_texts_without_words() -> None:
    index = NearDuplicateIndex(["!!!", ""], 0.8)
    assert "!!!" in index
    assert normalise("  ") in index
    assert "???" not in index
    assert "!!!" not in NearDuplicateIndex([], 0.8)
