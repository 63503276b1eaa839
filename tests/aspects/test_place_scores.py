"""The linear part of a polarity network."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from tiny_aspects import fitted_linear_polarity, tiny_aspects

from emoclf.aspects.polarities import place_scores
from emoclf.aspects.polarities.place_scores import (
    DECAY_TOKENS,
    N_PLACES,
    PLACE_SCORES,
    C,
    fit_place_scores,
    place_weights,
)
from emoclf.aspects.polarities.polarity_folder import (
    polarity_from_values,
    polarity_values,
)
from emoclf.aspects.polarities.polarity_network import (
    PolaritySettings,
    build_polarity,
)
from emoclf.aspects.polarities.polarity_targets import labelled_targets
from emoclf.training.batches import Examples

# Word, word, begin, target, target, end, word; padding. 1 is an unknown word.
IDS = [5, 1, 2, 6, 7, 3, 8]


def test_words_count_by_place_and_distance() -> None:
    offset = np.array([[-2, -1, 0, 0, 0, 0, 1, 2]])
    is_word = np.array([[1, 1, 0, 1, 1, 0, 1, 0]], bool)
    weights = np.array(place_weights(offset, is_word))[0]
    far, near = np.exp(-2 / DECAY_TOKENS), np.exp(-1 / DECAY_TOKENS)
    left, both = near + far, 2 * near + far
    expected = [
        [0, far / left, 0, far / both, 1 / 3],
        [0, near / left, 0, near / both, 1 / 3],
        [0, 0, 0, 0, 0],
        [1 / 2, 0, 0, 0, 0],
        [1 / 2, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 1, near / both, 1 / 3],
        [0, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    alone = np.array(place_weights(offset[:, 2:6], is_word[:, 2:6]))
    assert alone.sum(1).tolist() == [[1, 0, 0, 0, 0]]


def _untrained(share: float, matrix: np.ndarray) -> Any:
    settings = PolaritySettings(vectors="x", units=3, linear_share=share)
    return build_polarity(settings, 3, shape=matrix.shape, matrix=matrix)


def _examples(rng: np.random.Generator, n: int) -> Examples:
    rows = []
    for _ in range(n):
        left, target, right = (
            rng.integers(4, 30, rng.integers(low, 7)) for low in (0, 1, 0)
        )
        row = np.concatenate([left, [2], target, [3], right])
        rows.append(row.astype(np.int32))
    return Examples(rows, rng.integers(0, 3, n).astype(np.int32))


@pytest.mark.slow
def test_it_is_a_logistic_regression_of_mean_vectors() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(30, 6)).astype(np.float32)
    matrix[0] = 0
    train = _examples(rng, 90)
    network = _untrained(1.0, matrix)
    fit_place_scores([network], train, matrix, 1.0, seed=0)

    def features(row: np.ndarray) -> np.ndarray:
        begin, end = (int(np.flatnonzero(row == x)[0]) for x in (2, 3))
        sides = row[:begin], row[begin + 1 : end], row[end + 1 :]
        words = np.concatenate(sides)
        offset = np.concatenate(
            [np.arange(-begin, 0), [0] * len(sides[1]), 1 + np.arange(len(sides[2]))]
        )
        weights = np.array(place_weights(offset[None], np.ones((1, len(words)), bool)))
        return (weights[0].T @ matrix[words]).ravel()

    X = np.array([features(row) for row in train.token_ids])
    X = (X - X.mean(0)) / (X.std(0) * np.sqrt(X.shape[1]))
    model = LogisticRegression(C=C, max_iter=1000).fit(X, train.targets)
    longest = max(map(len, train.token_ids))
    padded = np.array([np.pad(x, (0, longest - len(x))) for x in train.token_ids])
    found = network.predict(padded, verbose=0)
    np.testing.assert_allclose(found, model.predict_proba(X), atol=2e-3)


def test_the_share_mixes_logits_of_every_network() -> None:
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(30, 6)).astype(np.float32)
    matrix[0] = 0
    train = _examples(rng, 40)
    networks = {share: _untrained(share, matrix) for share in (0.0, 0.25, 1.0)}
    for share in (0.25, 1.0):
        networks[share].get_layer("logits").set_weights(
            networks[0.0].get_layer("logits").get_weights()
        )
    assert PLACE_SCORES not in {layer.name for layer in networks[0.0].layers}
    ids = np.array([IDS])
    np.testing.assert_allclose(networks[0.25](ids), networks[0.0](ids), atol=1e-6)
    fit_place_scores([networks[0.25]], train, matrix, 0.25, seed=0)
    fit_place_scores([networks[1.0]], train, matrix, 1.0, seed=0)
    logits = {x: np.log(np.array(network(ids))[0]) for x, network in networks.items()}
    mixed = 0.75 * logits[0.0] + 0.25 * logits[1.0]
    difference = logits[0.25] - mixed
    np.testing.assert_allclose(difference, difference.mean(), atol=1e-4)
    assert np.abs(logits[0.25] - logits[0.0]).max() > 1e-3


def test_many_targets_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place_scores, "MAX_TARGETS", 25)
    seen = []

    def fit(features: np.ndarray, targets: np.ndarray, *_: object, **__: object) -> Any:
        seen.append((features.shape, len(targets)))
        return np.zeros((features.shape[1], 3)), np.zeros(3)

    monkeypatch.setattr(place_scores, "fit_classes", fit)
    matrix = np.ones((30, 6), np.float32)
    train = _examples(np.random.default_rng(2), 40)
    fit_place_scores([_untrained(0.5, matrix)], train, matrix, 0.5, seed=0)
    assert seen == [((25, N_PLACES * 6), 25)]


@pytest.mark.slow
def test_it_is_fitted_if_there_are_vectors_and_saved() -> None:
    X, y = labelled_targets(tiny_aspects())
    classifier = pickle.loads(pickle.dumps(fitted_linear_polarity()))
    assert classifier.model_.settings.linear_share == 0.5
    assert classifier.score(X, y) > 0.9
    values = polarity_values(classifier)
    again = polarity_from_values(values)
    np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))
    # Folders of older versions have neither the setting nor the weights.
    values["polarity_settings"] = "\n".join(
        line
        for line in values["polarity_settings"].splitlines()
        if not line.startswith("linear_share")
    )
    values["polarity_weights"] = {
        path: weight
        for path, weight in values["polarity_weights"].items()
        if PLACE_SCORES not in path
    }
    older = polarity_from_values(values)
    assert older.model_.settings.linear_share == 0
    (network,) = classifier.model_.networks
    layer = network.get_layer(PLACE_SCORES)
    layer.set_weights([np.zeros_like(x) for x in layer.get_weights()])
    layer.share.assign(1.0)
    expected = classifier.predict_proba(X)
    np.testing.assert_allclose(older.predict_proba(X), expected, atol=1e-6)


@pytest.mark.slow
def test_without_vectors_there_is_no_linear_part() -> None:
    from tiny_aspects import fitted_polarity

    assert fitted_polarity().model_.settings.linear_share == 0
