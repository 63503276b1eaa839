"""Baselines that learn, and baselines that cannot."""

import os
from pathlib import Path

import numpy as np
import pytest

from emoclf.datasets.readers import read_dataset
from emoclf.evaluation.baselines import fit_baselines, majority_baseline, tfidf_baseline
from emoclf.text.tokenizer import Tokenizer

DATA = os.environ.get("EMOCLF_DATA")
WORDS = [["furious", "unfair"], ["gift", "lovely"], ["dark", "alone"]]


def small_set(n, seed):
    rng = np.random.default_rng(seed)
    ids = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    rest = ["it", "was", "so", "very", "then"]
    return [[*rng.choice(rest, 3), rng.choice(WORDS[i])] for i in ids], ids


def test_the_svm_beats_the_majority_where_words_tell():
    texts, ids = small_set(120, 0)
    unseen, truth = small_set(60, 1)
    right = {
        name: (predict(unseen) == truth).mean()
        for name, predict in fit_baselines(texts, ids).items()
    }
    assert list(right) == ["majority class", "TF-IDF + linear SVM"]
    assert right["majority class"] == (truth == 0).mean()
    assert right["TF-IDF + linear SVM"] > 0.95


def test_pairs_of_words_count():
    texts = [["not", "good"], ["good", "not"]] * 6
    ids = np.array([0, 1] * 6)
    assert tfidf_baseline(texts, ids)(texts[:2]).tolist() == [0, 1]


def test_tokens_need_no_spaces_between_them():
    tokenizer = Tokenizer("characters")
    baseline = tfidf_baseline(
        tokenizer.batch(["很好吃", "太难吃"] * 4), np.array([1, 0] * 4)
    )
    assert baseline(tokenizer.batch(["真好", "好难"])).tolist() == [1, 0]


def test_two_baselines_of_the_same_texts_are_equal():
    texts, ids = small_set(60, 0)
    unseen, _ = small_set(30, 2)
    first, again = (tfidf_baseline(texts, ids)(unseen) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize(
    ("targets", "answer"),
    [
        ([2, 1, 2], 2),
        ([[1, 0], [1, 1], [1, 0]], [1, 0]),
        ([[0, 1], [0, 0], [0, 0]], [0, 1]),
    ],
)
def test_majority(targets, answer):
    found = majority_baseline(np.array(targets))([["a"], []])
    assert found.tolist() == [answer, answer]


@pytest.mark.parametrize(
    "targets",
    [
        [[1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 1, 0]],
        [[0], [1], [0], [1]],
    ],
    ids=["on every text, on some, on none", "one label"],
)
def test_multilabel(targets):
    texts = [["rain"], ["sun"], ["rain", "cold"], ["sun", "warm"]]
    hot = np.array(targets, dtype=np.float32)
    np.testing.assert_array_equal(tfidf_baseline(texts, hot)(texts), hot)


@pytest.mark.parametrize(
    ("texts", "targets"),
    [([["a"], ["b"]], [1, 1]), ([[], []], [1, 1]), ([[], [], []], [0, 1, 1])],
    ids=["one class", "one class, no tokens", "no tokens"],
)
def test_where_nothing_can_be_fitted_the_majority_answers(texts, targets):
    baseline = tfidf_baseline(texts, np.array(targets))
    assert baseline([["a"], []]).tolist() == [1, 1]


def test_an_empty_text_gets_an_answer():
    texts, ids = small_set(30, 0)
    assert tfidf_baseline(texts, ids)([[]]).shape == (1,)


@pytest.mark.data
@pytest.mark.skipif(not DATA, reason="EMOCLF_DATA is not set")
@pytest.mark.parametrize(("name", "published"), [("isear", 0.587), ("mr", 0.774)])
def test_the_baseline_is_as_good_as_published(name, published):
    train = read_dataset(Path(DATA) / name / "train.csv")
    valid = read_dataset(Path(DATA) / name / "valid.csv", label_names=train.label_names)
    tokenizer = Tokenizer()
    baseline = tfidf_baseline(tokenizer.batch(train.texts), train.label_ids)
    right = baseline(tokenizer.batch(valid.texts)) == valid.label_ids
    assert right.mean() >= published - 0.005
