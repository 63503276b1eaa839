"""Which layer went first, when a loss is no longer a number."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from emoclf.doctor.findings import Finding

LARGE = 1e4


def explain_overflow(model: keras.Model, batch: Any, norms: np.ndarray) -> Finding:
    """Name the first layer whose answers, weights or gradients are not finite.

    The optimizer left the step out: the weights are those that met the batch, or, with
    a momentum, not far from them.

    Parameters
    ----------
    model : keras.Model
        Gives logits.
    batch : tuple
        Its first member is what the model was given.
    norms : ndarray of float, shape (n_trainable_variables,)
        Of the step's gradients.
    """
    layer, what = _first(model, batch[0], norms)
    weights = {
        str(variable.path): float(np.abs(variable.numpy()).max(initial=0))
        for variable in model.weights
    }
    largest = max(weights, key=lambda path: _order(weights[path]))
    size = weights[largest]
    grown = not size < LARGE
    causes = (
        f"weights that have grown to {size:.3g} ({largest}), by steps that were too "
        "large"
        if grown
        else "an input or a vector that is not finite, or is huge",
        "a learning rate that is too high",
        "gradients that are not clipped",
    )
    return Finding(
        "loss-not-finite",
        "error",
        f"{what} of {layer!r} overflowed: the loss or its gradient is not finite any "
        "more; the training stopped and the best weights so far came back",
        {"layer": layer, "what": what, "largest_weight": size},
        causes,
        ("a tenth of the learning rate", "clip_norm=5", "max_norm=3"),
    )


def _first(model: keras.Model, inputs: Any, norms: np.ndarray) -> tuple[str, str]:
    for variable in model.weights:
        if not np.isfinite(variable.numpy()).all():
            return _layer(variable), "the weights"
    entry = model.inputs[0] if len(model.inputs) == 1 else model.input
    named = [layer for layer in model.layers if layer.weights]
    probe = keras.Model(entry, [layer.output for layer in named])
    outputs = probe(inputs, training=False)
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    for layer, output in zip(named, outputs, strict=True):
        if not np.isfinite(keras.ops.convert_to_numpy(output)).all():
            return layer.name, "the answers"
    # The loss was finite, or the head's answers overflowed in it.
    bad = np.flatnonzero(~np.isfinite(norms))
    if len(bad):
        # Backwards: the layer nearest to the head came first.
        return _layer(model.trainable_variables[int(bad[-1])]), "the gradient"
    return named[-1].name, "the loss"


def _layer(variable: Any) -> str:
    return str(variable.path).partition("/")[0]


def _order(size: float) -> float:
    return size if np.isfinite(size) else np.inf
