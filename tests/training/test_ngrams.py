"""The linear part of a TextCNN: fitted, mixed, saved, exported.

Modules: ``emoclf.training.ngrams``, ``emoclf.models.ngram_scores`` and
``emoclf.folded.ngram_sums``.
"""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from tiny import tiny_dataset, tiny_settings, tiny_split

from emoclf import Predictor, export_classifier, load_exported, train_classifier
from emoclf.datasets.dataset import Dataset
from emoclf.errors import BundleError
from emoclf.models.build import build_model
from emoclf.models.heads import logits_twin
from emoclf.models.ngram_scores import BUCKETS, NGRAMS
from emoclf.settings import RunSettings
from emoclf.training import ngrams
from emoclf.training.batches import Examples
from emoclf.training.ngrams import C, fit_ngram_scores
from emoclf.workflow.automatic_settings import resolve
from emoclf.workflow.trained_classifier import TrainedClassifier

pytestmark = pytest.mark.slow
TEXTS = ["", "lovely", "it was dark at home", "an insult, an insult!", "lovely " * 40]
SPLIT = tiny_split()


@cache
def trained(multilabel: bool = False) -> TrainedClassifier:
    data = tiny_dataset()
    if multilabel:
        labels = [[x, "any"] if i % 2 else [x] for i, x in enumerate(data.labels)]
        data = Dataset.from_lists(data.texts, labels)
    return train_classifier(
        data, settings=tiny_settings(ngrams=True, epochs=4, calibrate=False)
    )


def test_logits_are_a_weighted_mean_of_both() -> None:
    """The linear part is a logistic regression of scikit-learn for each class."""
    one = trained()
    train = one.prepared.train
    encoder = one.bundle.encoder
    assert one.split is not None
    texts = list(one.split.train.texts)
    tokens = encoder.tokenizer.batch(texts)

    def word_pairs(words: list[str]) -> list[str]:
        return [*words, *map(" ".join, itertools.pairwise(words))]

    # No text of the tiny corpus has a word twice, where scikit-learn's norm differs.
    features = TfidfVectorizer(analyzer=word_pairs).fit_transform(tokens)
    expected = np.zeros((len(texts), 3))
    for number in range(3):
        label = train.targets == number
        ratio = naive_bayes_ratio(features.toarray(), label)
        linear = LogisticRegression(C=C, max_iter=1000)
        linear.fit(features.toarray() * ratio, label)
        expected[:, number] = linear.decision_function(features.toarray() * ratio)
    network = logits_twin(one.bundle.model)
    ids = [encoder.encode_tokens([words])[0] for words in tokens]
    cnn = np.concatenate([network(x[None], training=False).numpy() for x in ids])
    share = one.bundle.settings.model.ngram_share
    mixed = (1 - share) * cnn + share * expected
    mixed -= np.log(np.exp(mixed).sum(1, keepdims=True))
    actual = np.log(one.predictor.predict_proba(texts))
    np.testing.assert_allclose(actual, mixed, atol=0.02)
    alone = cnn - np.log(np.exp(cnn).sum(1, keepdims=True))
    assert np.abs(actual - alone).max() > 0.1


def naive_bayes_ratio(features: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return r of Wang and Manning (2012), equation 2."""
    p, q = (1 + (features[rows] > 0).sum(0) for rows in (label, ~label))
    return np.log((p / p.sum()) / (q / q.sum()))


def test_an_unfitted_part_changes_nothing() -> None:
    model = build_model(
        tiny_settings(ngrams=True), n_classes=3, matrix=np.eye(9, 4, -1, np.float32)
    )
    ids = np.array([[2, 3, 4, 0], [5, 0, 0, 0]])
    logits = logits_twin(model)(ids).numpy()
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(model(ids).numpy(), expected, rtol=1e-6)


def test_keras_saves_loads_and_clones_it(tmp_path: Path) -> None:
    model = trained().bundle.model
    ids = np.array([[2, 3, 4, 0]])
    model.save(tmp_path / "m.keras")
    for copy in (keras.models.load_model(tmp_path / "m.keras"), _clone(model)):
        np.testing.assert_allclose(copy(ids), model(ids), atol=1e-6)


def _clone(model: keras.Model) -> keras.Model:
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def test_a_damaged_table(tmp_path: Path) -> None:
    export_classifier(trained().predictor, tmp_path / "f", to="folded")
    path = tmp_path / "f" / "ngram_pairs.npy"
    table = np.load(path)
    for wrong in (table[:1], table[:, :2], table.astype(np.float64)):
        np.save(path, wrong)
        with pytest.raises(BundleError):
            load_exported(tmp_path / "f")


@pytest.mark.parametrize("multilabel", [False, True])
def test_the_log_has_the_scores_with_and_without_it(
    multilabel: bool, caplog: pytest.LogCaptureFixture
) -> None:
    trained.cache_clear()
    with caplog.at_level("INFO", "emoclf"):
        one = trained(multilabel)
    (line,) = [x for x in caplog.messages if "linear classifier of words" in x]
    both = one.evaluate().evaluations[0].macro_f1
    alone = one.history["val_macro_f1"][one.result.best_epoch - 1]
    assert line == (
        "Together with its linear classifier of words and word pairs, the network has "
        f"a validation macro-F1 of {both:.3f} (alone: {alone:.3f})."
    )


def test_padding_and_neighbours_do_not_matter() -> None:
    model = trained().bundle.model
    ids = np.array([[2, 3, 4]])
    alone = model(ids).numpy()
    padded = np.pad(ids, ((0, 1), (0, 60)))
    np.testing.assert_allclose(model(padded).numpy()[:1], alone, atol=1e-6)


@pytest.mark.parametrize("multilabel", [False, True])
def test_it_is_saved_and_loaded(tmp_path: Path, multilabel: bool) -> None:
    one = trained(multilabel)
    one.predictor.save(tmp_path / "m")
    loaded = Predictor.load(tmp_path / "m")
    assert loaded.bundle.settings.model.ngrams is True
    np.testing.assert_array_equal(
        loaded.predict_proba(TEXTS), one.predictor.predict_proba(TEXTS)
    )


@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("precision", ["float32", "int16"])
def test_it_folds_exactly(
    tmp_path: Path, multilabel: bool, engine: str, precision: str
) -> None:
    one = trained(multilabel)
    export_classifier(one.predictor, tmp_path / "f", to="folded")
    folded = load_exported(tmp_path / "f", engine=engine, precision=precision)
    expected = one.predictor.predict_proba(TEXTS)
    bound = 1e-5 if precision == "float32" else 1e-2
    np.testing.assert_allclose(folded.predict_proba(TEXTS), expected, atol=bound)
    rows = [folded.predict_proba([text])[0] for text in TEXTS]
    np.testing.assert_allclose(rows, expected, atol=bound)


@pytest.mark.parametrize("to", ["saved-model", "onnx", "litert", "folded-int8"])
def test_other_exports(tmp_path: Path, to: str) -> None:
    one = trained()
    export_classifier(one.predictor, tmp_path / "e", to=to)
    exported = load_exported(tmp_path / "e")
    bound = 0.02 if to == "folded-int8" else 1e-5
    np.testing.assert_allclose(
        exported.predict_proba(TEXTS), one.predictor.predict_proba(TEXTS), atol=bound
    )


def test_a_class_that_no_training_text_has() -> None:
    model = build_model(
        tiny_settings(ngrams=True), n_classes=3, matrix=np.eye(9, 4, -1, np.float32)
    )
    ids = [np.array([2, 3]), np.array([4]), np.empty(0, np.int32), np.array([4, 2])]
    train = Examples(ids, np.array([0, 2, 0, 2], np.int32))
    fit_ngram_scores(model, train, 0.4, multilabel=False)
    probabilities = model(np.array([[2, 3], [4, 0]])).numpy()
    assert probabilities.argmin(1).tolist() == [1, 1]


def test_every_second_weight_counts_twice() -> None:
    settings = tiny_settings(ngrams=True)
    ids = [np.array([2, 3], np.int32), np.array([4], np.int32)] * 3
    targets = np.array([0, 1, 0, 1, 1, 0], np.int32)

    def bias(weights: np.ndarray | None) -> np.ndarray:
        model = build_model(settings, n_classes=2, matrix=np.eye(9, 4, -1, np.float32))
        train = Examples(ids, targets, weights)
        fit_ngram_scores(model, train, 0.4, multilabel=False)
        layer = model.get_layer(NGRAMS)
        assert layer.pairs.shape == (BUCKETS + 1, 3)
        return layer.words.numpy()[:, :-1]

    assert np.array_equal(bias(None), bias(np.ones(6, np.float32)))
    heavy = bias(np.array([9, 9, 9, 9, 1, 1], np.float32))
    assert heavy[2, 0] > bias(None)[2, 0]


@pytest.mark.parametrize("multilabel", [False, True])
def test_probabilities_weigh_labels(multilabel: bool) -> None:
    """Soft targets give the weights of as many texts with labels."""
    settings = tiny_settings(ngrams=True)
    ids = [np.array([2, 3], np.int32)] * 4 + [np.array([4], np.int32)] * 4
    soft = np.repeat(np.float32([[0.75, 0.25], [0.5, 0.5]]), 4, axis=0)

    def table(train: Examples) -> np.ndarray:
        model = build_model(settings, n_classes=2, matrix=np.eye(9, 4, -1, np.float32))
        fit_ngram_scores(model, train, 0.4, multilabel=multilabel)
        return model.get_layer(NGRAMS).words.numpy()[:, :-1]

    taught = table(Examples(ids, soft, temperature=1.0))
    labels = np.array([0, 0, 0, 1, 0, 0, 1, 1], np.int32)
    rows = np.eye(2, dtype=np.float32)[labels] if multilabel else labels
    labelled = table(Examples(ids, rows))
    assert taught[2, 0] > taught[2, 1]
    np.testing.assert_allclose(taught[2:5], labelled[2:5], rtol=0.02, atol=1e-3)


def test_labels_are_fitted_one_by_one() -> None:
    rng = np.random.default_rng(0)
    features = sparse.random(40, 5, 0.5, "csr", rng=rng)
    labels = (rng.random((40, 3)) < 0.4).astype(np.float32)
    table, bias = ngrams._fit_each(features, labels, None, multilabel=True)
    for number, column in enumerate(labels.T):
        ratio = naive_bayes_ratio(features.toarray(), column > 0)
        direct = LogisticRegression(C=C, max_iter=ngrams.MAX_ITERATIONS)
        direct.fit(features.toarray() * ratio, column)
        np.testing.assert_allclose(
            table[:, number], ratio * direct.coef_[0], rtol=1e-3, atol=1e-3
        )
        np.testing.assert_allclose(bias[number], direct.intercept_[0], atol=1e-3)


def test_texts_without_words_have_shares_alone() -> None:
    nothing, targets = sparse.csr_matrix((6, 5)), np.eye(3)[[0, 0, 0, 1, 1, 2]]
    table, bias = ngrams._fit_each(nothing, targets, None, multilabel=False)
    assert not table.any()
    assert bias[0] > bias[1] > bias[2]


def test_two_classes_have_one_regression() -> None:
    """The difference of their logits is that of the regression, not twice as much."""
    rng = np.random.default_rng(0)
    features = sparse.random(40, 5, 0.5, "csr", rng=rng)
    targets = np.eye(2)[rng.integers(0, 2, 40)]
    table, bias = ngrams._fit_each(features, targets, None, multilabel=False)
    one = ngrams._fit_each(features, targets[:, 1:], None, multilabel=True)
    np.testing.assert_allclose(table[:, 1] - table[:, 0], one[0][:, 0])
    assert bias[1] - bias[0] == pytest.approx(one[1][0])


def test_many_classes_that_nothing_tells_apart() -> None:
    rng = np.random.default_rng(0)
    features = sparse.random(30, 4, 0.5, "csr", rng=rng)
    flat = np.full((30, 150), 1 / 150, np.float32)
    table, bias = ngrams._fit_each(features, flat, None, multilabel=False)
    np.testing.assert_allclose(table, np.repeat(table[:, :1], 150, axis=1))
    np.testing.assert_allclose(bias, bias.mean())


def unlabelled(texts: list[str]) -> Dataset:
    """Return a training set whose labels do not matter."""
    return Dataset.from_lists(texts, ["joy"] * len(texts))


def test_small_training_sets_have_it() -> None:
    texts = unlabelled(["some words"] * 9999)
    assert resolve(RunSettings(), texts).model.ngrams is True
    more = unlabelled([*texts.texts, "more"])
    assert resolve(RunSettings(), more).model.ngrams is False
    bilstm = RunSettings.from_flat(architecture="bilstm")
    assert not hasattr(resolve(bilstm, texts).model, "ngrams")
