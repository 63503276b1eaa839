"""Contracts that every architecture must satisfy.

``tests/models/test_contracts.py`` checks :data:`CONTRACTS` for every architecture, and
``tests/models/test_new_architecture.py`` for one that is registered by the test.
Networks are called directly where a batch is enough: tracing one takes seconds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emoclf.batching import pad, stack
from emoclf.doctor.model_checks import head_activations
from emoclf.models import ARCHITECTURES
from emoclf.models.build import build_model
from emoclf.models.embedding import STATIC
from emoclf.models.heads import LOGITS, logits_twin
from emoclf.models.mean_embedding import BIGRAMS
from emoclf.models.ngram_scores import NGRAMS
from emoclf.models.registry import settings_class
from emoclf.settings import RunSettings
from emoclf.training.batches import Examples
from emoclf.training.fit import fit_model

SIZE, DIM = 30, 4
#: For float32 sums in another order, of texts of up to 500 tokens.
TOLERANCE = 1e-6

#: Settings that change the network of an architecture; each is tested like another one.
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("text_cnn", {"pooling": "average", "activation": "tanh"}),
    ("text_cnn", {"pooling": "k-max", "k": 2, "activation": "elu"}),
    ("text_cnn", {"pooling": "local-flat", "windows": 3}),
    ("text_cnn", {"pooling": "local-average", "activation": "sigmoid", "filters": 8}),
    ("text_cnn", {"padding": "valid", "stride": 2, "filters": 6}),
    ("text_cnn", {"stride": 3, "batch_norm": True, "filters": 6}),
    ("text_cnn", {"batch_norm": True, "hidden": 8, "pooling": "average"}),
    ("bilstm", {"pooling": "last", "cell": "gru"}),
    ("bilstm", {"recurrent_layers": 3, "recurrent_dropout": 0.1}),
    ("stacked_lstm", {"pooling": "average", "cell": "gru"}),
    ("simple_rnn", {"bidirectional": True, "pooling": "max"}),
    ("cnn_lstm", {"pool_size": 3, "pool_stride": 1, "cell": "gru"}),
    ("cnn_lstm", {"kernel_sizes": [4], "bidirectional": True, "activation": "tanh"}),
    ("res_cnn", {"stages": [1, 1, 1], "shortcut": "identity"}),
    ("res_cnn", {"batch_norm": False, "pooling": "average", "activation": "elu"}),
    ("mean_embedding", {"bigram_buckets": 0}),
]


def settings_for(architecture: str, embedding: str, **flat: Any) -> RunSettings:
    """Return the tiny settings of an architecture, with some replaced."""
    tiny = ARCHITECTURES[architecture].tiny
    values = {"vectors": "given", "embedding": embedding, **tiny, **flat}
    return RunSettings.from_flat(architecture=architecture, **values)


def is_recurrent(architecture: str) -> bool:
    """Return whether an architecture has recurrent layers, which are slow to trace."""
    return "cell" in settings_class(architecture).names()


def matrix() -> np.ndarray:
    """Return an embedding matrix whose padding row is zero."""
    values = np.random.default_rng(0).normal(size=(SIZE, DIM)).astype(np.float32)
    values[0] = 0
    return values


def texts(*lengths: int) -> list[np.ndarray]:
    """Return the token ids of random texts of these lengths."""
    rng = np.random.default_rng(1)
    return [rng.integers(1, SIZE, n).astype(np.int32) for n in lengths]


def build(settings: RunSettings, *, multilabel: bool = False) -> keras.Model:
    """Build a network for three labels on :func:`matrix`."""
    return build_model(settings, n_classes=3, multilabel=multilabel, matrix=matrix())


@cache
def shared(settings: RunSettings) -> keras.Model:
    """Build a network once for all contracts that do not change it."""
    return build(settings)


def embeddings(model: keras.Model) -> Sequence[Any]:
    """Return the embedding layers of tokens; one of word pairs is not among them."""
    layers = [x for x in model.layers if isinstance(x, keras.layers.Embedding)]
    return [layer for layer in layers if layer.name != BIGRAMS]


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Assign each weight of the target from the source's weight of the same path."""
    by_path = {weight.path: weight.numpy() for weight in source.weights}
    assert len(by_path) == len(source.weights)
    for weight in target.weights:
        weight.assign(by_path[weight.path])


def assert_one_head(model: keras.Model, *, multilabel: bool) -> None:
    """Check that the model ends in one softmax, or one sigmoid for each label."""
    expected = "sigmoid" if multilabel else "softmax"
    activations = head_activations(model)
    message = f"the head stacks {' on '.join(activations) or 'nothing'}"
    assert activations == [expected], message


def check_head(settings: RunSettings) -> None:
    """Check that the model ends in one softmax and returns probabilities."""
    model = shared(settings)
    assert_one_head(model, multilabel=False)
    probabilities = assert_probabilities(model)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)


def check_multilabel_head(settings: RunSettings) -> None:
    """Check that a multilabel model ends in a sigmoid for each label."""
    model = build(settings, multilabel=True)
    assert_one_head(model, multilabel=True)
    assert_probabilities(model)


def assert_probabilities(model: keras.Model) -> np.ndarray:
    probabilities = model(pad(texts(2, 9))).numpy()
    assert probabilities.shape == (2, 3)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    return probabilities


def check_twin(settings: RunSettings) -> None:
    """Check that the twin lacks only the activation, and a linear part if any."""
    model = shared(settings)
    twin = logits_twin(model)
    weights = [w for w in model.weights if not w.path.startswith(NGRAMS)]
    assert {id(w) for w in twin.weights} == {id(w) for w in weights}
    assert twin.layers[-1] is model.get_layer(LOGITS)
    ids = pad(texts(3, 5))
    logits = twin(ids).numpy()
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(model(ids).numpy(), expected, atol=1e-6)


def check_padding_is_ignored(settings: RunSettings) -> None:
    """Check that probabilities depend neither on padding nor on the other texts."""
    model, ids = shared(settings), texts(1, 2, 7, 40, 500, 0)
    traced = tf.function(model, input_signature=[tf.TensorSpec((None, None), tf.int32)])
    alone = np.vstack([traced(pad([text])).numpy() for text in ids])
    assert np.isfinite(alone).all()
    for extra in (0, 1, 2, 3, 60):
        padded = pad([*ids, np.ones(500 + extra, np.int32)])
        together = traced(padded).numpy()[: len(ids)]
        np.testing.assert_allclose(together, alone, rtol=0, atol=TOLERANCE)


def check_one_embedding(settings: RunSettings) -> None:
    """Check that tokens are embedded once, or twice with two channels."""
    channels = 1 + (settings.embedding.embedding == "two-channel")
    assert len(embeddings(shared(settings))) == channels


def check_weights_by_path(settings: RunSettings) -> None:
    """Check that another build takes over the weights by their paths."""
    model = shared(settings)
    other = build_model(settings, n_classes=3, shape=(SIZE, DIM))
    copy_weights(model, other)
    ids = pad(texts(4, 9))
    np.testing.assert_array_equal(other(ids).numpy(), model(ids).numpy())


def check_seed(settings: RunSettings) -> None:
    """Check that the seed alone decides the weights, and stays inside of the build."""
    state, numpy_state = random.getstate(), np.random.get_state()[1].copy()
    first, second = shared(settings), build(settings)
    other = build(settings.override(seed=1))
    for a, b in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert any(
        (a.numpy() != b.numpy()).any()
        for a, b in zip(first.weights, other.weights, strict=True)
    )
    assert random.getstate() == state
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)


def check_learning(settings: RunSettings) -> None:
    """Check that eight texts can be memorized and what happens to the embedding.

    The padding row stays zero; the matrix changes unless it is static.
    """
    ids = texts(*range(3, 11))
    targets = np.arange(8, dtype=np.int32) % 3
    # An epoch costs more than its steps: few epochs that show each text twenty times.
    quick = settings.override(
        epochs=4, patience=4, learning_rate=0.03, dropout=0.0, batch_size=4
    )
    model = build(quick)
    examples = Examples(ids * 20, np.tile(targets, 20))
    result = fit_model(model, examples, examples, quick.training, seed=0)
    # A network that predicts equal probabilities has a loss of log(3).
    assert min(result.history["val_loss"]) < 0.3 * math.log(3)
    assert (model(pad(ids)).numpy().argmax(1) == targets).mean() >= 7 / 8
    for layer in embeddings(model):
        values = layer.embeddings.numpy()
        assert not values[0].any()
        assert np.array_equal(values, matrix()) == (layer.name == STATIC)


def without_pairs(settings: RunSettings) -> RunSettings:
    """Return settings without word pairs, which embedded texts do not have."""
    pairs = "bigram_buckets" in settings.model.names()
    return settings.override(bigram_buckets=0) if pairs else settings


def check_embedded_texts(settings: RunSettings) -> None:
    """Check a network that takes embedded texts against one that embeds them."""
    settings = without_pairs(settings.override(embedding="static"))
    with_matrix = build(settings)
    model = build_model(settings, n_classes=3, embedded_dim=DIM)
    copy_weights(with_matrix, model)
    ids = texts(3, 1, 0, 9, 6)
    inputs, mask = stack([matrix()[text] for text in ids])
    expected = with_matrix(pad(ids)).numpy()
    np.testing.assert_allclose(model((inputs, mask)), expected, atol=1e-6)
    # So both learn the same.
    pairs = zip(
        gradients(model, (inputs, mask)),
        gradients(with_matrix, pad(ids)),
        strict=True,
    )
    for embedded, looked_up in pairs:
        np.testing.assert_allclose(embedded, looked_up, atol=1e-6)
    # Values in padding are ignored.
    inputs[~mask] = 7
    np.testing.assert_allclose(model((inputs, mask)), expected, atol=1e-6)


def gradients(model: keras.Model, inputs: Any) -> list[np.ndarray]:
    """Return the gradients of a loss with respect to all trained weights."""
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(tf.math.log(model(inputs)[:, 0]))
    found = tape.gradient(loss, [x.value for x in model.trainable_variables])
    assert found
    return [tf.convert_to_tensor(one).numpy() for one in found]


def check_learning_embedded_texts(settings: RunSettings) -> None:
    """Check that a network learns from embedded texts."""
    settings = without_pairs(settings).override(
        epochs=5, learning_rate=0.02, batch_size=4, ema=None, patience=5
    )
    model = build_model(settings, n_classes=2, embedded_dim=DIM)
    rng = np.random.default_rng(0)
    targets = (np.arange(64) % 2).astype(np.int32)
    embedded = [
        rng.normal(2 * target - 1, 0.5, (rng.integers(1, 9), DIM)).astype(np.float32)
        for target in targets
    ]
    examples = Examples(embedded, targets)
    result = fit_model(model, examples, examples, settings.training)
    assert min(result.history["val_loss"]) < result.history["val_loss"][0]
    assert max(result.history["val_accuracy"]) > 0.9


#: Contracts of a network, whatever its settings.
CONTRACTS: tuple[Callable[[RunSettings], None], ...] = (
    check_head,
    check_multilabel_head,
    check_twin,
    check_padding_is_ignored,
    check_one_embedding,
    check_weights_by_path,
    check_seed,
)
#: Contracts that train, or build without an embedding matrix: slower.
TRAINED_CONTRACTS: tuple[Callable[[RunSettings], None], ...] = (
    check_learning,
    check_embedded_texts,
    check_learning_embedded_texts,
)
