"""The unlabelled texts that are most like the training texts."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emoclf.distillation import nearest_texts as module
from emoclf.distillation.nearest_texts import NEAREST_FILE, nearest_blocks
from emoclf.settings import TextSettings

SETTINGS = TextSettings()
OWN = ["I", "was", "so", "happy", "sad", "when", "my", "friend", "came", "left", "home"]
FOREIGN = ["the", "film", "plot", "acting", "is", "of", "director", "scene", "cast"]


def sentences(words: list[str], foreign: list[str], count: int, seed: int) -> list[str]:
    """Return sentences of some words, a tenth of which are others."""
    rng = random.Random(seed)
    return [
        " ".join(
            rng.choice(words if rng.random() < 0.9 else foreign)
            for _ in range(rng.randint(6, 14))
        )
        for _ in range(count)
    ]


TRAIN = sentences(OWN, FOREIGN, 200, 0)
LIKE, UNLIKE = sentences(OWN, FOREIGN, 60, 1), sentences(FOREIGN, OWN, 3000, 2)
MIXED = random.Random(3).sample([*LIKE, *UNLIKE], len(LIKE) + len(UNLIKE))


@pytest.fixture(autouse=True)
def few_columns(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fit regressions of fewer words, which takes a tenth of the time."""
    if "slow" not in request.keywords:
        monkeypatch.setattr(module, "HASHED_WORDS", 1 << 14)


def chosen(folder: Path, texts: list[str], count: int) -> list[str]:
    blocks = (texts[i : i + 100] for i in range(0, len(texts), 100))
    found = nearest_blocks(folder, blocks, TRAIN, count, SETTINGS)
    return [text for block in found for text in block]


def test_the_texts_like_the_training_texts_are_chosen_in_their_order(
    tmp_path: Path,
) -> None:
    found = chosen(tmp_path, MIXED, len(LIKE))
    assert found == [text for text in MIXED if text in found]
    # Some sentences have more of the other words by chance.
    assert len(set(found) & set(LIKE)) > 0.9 * len(LIKE)
    # Where there are no more texts than are wanted, all are used.
    assert chosen(tmp_path, MIXED, len(MIXED)) == MIXED
    assert chosen(tmp_path, MIXED[:7], 10) == MIXED[:7]
    assert chosen(tmp_path, [], 10) == []


def test_words_that_no_sample_contains_make_a_text_less_like(tmp_path: Path) -> None:
    own = "when my friend came home"
    texts = [*UNLIKE[:500], f"{own} qualms quorum quince", own]
    assert chosen(tmp_path, texts, 1) == [own]


def test_equally_near_texts_are_taken_in_their_order(tmp_path: Path) -> None:
    backwards = " ".join(reversed(LIKE[0].split()))
    assert chosen(tmp_path, [*UNLIKE[:300], backwards, LIKE[0]], 1) == [backwards]
    assert chosen(tmp_path, [*UNLIKE[:300], LIKE[0], backwards], 1) == [LIKE[0]]


def test_a_choice_is_kept_on_disk_with_the_texts_that_it_is_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = chosen(tmp_path, MIXED, 50)
    counts = []

    def counted(*args: object) -> np.ndarray:
        counts.append(args)
        return np.arange(3)

    monkeypatch.setattr(module, "nearest_texts", counted)
    assert chosen(tmp_path, MIXED, 50) == expected
    assert not counts
    # Other texts, another number, a damaged file: it is made again.
    assert chosen(tmp_path, MIXED[:-1], 50) == MIXED[:3]
    assert chosen(tmp_path, MIXED, 49) == MIXED[:3]
    file = tmp_path / NEAREST_FILE
    file.write_bytes(file.read_bytes()[:-20])
    assert chosen(tmp_path, MIXED, 49) == MIXED[:3]
    assert len(counts) == 3


@pytest.mark.slow
def test_more_texts_than_memory_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAMPLE_TEXTS", 500)
    n_texts = 20_000

    def blocks() -> Iterator[list[str]]:
        # A hundred megabytes of text.
        for start in range(0, n_texts, 100):
            yield [f"{i} " + "plot" * 1250 for i in range(start, start + 100)]

    tracemalloc.start()
    try:
        found = nearest_blocks(tmp_path, blocks(), TRAIN, 10_000, SETTINGS)
        count = sum(map(len, found))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 10_000
    # Of it, two columns of the regression (8 MB each) and a few blocks (5 MB each).
    assert peak < 80e6
