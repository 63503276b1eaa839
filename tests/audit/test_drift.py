"""A drift is told where texts differ, and not where they are the same.

Tests of emoclf.audit.drift and emoclf.audit.text_counts.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tiny import tiny_settings

from emoclf import Dataset, Drift, Predictor, check_drift, train_classifier
from emoclf.audit.drift import jensen_shannon
from emoclf.audit.text_counts import TextCounts
from emoclf.errors import BundleError, DataError

pytestmark = pytest.mark.slow

WORDS = {
    "anger": "furious insulted unfair shouted annoyed rude".split(),
    "joy": "lovely won smiling gift laughing happy".split(),
}
FILLING = [f"filling{number}" for number in range(300)]


def texts_of(n: int, seed: int, *, joy: float = 0.5) -> tuple[list[str], list[str]]:
    """Return texts of which some words occur in no other one."""
    rng = random.Random(seed)
    labels = ["joy" if rng.random() < joy else "anger" for _ in range(n)]
    texts = [
        " ".join(
            (
                rng.choice(WORDS[label]),
                f"rare{rng.randrange(10**6)}",
                *rng.choices(FILLING, k=rng.randrange(4, 12)),
            )
        )
        for label in labels
    ]
    return texts, labels


@cache
def model() -> Predictor:
    texts, labels = texts_of(900, seed=1)
    data = Dataset.from_lists(texts, labels)
    settings = tiny_settings(epochs=4, batch_size=32)
    split = {"valid_fraction": 0.4, "test_fraction": 0.1}
    return train_classifier(data, settings=settings.override(**split)).predictor


@pytest.mark.parametrize("n", [1, 10, 100, 1000])
def test_equal_texts_give_no_alarm(n: int) -> None:
    for seed in range(100, 106):
        drift = check_drift(model(), texts_of(n, seed)[0])
        assert not drift.has_drifted, drift.lines()
        assert drift.n_texts == n


def drifted(texts: list[str]) -> set[str]:
    drift = check_drift(model(), texts)
    return {measure.name for measure in drift.measures if measure.has_drifted}


def test_other_texts_give_an_alarm() -> None:
    assert "predicted_labels" in drifted(texts_of(400, 7, joy=0.9)[0])
    long = [" ".join([text] * 3) for text in texts_of(400, 7)[0]]
    assert "length" in drifted(long)
    strange = [text.replace("filling", "other") for text in texts_of(400, 7)[0]]
    assert drifted(strange) >= {"unknown_words"}
    assert drifted(["nothing of this"] * 50) >= {"unknown_words", "no_known_word"}


def test_a_generator_a_frame_and_no_texts() -> None:
    texts, _ = texts_of(50, 3)
    assert check_drift(model(), iter(texts)).to_dict() == (
        check_drift(model(), texts).to_dict()
    )
    frame = Dataset.from_lists(texts, ["x", "y"] * 25).to_frame()
    assert check_drift(model(), frame[["text"]]).n_texts == 50
    with pytest.raises(DataError, match="no texts to compare"):
        check_drift(model(), [])


def test_lines_table_and_json() -> None:
    drift = check_drift(model(), texts_of(400, 7, joy=0.95)[0])
    assert isinstance(drift, Drift)
    assert "The new texts differ from the training texts" in "\n".join(drift.lines())
    assert max(map(len, drift.lines())) <= 80
    assert drift.to_frame().loc["predicted_labels", "has_drifted"]
    values = json.loads(json.dumps(drift.to_dict()))
    assert values["has_drifted"]
    assert len(values["measures"]) == 5


def test_the_bundle_keeps_counts_and_no_texts(tmp_path: Path) -> None:
    path = model().save(tmp_path / "a.emoclf")
    reference = Predictor.load(path).bundle.metrics["reference"]
    assert reference["texts"] == sum(reference["lengths"]) == 360
    assert sum(reference["confidence"]) == sum(reference["labels"]) == 360
    assert "rare" not in json.dumps(reference)
    texts, _ = texts_of(30, 5)
    assert check_drift(Predictor.load(path), texts).n_texts == 30


def test_classifiers_without_counts_and_damaged_ones() -> None:
    bundle = model().bundle
    metrics = {key: x for key, x in bundle.metrics.items() if key != "reference"}
    with pytest.raises(BundleError, match=r"contains no counts .* Train it again"):
        check_drift(replace(bundle, metrics=metrics), ["a"])
    for key, value in (("texts", "many"), ("lengths", [1]), ("labels", [-1, 1, 1])):
        damaged = {**bundle.metrics["reference"], key: value}
        with pytest.raises(BundleError, match="damaged: reference"):
            check_drift(replace(bundle, metrics={"reference": damaged}), ["a"])


def test_counts_of_several_labels() -> None:
    probabilities = np.array([[0.9, 0.8], [0.1, 0.6], [0.2, 0.3]])
    ids = [np.array([1, 2]), np.array([], int), np.array([1, 1])]
    counts = TextCounts.count(ids, probabilities, np.array([0.5, 0.5]))
    assert counts.labels == (1, 2, 1)
    assert counts.unknown[-1] == 2
    assert (counts + counts).tokens == 8


def test_distances() -> None:
    one, other = np.array([50, 50]), np.array([60, 40])
    # 1 - H-based value, computed by hand from the definition.
    assert jensen_shannon(one, other) == pytest.approx(0.0852, abs=1e-3)
    assert jensen_shannon(one, other) == jensen_shannon(other, one)
