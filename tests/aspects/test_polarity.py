"""The polarity classifier."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from tiny_aspects import (
    OPINIONS,
    TERMS,
    fitted_polarity,
    fitted_tagger,
    tiny_aspects,
    tiny_polarity,
)

from emoclf.aspects.aspect_model import AspectModel
from emoclf.aspects.data.sentences import AspectData
from emoclf.aspects.polarities.polarity_baselines import (
    BASELINE_WINDOW,
    baseline_scores,
)
from emoclf.aspects.polarities.polarity_classifier import PolarityClassifier
from emoclf.aspects.polarities.polarity_folder import (
    polarity_from_values,
    polarity_values,
)
from emoclf.aspects.polarities.polarity_network import MAX_DISTANCE, TargetDistance
from emoclf.aspects.polarities.polarity_targets import (
    MARKERS,
    WINDOW,
    Target,
    labelled_targets,
    marked_windows,
)
from emoclf.aspects.polarities.sentiment_vectors import (
    covered_by_sentiment,
    sentiment_vectors,
)
from emoclf.errors import DataError
from emoclf.text.tokenizer import Tokenizer

TWO = "the screen is great, the bill is awful"


@pytest.fixture(scope="module")
def two_members() -> PolarityClassifier:
    """Return a classifier of two networks that the doctor has findings on."""
    classifier = tiny_polarity(learning_rate=5.0, epochs=1, members=2)
    return classifier.fit(*labelled_targets(tiny_aspects()))


def test_it_learns() -> None:
    classifier = fitted_polarity()
    X, y = labelled_targets(tiny_aspects())
    assert classifier.score(X, y) > 0.95
    targets = [(TWO, 4, 10), (TWO, 25, 29)]
    probabilities = classifier.predict_proba(targets)
    assert probabilities.shape == (2, 2)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    assert classifier.classes_.tolist() == ["negative", "positive"]
    assert set(classifier.predict(targets)) <= {"negative", "positive"}


def test_sentiment_vectors_are_for_english() -> None:
    vectors = sentiment_vectors()
    unit = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    good, great, bad = (unit[vectors.words.index(x)] for x in ("good", "great", "bad"))
    assert good @ great > 0.5 > good @ bad
    assert covered_by_sentiment(["the food was good"], True)
    assert not covered_by_sentiment(["das Essen war schmackhaft"], True)
    classifier = tiny_polarity(vectors="starter", settings={})
    settings, sets = classifier._settings_for(["the food was good"])
    assert len(sets) == 2
    assert settings.vectors[0] == "starter"
    assert settings.vectors[1].startswith("sentiment-en (SHA-256")
    without = tiny_polarity(vectors="starter", settings={"sentiment_vectors": False})
    assert without._settings_for(["the food was good"])[1] == ("starter",)


@pytest.mark.slow
def test_two_targets_of_one_text_get_different_polarities() -> None:
    X, y = [], []
    for one, other in permutations(TERMS[:4], 2):
        for good, bad in product(OPINIONS["positive"], OPINIONS["negative"]):
            for first, second, labels in (
                (good, bad, ("positive", "negative")),
                (bad, good, ("negative", "positive")),
            ):
                text = f"the {one} is {first}, the {other} is {second}"
                for term, label in zip((one, other), labels, strict=True):
                    start = text.index(term)
                    X.append((text, start, start + len(term)))
                    y.append(label)
    classifier = tiny_polarity(epochs=5).fit(X[:160], y[:160])
    assert classifier.score(X[160:], y[160:]) > 0.9


def test_baselines_are_reported() -> None:
    names = [
        "network",
        "majority class",
        f"TF-IDF + linear SVM, {BASELINE_WINDOW} tokens around",
    ]
    found = fitted_polarity().validation_
    assert list(found) == names
    assert found[names[2]]["accuracy"] > found[names[1]]["accuracy"]


def test_the_baseline_sees_a_window() -> None:
    far = " ".join(["word"] * (BASELINE_WINDOW + 1))
    train = [
        (Target(f"great {far} soup", len(far) + 7, len(far) + 11), "positive"),
        (Target(f"awful {far} soup", len(far) + 7, len(far) + 11), "negative"),
    ] * 5
    part = ([x for x, _ in train], [y for _, y in train])
    scores = baseline_scores(part, part, Tokenizer())
    assert [x["accuracy"] for x in scores.values()] == [0.5, 0.5]


def test_distances_to_the_target() -> None:
    ids = np.array([[9, 9, 2, 9, 3, 9, 9, 0]])
    found = np.array(TargetDistance()(ids))[0] - MAX_DISTANCE
    assert found[:7].tolist() == [-2, -1, 0, 0, 0, 1, 2]
    far = np.array([[2, 9, 3, *[9] * 40]])
    assert np.array(TargetDistance()(far)).max() == 2 * MAX_DISTANCE


def test_a_window_of_each_target_and_one_tokenization_of_each_text() -> None:
    class Counting(Tokenizer):
        calls = 0

        def tokens(self, text: str) -> list[str]:
            self.calls += 1
            return super().tokens(text)

    text = " ".join(f"word{i}" for i in range(400))
    starts = [text.index(f"word{i} ") for i in (0, 200, 398)]
    targets = [Target(text, start, start + 5) for start in starts]
    tokenizer = Counting()
    windows = list(marked_windows(targets, tokenizer))
    assert tokenizer.calls == 1
    assert [len(window) for window in windows] == [
        WINDOW + 3,
        2 * WINDOW + 3,
        WINDOW + 4,
    ]
    begin = windows[1].index(MARKERS[0])
    assert begin == WINDOW
    assert windows[1][begin - 1 : begin + 4] == [
        "word199", MARKERS[0], "word200", MARKERS[1], "word201",
    ]  # fmt: skip
    # A window is the whole input: farther words change nothing.
    classifier = fitted_polarity()
    far = " x" * (WINDOW + 1)
    start = len(far) + len("great ")
    texts = [f"{word}{far} screen{far} {word}" for word in ("great", "awful")]
    assert texts[0][start : start + 6] == "screen"
    found = classifier.predict_proba([(text, start, start + 6) for text in texts])
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


def test_terms_without_a_token_are_left_out_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    X, y = labelled_targets(tiny_aspects())
    empty = [("so \u200b good", 3, 4), ("so \0 good", 3, 4)]
    tiny_polarity().check([*X, *empty], [*y, "positive", "rare"])
    assert "2 of 82 terms contain no token" in caplog.text
    assert fitted_polarity().predict_proba(empty).shape == (2, 2)
    with pytest.raises(DataError, match="None of the 2 terms contains a token"):
        tiny_polarity().fit(empty, ["positive", "negative"])


def test_texts_do_not_reach_the_markers() -> None:
    tokens = Tokenizer().tokens(" ".join(MARKERS))
    assert not set(tokens) & set(MARKERS)


def test_conflict_is_left_out() -> None:
    data = AspectData.from_lists(
        ["soup and bread"], [[(0, 4, "conflict"), (9, 14, "positive")]]
    )
    assert labelled_targets(data) == ([Target("soup and bread", 9, 14)], ["positive"])


def test_padding_and_neighbours_change_nothing() -> None:
    classifier = fitted_polarity()
    long = TWO + " and so on" * 40
    alone = classifier.predict_proba([(TWO, 4, 10)])
    together = classifier.predict_proba([(TWO, 4, 10), (long, 4, 10)])
    np.testing.assert_allclose(alone[0], together[0], atol=1e-6)


@pytest.mark.slow
def test_members_are_averaged_and_saved(two_members: PolarityClassifier) -> None:
    X, _ = labelled_targets(tiny_aspects())
    classifier = two_members
    first, second = (
        replace(classifier.model_, networks=(x,)) for x in classifier.model_.networks
    )
    mean = (first.predict_proba(X) + second.predict_proba(X)) / 2
    np.testing.assert_allclose(classifier.predict_proba(X), mean, atol=1e-6)
    assert np.abs(first.predict_proba(X) - mean).max() > 1e-4
    again = polarity_from_values(polarity_values(classifier))
    np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))
    # Its probabilities are saturated.
    for one, other in zip(
        classifier.model_.networks, again.model_.networks, strict=True
    ):
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert len(again.history_) == 2


def test_findings_advise_settings_that_aspects_train_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, object] = {}

    def keep(*args: object, run_settings: dict[str, object], **others: object) -> None:
        given.update(run_settings)
        raise InterruptedError

    monkeypatch.setattr("emoclf.aspects.polarities.polarity_classifier.fit_model", keep)
    with pytest.raises(InterruptedError):
        tiny_polarity().fit(*labelled_targets(tiny_aspects()))
    assert given["learning_rate"] == 0.02
    assert {"class_weight", "monitor", "distance_dim"}.isdisjoint(given)


@pytest.mark.slow
def test_findings_are_kept_once_and_saved(
    two_members: PolarityClassifier, tmp_path: Path
) -> None:
    assert fitted_polarity().findings_ == ()
    classifier = two_members
    names = [finding.name for finding in classifier.findings_]
    assert "learning-rate-out-of-range" in names
    assert len({*names}) == len(names)
    path = AspectModel(fitted_tagger(), classifier).save(tmp_path / "a.aspects")
    assert AspectModel.load(path).polarity.findings_ == classifier.findings_


def test_it_is_an_estimator() -> None:
    classifier = fitted_polarity()
    assert clone(classifier).get_params() == classifier.get_params()
    again = pickle.loads(pickle.dumps(classifier))
    targets = [(TWO, 4, 10), (TWO, 25, 29)]
    expected = classifier.predict_proba(targets)
    np.testing.assert_array_equal(again.predict_proba(targets), expected)


def test_wrong_input_is_an_error() -> None:
    with pytest.raises(DataError, match=r"Target number 1 must be \(text, start, stop"):
        fitted_polarity().predict([(TWO, 4, 10), TWO])
    with pytest.raises(DataError, match="Target number 0: the span from 4 to 99 is no"):
        fitted_polarity().predict([(TWO, 4, 99)])
    with pytest.raises(DataError, match="a label for each target"):
        tiny_polarity().fit([(TWO, 4, 10)], [])
    with pytest.raises(DataError, match="too few for a training and a validation"):
        tiny_polarity().fit([(TWO, 4, 10)], ["positive"])
    with pytest.raises(DataError, match="at least two labels"):
        tiny_polarity().fit(
            [(TWO, 4, 10)], ["positive"], validation_data=([(TWO, 4, 10)], ["negative"])
        )
