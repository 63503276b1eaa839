"""Properties of the bundled corpus."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.sample import load_sample, sample_path
from emoclf.datasets.trainable import check_trainable

LABELS = ("anger", "disgust", "fear", "guilt", "joy", "sadness", "shame")
NAMED = re.compile(
    r"\b(ang(er|ry|rily)|disgust|fear|afraid|guilt|joy|happ(y|i)|sad|asham|shame)", re.I
)


@pytest.fixture(scope="module")
def sample() -> Dataset:
    return load_sample()


def test_there_are_at_least_200_of_each(sample: Dataset) -> None:
    check_trainable(sample)
    assert sample.label_names == LABELS
    assert min(sample.counts().values()) >= 200


@pytest.mark.slow
def test_no_two_sentences_are_alike(sample: Dataset) -> None:
    words = CountVectorizer(token_pattern=r"[\w']+", binary=True)
    occurrences = words.fit_transform(sample.texts)
    common = (occurrences @ occurrences.T).toarray()
    sizes = common.diagonal()
    alike = common > 0.5 * (sizes[:, None] + sizes - common)
    assert not np.argwhere(np.triu(alike, 1)).tolist()


def test_lengths_vary_from_5_to_60_words(sample: Dataset) -> None:
    lengths = np.array([len(text.split()) for text in sample.texts])
    assert lengths.min() >= 5
    assert lengths.max() <= 60
    assert (lengths < 10).mean() > 0.1
    assert (lengths > 25).mean() > 0.15


def test_at_most_one_in_ten_names_an_emotion(sample: Dataset) -> None:
    for label in LABELS:
        own = [
            t for t, x in zip(sample.texts, sample.labels, strict=True) if x == label
        ]
        named = sum(NAMED.search(text) is not None for text in own)
        assert named <= len(own) / 10, label


def test_openings_vary(sample: Dataset) -> None:
    openings = Counter(" ".join(text.lower().split()[:2]) for text in sample.texts)
    assert openings.most_common(1)[0][1] < 0.03 * len(sample)


def test_persons_and_tenses_vary(sample: Dataset) -> None:
    for person in ("i", "we", "he", "she", "they", "my"):
        pattern = re.compile(rf"\b{person}\b", re.I)
        assert sum(pattern.search(text) is not None for text in sample.texts) > 100
    for tense in (r"\bhas|have\b", r"\bis|am|are\b", r"\bwas|were\b", r"\bhad\b"):
        assert sum(bool(re.search(tense, text)) for text in sample.texts) > 50


def test_the_file_is_plain() -> None:
    data = sample_path().read_bytes()
    assert b"\r" not in data
    assert b"\t" not in data
