"""The threshold of each label has the best F1, and ties stay together."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score
from tiny import tiny_dataset, tiny_settings, tiny_trained

from emoclf import (
    Predictor,
    SettingsError,
    Split,
    export_classifier,
    load_exported,
    split_dataset,
    train_classifier,
)
from emoclf.datasets.dataset import Dataset
from emoclf.training.thresholds import choose_thresholds

RNG = np.random.default_rng(0)
TRUTH = (RNG.random((300, 4)) < [0.5, 0.2, 0.05, 0.3]).astype(int)
SCORES = np.clip(TRUTH * 0.35 + RNG.random((300, 4)) * 0.7, 0, 1)


def best_f1(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the F1 of one label at its best threshold."""
    return max(f1_score(truth, scores >= cut) for cut in np.unique(scores))


@pytest.mark.slow
def test_thresholds_are_near_the_best_and_vary_less() -> None:
    def drawn(seed: int, draws: int) -> np.ndarray:
        rows = np.random.default_rng(seed).integers(0, 300, 300)
        return choose_thresholds(SCORES[rows], TRUTH[rows], draws=draws)

    thresholds = choose_thresholds(SCORES, TRUTH)
    chosen_f1 = f1_score(TRUTH, thresholds <= SCORES, average="macro")
    best = np.mean(
        [best_f1(*columns) for columns in zip(SCORES.T, TRUTH.T, strict=True)]
    )
    assert chosen_f1 > best - 0.1
    assert chosen_f1 > f1_score(TRUTH, SCORES >= 0.5, average="macro")
    one = np.std([drawn(seed, 1) for seed in range(20)], axis=0)
    many = np.std([drawn(seed, 30) for seed in range(20)], axis=0)
    assert many.mean() < 0.8 * one.mean()


def test_equal_scores_are_taken_together() -> None:
    scores = np.array([[0.9], [0.4], [0.4], [0.4], [0.1]] * 5)
    truth = np.array([[1], [1], [0], [0], [0]] * 5)
    (threshold,) = choose_thresholds(scores, truth)
    assert 0.4 < threshold < 0.9


def test_a_label_with_few_texts_gets_the_median_threshold() -> None:
    truth = TRUTH.copy()
    truth[:, 1] = 0
    truth[:3, 1] = 1
    thresholds = choose_thresholds(SCORES, truth)
    assert thresholds[1] == np.median(thresholds[[0, 2, 3]])
    truth[:, 1] = 0
    assert choose_thresholds(SCORES[:2], truth[:2]).tolist() == [0.5] * 4


@pytest.mark.parametrize("precision", [0.5, 0.8, 0.95, 1.0])
def test_a_precision_is_kept_with_the_largest_recall(precision: float) -> None:
    thresholds = choose_thresholds(SCORES, TRUTH, min_precision=precision)
    for label, threshold in enumerate(thresholds):
        truth, scores = TRUTH[:, label], SCORES[:, label]
        chosen = scores >= threshold
        if chosen.any():
            assert truth[chosen].mean() >= precision
        for lower in np.unique(scores[scores < threshold]):
            assert truth[scores >= lower].mean() < precision


def test_a_precision_that_is_never_reached() -> None:
    scores = np.array([[1.0, 0.9], [0.5, 0.5], [0.2, 0.1]], np.float32)
    truth = np.array([[0, 1], [1, 0], [1, 0]])
    thresholds = choose_thresholds(scores, truth, min_precision=0.9)
    assert (scores >= thresholds).tolist() == [[False, True], [False] * 2, [False] * 2]


@pytest.mark.slow
def test_by_hand(tmp_path: Path) -> None:
    data = tiny_dataset()
    labels = [[x, "any"] if i % 2 else [x] for i, x in enumerate(data.labels)]
    several = Dataset.from_lists(data.texts, labels)
    given = {"joy": 0.25, "any": 1}
    trained = train_classifier(
        several, settings=tiny_settings(epochs=2), thresholds=given
    )
    names = trained.label_names
    chosen = dict(zip(names, trained.predictor.thresholds, strict=True))
    assert (chosen["joy"], chosen["any"]) == (0.25, 1)
    changed = trained.predictor.with_thresholds({"fear": 0})
    assert all("fear" in row for row in changed.predict(data.texts))
    assert dict(zip(names, changed.thresholds, strict=True)) == {**chosen, "fear": 0}
    assert dict(zip(names, trained.predictor.thresholds, strict=True)) == chosen
    changed.save(tmp_path / "m")
    loaded = Predictor.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.thresholds, changed.thresholds)
    for wrong in ({"joi": 0.3}, {"joy": 1.5}, {"joy": "high"}):
        with pytest.raises(SettingsError, match=r"Did you mean|of 0 to 1"):
            changed.with_thresholds(wrong)  # type: ignore[arg-type]
        with pytest.raises(SettingsError):
            train_classifier(several, settings=tiny_settings(), thresholds=wrong)
    with pytest.raises(SettingsError, match="is for multilabel texts"):
        train_classifier(data, settings=tiny_settings(), thresholds=given)
    with pytest.raises(SettingsError, match="multilabel classifiers"):
        tiny_trained().predictor.with_thresholds(given)


@pytest.mark.slow
def test_a_precision_that_is_kept_survives_saving_and_exporting(tmp_path: Path) -> None:
    data = tiny_dataset()
    labels = [[x, "rare"] if i % 10 == 3 else [x] for i, x in enumerate(data.labels)]
    several = Dataset.from_lists(data.texts, labels)
    train, valid, test = split_dataset(several, tiny_settings().data, seed=0)
    without = tuple(tuple(x for x in row if x != "rare") for row in valid.labels)
    split = Split(train, replace(valid, labels=without), test)
    trained = train_classifier(split, settings=tiny_settings(), min_precision=0.75)
    never = trained.label_names.index("rare")
    assert not split.valid.label_ids[:, never].any()
    assert trained.thresholds[never] > 1
    predicted = trained.predict_proba(split.valid.texts) >= trained.thresholds
    for column, truth in zip(predicted.T, split.valid.label_ids.T, strict=True):
        assert not column.any() or truth[column].mean() >= 0.75
    trained.predictor.save(tmp_path / "m")
    loaded = Predictor.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.thresholds, trained.thresholds)
    assert pickle.loads(pickle.dumps(loaded)).predict(["x"]) == loaded.predict(["x"])
    export_classifier(loaded, tmp_path / "e", to="folded")
    exported = load_exported(tmp_path / "e")
    assert exported.predict(data.texts) == loaded.predict(data.texts)
