"""Words that only the vectors contain join the vocabulary (emoclf.workflow.prepare)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny import tiny_settings, tiny_split

from emoclf.embeddings.word_vectors import WordVectors, save_vectors
from emoclf.errors import SettingsError
from emoclf.workflow.prepare import prepare

SPLIT = tiny_split()


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    words = ["lovely", "dark", "insult", "adorable", "gloomy", "x--y"]
    rows = np.random.default_rng(0).normal(size=(len(words), 6)).astype(np.float32)
    return save_vectors(WordVectors(words, rows), tmp_path / "v.bin")


def test_they_join_the_vocabulary(vectors: Path) -> None:
    found = prepare(SPLIT.train, SPLIT.valid, tiny_settings(vectors=str(vectors)))
    assert {"adorable", "gloomy"} < set(found.encoder.vocabulary.tokens)
    # The tokenizer would never make it of a text.
    assert "x--y" not in found.encoder.vocabulary.tokens
    assert found.coverage is not None
    assert found.coverage.types_found == 3


def test_so_many_as_are_asked_for(vectors: Path) -> None:
    settings = tiny_settings(vectors=str(vectors), vector_words=4)
    tokens = prepare(SPLIT.train, SPLIT.valid, settings).encoder.vocabulary.tokens
    assert "adorable" in tokens
    assert "gloomy" not in tokens


def test_there_must_be_vectors() -> None:
    with pytest.raises(SettingsError, match="there are no vectors"):
        prepare(SPLIT.train, SPLIT.valid, tiny_settings(vector_words=4))
