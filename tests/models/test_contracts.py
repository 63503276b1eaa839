"""One table: every architecture, every way to embed, every contract."""

from __future__ import annotations

import random
from functools import cache

import contracts
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from emoclf.batching import stack
from emoclf.errors import ModelError, SettingsError
from emoclf.models import ARCHITECTURES
from emoclf.models.build import build_model
from emoclf.models.embedding import STATIC
from emoclf.models.inference import BatchedModel
from emoclf.models.mean_embedding import BIGRAMS, hashed_pairs
from emoclf.settings import RunSettings, TrainSettings
from emoclf.training.batches import Examples
from emoclf.training.fit import fit_model

MODES = ("random", "static", "non-static", "two-channel")
TABLE: list[tuple[str, str, dict]] = [
    # How words are embedded is the same code for every architecture.
    *(("text_cnn", mode, {}) for mode in MODES),
    *((name, "non-static", {}) for name in ARCHITECTURES if name != "text_cnn"),
    *((name, "non-static", flat) for name, flat in contracts.VARIANTS),
]


# A recurrent network's training takes long to trace, and its cells are Keras' own.
SLOW = ("bilstm", "stacked_lstm", "simple_rnn", "cnn_lstm")
LEARNT = [row for row in TABLE if not (row[0] in SLOW and row[2])]


def named(row: tuple[str, str, dict]) -> str:
    name, mode, flat = row
    return "-".join([name, *map(str, flat.values())] if flat else [name, mode])


@pytest.fixture(params=TABLE, ids=named)
def settings(request: pytest.FixtureRequest) -> RunSettings:
    name, mode, flat = request.param
    return contracts.settings_for(name, mode, **flat)


def build(settings: RunSettings, **values) -> keras.Model:
    return build_model(settings, n_classes=3, matrix=contracts.matrix(), **values)


@cache
def built(settings: RunSettings) -> keras.Model:
    """Build a network once for all tests that only look at it."""
    return build(settings)


@pytest.mark.parametrize("multilabel", [False, True])
def test_one_head(settings: RunSettings, multilabel: bool) -> None:
    model = build(settings, multilabel=True) if multilabel else built(settings)
    contracts.check_head(model, multilabel=multilabel)
    probabilities = model(contracts.pad(contracts.texts(2, 9))).numpy()
    assert probabilities.shape == (2, 3)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    if not multilabel:
        np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)


def test_the_twin_shares_all_layers(settings: RunSettings) -> None:
    contracts.check_twin(built(settings))


def test_padding_is_silent(settings: RunSettings) -> None:
    contracts.check_padding_is_silent(built(settings))


def test_there_is_one_embedding(settings: RunSettings) -> None:
    found = contracts.embeddings(built(settings))
    assert len(found) == 1 + (settings.embedding.embedding == "two-channel")


def test_rows_are_read_without_copying_the_matrix() -> None:
    """TensorFlow copies what it reads whole, once single rows were written."""
    model = build(contracts.settings_for("mean_embedding", "non-static"))
    read = tf.function(lambda ids: model(ids, training=True))
    graph = read.get_concrete_function(tf.TensorSpec((None, None), tf.int32)).graph
    matrices = [
        layer.embeddings.value.handle
        for layer in model.layers
        if isinstance(layer, layers.Embedding)
    ]
    assert len(matrices) == 2
    for handle in matrices:
        readers = [reader.type for reader in graph.capture(handle).consumers()]
        assert readers == ["ResourceGather"]


def test_weights_travel_by_name(settings: RunSettings) -> None:
    contracts.check_weights_travel_by_name(built(settings), settings)


@pytest.mark.parametrize("settings", LEARNT, ids=named, indirect=True)
def test_it_learns(settings: RunSettings) -> None:
    model = contracts.check_learns(settings)
    before = contracts.matrix()
    for layer in model.layers:
        if isinstance(layer, layers.Embedding) and layer.name != BIGRAMS:
            unchanged = np.array_equal(layer.embeddings.numpy(), before)
            assert unchanged == (layer.name == STATIC)


def test_the_seed_alone_decides(settings: RunSettings) -> None:
    state, numpys = random.getstate(), np.random.get_state()[1].copy()
    first, second = built(settings), build(settings)
    other = build(settings.override(seed=1))
    for one, two in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())
    assert any(
        (one.numpy() != two.numpy()).any()
        for one, two in zip(first.weights, other.weights, strict=True)
    )
    assert random.getstate() == state
    np.testing.assert_array_equal(np.random.get_state()[1], numpys)


def stacked(*activations: str, last: str | None = None) -> keras.Model:
    inputs = keras.Input((4,))
    tensor = layers.Dense(3, activation=last)(inputs)
    for activation in activations:
        tensor = layers.Activation(activation)(tensor)
    return keras.Model(inputs, tensor)


@pytest.mark.parametrize(
    "model",
    [
        stacked("softmax", "sigmoid"),
        stacked("softmax", "softmax"),
        stacked("tanh", "softmax"),
        stacked("softmax", last="softmax"),
        stacked("softmax", last="relu"),
        stacked(),
        stacked("sigmoid"),
    ],
)
def test_stacked_activations_are_rejected(model: keras.Model) -> None:
    with pytest.raises(AssertionError, match="the head stacks"):
        contracts.check_head(model, multilabel=False)


def test_two_classes_are_two_columns() -> None:
    model = build_model(RunSettings(), n_classes=2, matrix=contracts.matrix())
    assert model.output_shape == (None, 2)
    with pytest.raises(SettingsError, match=r"at least two classes. Got 1"):
        build_model(RunSettings(), n_classes=1, matrix=contracts.matrix())


def test_a_padding_row_that_speaks_is_refused() -> None:
    loud = contracts.matrix()
    loud[0] = 1
    with pytest.raises(SettingsError, match=r"Row 0 .* must be zero"):
        build_model(RunSettings(), n_classes=2, matrix=loud)
    with pytest.raises(SettingsError, match="matrix, or its shape"):
        build_model(RunSettings(), n_classes=2)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_texts_that_come_embedded(name: str) -> None:
    flat = {"bigram_buckets": 0} if name == "mean_embedding" else {}
    settings = contracts.settings_for(name, "static", **flat)
    model = build_model(settings, n_classes=3, embedded_dim=contracts.DIM)
    static = build(settings)
    by_path = {weight.path: weight.numpy() for weight in static.weights}
    for weight in model.weights:
        weight.assign(by_path[weight.path])
    ids = contracts.texts(3, 1, 0, 9, 6)
    embedded = [contracts.matrix()[text] for text in ids]
    expected = BatchedModel(static)(ids)
    np.testing.assert_allclose(BatchedModel(model)(embedded), expected, atol=1e-6)
    # What stands in padding is nobody's word.
    inputs, mask = stack(embedded)
    inputs[~mask] = 7
    np.testing.assert_allclose(model((inputs, mask)), expected, atol=1e-6)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_texts_that_come_embedded_are_learnt(name: str) -> None:
    flat = {"bigram_buckets": 0} if name == "mean_embedding" else {}
    settings = contracts.settings_for(
        name, "static", epochs=20, learning_rate=0.02, batch_size=4, ema=None,
        patience=20, **flat,
    )  # fmt: skip
    model = build_model(settings, n_classes=2, embedded_dim=contracts.DIM)
    rng = np.random.default_rng(0)
    targets = (np.arange(16) % 2).astype(np.int32)
    embedded = [
        rng.normal(2 * target - 1, 0.5, (rng.integers(1, 9), contracts.DIM)).astype(
            np.float32
        )
        for target in targets
    ]
    examples = Examples(embedded, targets)
    result = fit_model(model, examples, examples, settings.training)
    assert min(result.history["val_loss"]) < result.history["val_loss"][0]
    assert max(result.history["val_accuracy"]) > 0.9


def test_pairs_are_spread_over_all_rows() -> None:
    # Frequent words have small ids; their pairs must not crowd together.
    ids = np.random.default_rng(0).zipf(1.3, (400, 30)).clip(1, 5000).astype(np.int32)
    first, second = ids[:, :-1].ravel(), ids[:, 1:].ravel()
    different = len(set(zip(first.tolist(), second.tolist(), strict=True)))
    for buckets in (2_000, 50_000, 65_536, 100_003):
        rows = hashed_pairs(ids, buckets).numpy()
        assert (rows[:, -1] == 0).all()
        used = len(np.unique(rows[:, :-1]))
        by_chance = buckets * (1 - (1 - 1 / buckets) ** different)
        assert used > 0.95 * by_chance


def test_a_model_without_our_head_is_refused() -> None:
    inputs = keras.Input((None,), dtype="int32")
    pooled = layers.GlobalMaxPooling1D()(layers.Embedding(30, 4)(inputs))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(pooled))
    examples = Examples(contracts.texts(2, 3, 4), np.array([0, 1, 2]))
    with pytest.raises(ModelError, match="does not end in emoclf's head"):
        fit_model(model, examples, examples, TrainSettings())


def test_pairs_need_words() -> None:
    settings = RunSettings.from_flat(architecture="mean_embedding", bigram_buckets=9)
    with pytest.raises(SettingsError, match="'bigram_buckets' is 9, and texts that"):
        build_model(settings, n_classes=2, embedded_dim=4)


def test_labels_of_the_wrong_shape_are_refused() -> None:
    model = build_model(RunSettings(), n_classes=3, matrix=contracts.matrix())
    ids = contracts.texts(2, 3, 4)
    for targets, said in [
        (np.array([1, 2, 3]), "labels - 1"),
        (np.eye(3), "argmax"),
        (np.array([0, 1, 7]), "run from 0 to 7"),
    ]:
        with pytest.raises(ModelError, match=said):
            fit_model(
                model, Examples(ids, targets), Examples(ids, targets), TrainSettings()
            )
