"""Find the layer in which numbers overflowed first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from emoclf.doctor.findings import Finding

LARGE_WEIGHT = 1e4


def explain_overflow(
    model: keras.Model, inputs: Any, norms: np.ndarray | None
) -> Finding:
    """Return a finding with the first layer that has an infinite number or a NaN.

    Parameters
    ----------
    model : keras.Model
    inputs : array or structure of arrays, or None
        Inputs of the model; without them only the weights are checked.
    norms : ndarray of float, shape (n_trainable_variables,), or None
        Norms of the step's gradients, if the optimizer skipped the step and the
        training ended. The weights are then those that the batch was computed with or,
        with a momentum, close to them.
    """
    layer, quantity = _first_overflow(model, inputs, norms)
    largest = {
        str(variable.path): float(np.abs(variable.numpy()).max(initial=0))
        for variable in model.weights
    }
    # NaN counts as infinite.
    path = max(
        largest,
        key=lambda path: largest[path] if np.isfinite(largest[path]) else np.inf,
    )
    weight = largest[path]
    has_grown = not weight < LARGE_WEIGHT
    consequence = (
        "no further step can repair that: end the training"
        if norms is None
        else "the training stopped and the best weights so far were restored"
    )
    return Finding(
        "loss-not-finite",
        "error",
        f"{quantity} of {layer!r} overflowed, so the loss or its gradient is not "
        f"finite; {consequence}",
        {"layer": layer, "what": quantity, "largest_weight": weight},
        (
            f"weights that have grown to {weight:.3g} ({path}) by steps that were too "
            "large"
            if has_grown
            else "an input or a vector that is not finite, or is huge",
            "a learning rate that is too high",
            "gradients that are not clipped",
        ),
        ("a tenth of the learning rate", "clip_norm=5", "max_norm=3"),
    )


def _first_overflow(
    model: keras.Model, inputs: Any, norms: np.ndarray | None
) -> tuple[str, str]:
    """Return the name of the first layer that overflowed, and its quantity."""
    for variable in model.weights:
        if not np.isfinite(variable.numpy()).all():
            return layer_name(variable, model), "the weights"
    layers = [layer for layer in model.layers if layer.weights]
    if inputs is not None:
        outputs = layer_outputs(model, layers)(inputs, training=False)
        for layer in layers:
            if not np.isfinite(outputs[layer.name].numpy()).all():
                return layer.name, "the outputs"
    overflowed = np.flatnonzero(~np.isfinite([] if norms is None else norms))
    if len(overflowed):
        # Gradients are computed from the head backwards: the last layer was first.
        variable = model.trainable_variables[int(overflowed[-1])]
        return layer_name(variable, model), "the gradient"
    return layers[-1].name, "the loss"


def layer_outputs(model: keras.Model, layers: Iterable[Any]) -> keras.Model:
    """Return a model of the same input that returns the outputs of layers by name."""
    # A Sequential finds its input by this name only.
    entry = model.inputs[0] if len(model.inputs) == 1 else model.input
    return keras.Model(entry, {layer.name: layer.output for layer in layers})


def layer_name(variable: Any, model: keras.Model) -> str:
    """Return the name of the model's layer that a variable belongs to."""
    parts = str(variable.path).split("/")
    # In a Sequential that was built by its first batch, the model's name comes first.
    names = {layer.name for layer in model.layers}
    return next((part for part in parts if part in names), parts[0])
