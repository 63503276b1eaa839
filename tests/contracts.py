"""What every architecture must satisfy: one head, silent padding, one embedding, …

``tests/models/test_contracts.py`` asks it of each of them, from one table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emoclf.batching import pad
from emoclf.doctor.model_checks import head_activations
from emoclf.models.build import build_model
from emoclf.models.heads import LOGITS, logits_twin
from emoclf.models.inference import BatchedModel
from emoclf.models.mean_embedding import BIGRAMS
from emoclf.settings import RunSettings
from emoclf.training.batches import Examples
from emoclf.training.fit import fit_model

SIZE, DIM = 30, 4
#: float32 sums in another order; texts of up to 500 tokens.
TOLERANCE = 1e-6


SMALL: dict[str, dict[str, Any]] = {
    "text_cnn": {"filters": 3},
    "bilstm": {"units": 3, "input_dropout": 0.0},
    "stacked_lstm": {"units": 5, "input_dropout": 0.0},
    "simple_rnn": {"units": 6, "input_dropout": 0.0},
    "cnn_lstm": {"filters": 3, "units": 3},
    "res_cnn": {"filters": 4, "stages": [1, 1], "input_dropout": 0.0},
    "mean_embedding": {"bigram_buckets": 50},
}
#: What an architecture's settings can make of it; each is tested like a network.
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
    """Return small settings of an architecture."""
    small = {"vectors": "given", "embedding": embedding, **SMALL[architecture]}
    return RunSettings.from_flat(architecture=architecture, **{**small, **flat})


def matrix() -> np.ndarray:
    """Return an embedding matrix whose padding row is zero."""
    values = np.random.default_rng(0).normal(size=(SIZE, DIM)).astype(np.float32)
    values[0] = 0
    return values


def texts(*lengths: int) -> list[np.ndarray]:
    """Return texts of these lengths."""
    rng = np.random.default_rng(1)
    return [rng.integers(1, SIZE, n).astype(np.int32) for n in lengths]


def check_head(model: keras.Model, *, multilabel: bool) -> None:
    """One softmax, or one sigmoid per label, on logits that nothing squeezes."""
    wanted = "sigmoid" if multilabel else "softmax"
    found = head_activations(model)
    assert found == [wanted], f"the head stacks {' on '.join(found) or 'nothing'}"


def check_twin(model: keras.Model) -> None:
    """The twin shares every layer, and the activation alone lies between them."""
    twin = logits_twin(model)
    assert {id(w) for w in twin.weights} == {id(w) for w in model.weights}
    assert twin.layers[-1] is model.get_layer(LOGITS)
    ids = pad(texts(3, 5))
    logits = twin(ids).numpy()
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(model(ids).numpy(), expected, atol=1e-6)


def check_padding_is_silent(model: keras.Model) -> None:
    """A text's probabilities depend neither on padding nor on its neighbours."""
    some = texts(1, 2, 7, 40, 500, 0)
    traced = tf.function(model, input_signature=[tf.TensorSpec((None, None), tf.int32)])
    alone = np.vstack([traced(pad([text])).numpy() for text in some])
    assert np.isfinite(alone).all()
    for extra in (0, 1, 2, 3, 60):
        padded = pad([*some, np.ones(500 + extra, np.int32)])
        together = traced(padded).numpy()[: len(some)]
        np.testing.assert_allclose(together, alone, rtol=0, atol=TOLERANCE)


def check_learns(settings: RunSettings) -> keras.Model:
    """Eight texts can be learnt by heart; the padding row stays zero."""
    ids = texts(*range(3, 11))
    targets = np.arange(8, dtype=np.int32) % 3
    # An epoch costs more than its steps: few epochs that show each text four times.
    quick = settings.override(
        epochs=15, patience=15, learning_rate=0.03, dropout=0.0, batch_size=4
    )
    model = build_model(quick, n_classes=3, matrix=matrix())
    examples = Examples(ids * 4, np.tile(targets, 4))
    result = fit_model(model, examples, examples, quick.training, seed=0)
    assert result.history["loss"][-1] < 0.3 * result.history["loss"][0]
    assert (BatchedModel(model)(ids).argmax(1) == targets).mean() >= 7 / 8
    for weight in embeddings(model):
        assert not weight.numpy()[0].any()
    return model


def embeddings(model: keras.Model) -> Sequence[Any]:
    """Return the embedding matrices of a model that words are looked up in."""
    layers = [x for x in model.layers if isinstance(x, keras.layers.Embedding)]
    return [layer.embeddings for layer in layers if layer.name != BIGRAMS]


def check_weights_travel_by_name(model: keras.Model, settings: RunSettings) -> None:
    """Another build with the same settings takes up the weights by their paths."""
    other = build_model(settings, n_classes=3, shape=(SIZE, DIM))
    by_path = {weight.path: weight.numpy() for weight in model.weights}
    assert len(by_path) == len(model.weights)
    for weight in other.weights:
        weight.assign(by_path[weight.path])
    ids = texts(4, 9)
    np.testing.assert_array_equal(BatchedModel(other)(ids), BatchedModel(model)(ids))
