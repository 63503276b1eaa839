"""What every architecture must satisfy: one head, silent padding, one embedding, …

``tests/models/test_contracts.py`` asks it of each of them, from one table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from emoclf.models.answers import Answers
from emoclf.models.build import build_model
from emoclf.models.heads import LOGITS, logits_twin
from emoclf.models.padding import pad
from emoclf.settings import RunSettings
from emoclf.training.batches import Examples
from emoclf.training.train import fit_model

SIZE, DIM = 30, 4
#: float32 sums in another order; texts of up to 500 tokens.
TOLERANCE = 1e-6


def settings_for(architecture: str, embedding: str, **flat: Any) -> RunSettings:
    """Return small settings of an architecture."""
    small = {"filters": 3, "vectors": "given", "embedding": embedding}
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


def activations(model: keras.Model) -> list[str]:
    """Return the activations that lie on each other at the end of a model.

    Walks back from the output, through layers that change no number, as long as there
    are activations.
    """
    found: list[str] = []
    tensor = model.outputs[0]
    while True:
        operation = tensor._keras_history.operation
        name = getattr(getattr(operation, "activation", None), "__name__", "linear")
        if name != "linear":
            found.append(name)
        inputs = operation._inbound_nodes[0].input_tensors
        # A layer with weights ends the walk; what lies below it is not the head.
        if getattr(operation, "weights", None) or len(inputs) != 1:
            return found
        tensor = inputs[0]


def check_head(model: keras.Model, *, several: bool) -> None:
    """One softmax, or one sigmoid per label, on logits that nothing squeezes."""
    wanted = "sigmoid" if several else "softmax"
    found = activations(model)
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
    answers = Answers(model)
    alone = np.vstack([answers([text]) for text in some])
    assert np.isfinite(alone).all()
    for extra in (0, 1, 2, 3, 60):
        padded = pad([*some, np.ones(500 + extra, np.int32)])
        together = model(padded).numpy()[: len(some)]
        np.testing.assert_allclose(together, alone, rtol=0, atol=TOLERANCE)


def check_learns(settings: RunSettings) -> keras.Model:
    """Eight texts can be learnt by heart; the padding row stays zero."""
    ids = texts(*range(3, 11))
    targets = np.arange(8, dtype=np.int32) % 3
    quick = settings.override(
        epochs=60, patience=60, learning_rate=0.03, dropout=0.0, batch_size=4
    )
    model = build_model(quick, n_classes=3, matrix=matrix())
    examples = Examples(ids, targets)
    result = fit_model(model, examples, examples, quick.training, seed=0)
    assert result.history["loss"][-1] < 0.3 * result.history["loss"][0]
    assert (Answers(model)(ids).argmax(1) == targets).mean() >= 7 / 8
    for weight in embeddings(model):
        assert not weight.numpy()[0].any()
    return model


def embeddings(model: keras.Model) -> Sequence[Any]:
    """Return the embedding matrices of a model."""
    layers = [x for x in model.layers if isinstance(x, keras.layers.Embedding)]
    return [layer.embeddings for layer in layers]


def check_weights_travel_by_name(model: keras.Model, settings: RunSettings) -> None:
    """Another build with the same settings takes up the weights by their paths."""
    other = build_model(settings, n_classes=3, shape=(SIZE, DIM))
    by_path = {weight.path: weight.numpy() for weight in model.weights}
    assert len(by_path) == len(model.weights)
    for weight in other.weights:
        weight.assign(by_path[weight.path])
    ids = texts(4, 9)
    np.testing.assert_array_equal(Answers(other)(ids), Answers(model)(ids))
