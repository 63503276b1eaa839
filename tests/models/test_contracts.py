"""One table: every architecture, every embedding mode, every contract."""

from __future__ import annotations

from collections.abc import Callable

import contracts
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from emoclf.errors import ModelError, SettingsError
from emoclf.models import ARCHITECTURES
from emoclf.models.build import build_model
from emoclf.models.mean_embedding import hashed_pairs
from emoclf.settings import RunSettings, TrainSettings
from emoclf.training.batches import Examples
from emoclf.training.fit import fit_model

MODES = ("random", "static", "non-static", "two-channel")
TABLE: list[tuple[str, str, dict]] = [
    # The code of the embedding is the same for every architecture.
    *(("text_cnn", mode, {}) for mode in MODES),
    *((name, "non-static", {}) for name in ARCHITECTURES if name != "text_cnn"),
    *((name, "non-static", flat) for name, flat in contracts.VARIANTS),
]
# A random embedding is trained as given vectors are, and what these variants have is
# part of others: average pooling, strides and batch normalization.
SAME_TRAINING: list[tuple[str, str, dict]] = [
    ("text_cnn", "random", {}),
    ("text_cnn", "non-static", {"pooling": "average", "activation": "tanh"}),
    ("text_cnn", "non-static", {"stride": 3, "batch_norm": True, "filters": 6}),
]
# A recurrent network's training takes long to trace, and its cells are Keras' own.
TRAINED = [
    row
    for row in TABLE
    if not (contracts.is_recurrent(row[0]) and row[2]) and row not in SAME_TRAINING
]


def row_id(row: tuple[str, str, dict]) -> str:
    name, mode, flat = row
    return "-".join([name, *map(str, flat.values())] if flat else [name, mode])


def contract_id(contract: Callable) -> str:
    return contract.__name__.removeprefix("check_")


@pytest.mark.slow
@pytest.mark.parametrize("contract", contracts.CONTRACTS, ids=contract_id)
@pytest.mark.parametrize("row", TABLE, ids=row_id)
def test_contracts(row: tuple[str, str, dict], contract: Callable) -> None:
    name, mode, flat = row
    contract(contracts.settings_for(name, mode, **flat))


@pytest.mark.slow
@pytest.mark.parametrize("row", TRAINED, ids=row_id)
def test_it_learns(row: tuple[str, str, dict]) -> None:
    name, mode, flat = row
    contracts.check_learning(contracts.settings_for(name, mode, **flat))


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_embedded_texts(name: str) -> None:
    contracts.check_embedded_texts(contracts.settings_for(name, "static"))


# Gradients are compared for every architecture, by test_embedded_texts.
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["text_cnn", "bilstm", "ngram_linear", "sentence_head"]
)
def test_it_learns_embedded_texts(name: str) -> None:
    contracts.check_learning_embedded_texts(contracts.settings_for(name, "static"))


def test_rows_are_read_without_copying_the_matrix() -> None:
    """TensorFlow copies a matrix that is read as a whole after row updates."""
    model = contracts.build(contracts.settings_for("mean_embedding", "non-static"))
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
        contracts.assert_one_head(model, multilabel=False)


def test_two_classes_are_two_columns() -> None:
    model = build_model(RunSettings(), n_classes=2, matrix=contracts.matrix())
    assert model.output_shape == (None, 2)
    with pytest.raises(SettingsError, match=r"at least two classes. Got 1"):
        build_model(RunSettings(), n_classes=1, matrix=contracts.matrix())


def test_a_padding_row_that_is_not_zero_is_refused() -> None:
    padded = contracts.matrix()
    padded[0] = 1
    with pytest.raises(SettingsError, match=r"Row 0 .* must be zero"):
        build_model(RunSettings(), n_classes=2, matrix=padded)
    with pytest.raises(SettingsError, match="matrix, or its shape"):
        build_model(RunSettings(), n_classes=2)


def test_pairs_are_spread_over_all_rows() -> None:
    # Frequent words have small ids, which must not make their pairs collide.
    ids = np.random.default_rng(0).zipf(1.3, (400, 30)).clip(1, 5000).astype(np.int32)
    first, second = ids[:, :-1].ravel(), ids[:, 1:].ravel()
    different = len(set(zip(first.tolist(), second.tolist(), strict=True)))
    for buckets in (2_000, 50_000, 65_536, 100_003):
        rows = hashed_pairs(ids, buckets).numpy()
        assert (rows[:, -1] == 0).all()
        used = len(np.unique(rows[:, :-1]))
        by_chance = buckets * (1 - (1 - 1 / buckets) ** different)
        assert used > 0.95 * by_chance


def test_a_model_without_the_head_is_refused() -> None:
    inputs = keras.Input((None,), dtype="int32")
    pooled = layers.GlobalMaxPooling1D()(layers.Embedding(30, 4)(inputs))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(pooled))
    examples = Examples(contracts.texts(2, 3, 4), np.array([0, 1, 2]))
    with pytest.raises(ModelError, match="does not end in emoclf's head"):
        fit_model(model, examples, examples, TrainSettings())


def test_pairs_need_token_ids() -> None:
    settings = RunSettings.from_flat(architecture="mean_embedding", bigram_buckets=9)
    with pytest.raises(
        SettingsError, match="'bigram_buckets' is 9, but a network that"
    ):
        build_model(settings, n_classes=2, embedded_dim=4)


def test_labels_of_the_wrong_shape_are_refused() -> None:
    model = build_model(RunSettings(), n_classes=3, matrix=contracts.matrix())
    ids = contracts.texts(2, 3, 4)
    for targets, message in [
        (np.array([1, 2, 3]), "labels - 1"),
        (np.eye(3), "argmax"),
        (np.array([0, 1, 7]), "run from 0 to 7"),
    ]:
        with pytest.raises(ModelError, match=message):
            fit_model(
                model, Examples(ids, targets), Examples(ids, targets), TrainSettings()
            )
