"""What is wrong with a network that somebody built, before it is trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from emoclf.doctor.data import check_targets
from emoclf.doctor.findings import Finding
from emoclf.errors import ModelError

HEADS = ("softmax", "sigmoid", "linear")
RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)
AVERAGES = (keras.layers.GlobalAveragePooling1D, keras.layers.Flatten)
ONE_LABEL = ("categorical_crossentropy", "sparse_categorical_crossentropy")
PER_LABEL = ("binary_crossentropy", "binary_focal_crossentropy")


def check_model(model: keras.Model, targets: Any = None) -> list[Finding]:
    """Look for the mistakes that make a classifier "always predict one class".

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, with its input known; compiled or not. What can be
        seen of the loss needs ``compile``.
    targets : array, optional
        Labels as they would be given to ``fit``.

    Returns
    -------
    findings : list of Finding
        Empty when nothing is wrong.

    Raises
    ------
    ModelError
        If the model cannot be looked into, or does not end in one output of shape
        (batch, units).

    Examples
    --------
    >>> from keras import Input, Model, layers
    >>> inputs = Input((20,))
    >>> stacked = layers.Activation("sigmoid")(layers.Dense(7, "softmax")(inputs))
    >>> [finding.name for finding in check_model(Model(inputs, stacked))]
    ['stacked-activations']
    """
    if not isinstance(model, keras.Model):
        raise ModelError(
            f"check_model takes a keras.Model. Got {type(model).__name__} instead."
        )
    output = _output(model)
    found = [
        _stacked(head_activations(model)),
        _head_without_a_choice(model, output),
        _loss(model),
        _inner_softmax(model),
        _unmasked(model),
    ]
    if targets is not None:
        found.append(_targets(model, targets, int(output.shape[-1])))
    return [one for one in found if one is not None]


def head_activations(model: keras.Model) -> list[str]:
    """Return the activations that lie on each other at the end of a model.

    Walks back from the output, through layers that change no number, as long as there
    are activations; the last one comes first.
    """
    found: list[str] = []
    for operation in _from_the_end(model):
        name = _activation(operation)
        if name != "linear":
            found.append(name)
    return found


def _from_the_end(model: keras.Model) -> Iterator[Any]:
    """Give the operations of a model's end, up to the first with weights."""
    tensor = model.outputs[0]
    while True:
        history = tensor._keras_history
        operation = history.operation
        if isinstance(operation, keras.Model):
            # A model that was taken up as a layer: look inside, then go on below it.
            yield from _from_the_end(operation)
        else:
            yield operation
        # A layer that is used more than once has a node for each time.
        node = operation._inbound_nodes[history.node_index]
        if getattr(operation, "weights", None) or len(node.input_tensors) != 1:
            return
        tensor = node.input_tensors[0]


def _output(model: keras.Model) -> Any:
    outputs = getattr(model, "outputs", None)
    if not outputs:
        raise ModelError(
            f"{type(model).__name__} {model.name!r} cannot be looked into: its layers "
            "are not connected yet. Begin a Sequential with keras.Input, or build a "
            "functional model."
        )
    if len(outputs) != 1 or len(outputs[0].shape) != 2:
        shapes = ", ".join(str(tuple(one.shape)) for one in outputs)
        raise ModelError(
            "A classifier must end in one output of shape (batch, units). "
            f"{model.name!r} ends in {shapes} instead."
        )
    return outputs[0]


def _stacked(activations: list[str]) -> Finding | None:
    if len(activations) < 2:
        return None
    shown = " on ".join(activations)
    squeezed = activations[:2] == ["sigmoid", "softmax"]
    why = (
        ": every output lies between 0.5 and 0.731, so that a threshold of 0.5 answers "
        "the same for every text, and the loss stops far above zero"
        if squeezed
        else ": the outer one squeezes what the inner one has decided"
    )
    return Finding(
        "stacked-activations",
        "error",
        f"the head lays a {shown}{why}",
        {"activations": shown},
        (f"a layer with activation={activations[0]!r} after one with an activation",),
        ("one activation: softmax for one label per text, sigmoid for several",),
    )


def _head_without_a_choice(model: keras.Model, output: Any) -> Finding | None:
    activations = head_activations(model)
    head = activations[0] if activations else "linear"
    if head == "softmax" and output.shape[-1] == 1:
        return Finding(
            "softmax-of-one",
            "error",
            "the head is a softmax over one unit, which is 1 for every text",
            {"units": 1},
            ("two classes, taken for one unit",),
            ("two units with softmax", "one unit with sigmoid"),
        )
    if head in HEADS:
        return None
    return Finding(
        "head-is-no-probability",
        "error",
        f"the head ends in {head!r}, which gives no probabilities",
        {"activation": head},
        ("an activation that belongs to hidden layers",),
        ("softmax for one label per text, sigmoid for several",),
    )


def _loss(model: keras.Model) -> Finding | None:
    name, from_logits = _loss_of(model)
    if name is None:
        return None
    activations = head_activations(model)
    head = activations[0] if activations else "linear"
    units = int(model.outputs[0].shape[-1])
    wrong = _unfit(name, from_logits=from_logits, head=head, units=units)
    if wrong is None:
        return None
    severity, message, cure = wrong
    return Finding(
        "loss-does-not-fit-head",
        severity,
        message,
        {"loss": name, "from_logits": str(from_logits), "head": head, "units": units},
        ("a loss that was made for another head",),
        (cure,),
    )


def _unfit(
    name: str, *, from_logits: bool, head: str, units: int
) -> tuple[str, str, str] | None:
    if name not in (*ONE_LABEL, *PER_LABEL):
        return None
    if from_logits and head != "linear":
        return (
            "error",
            f"{name} is told that it gets logits, and gets what {head} made of them",
            "from_logits=False, or a head without activation",
        )
    if not from_logits and head == "linear":
        return (
            "error",
            f"{name} expects probabilities, and the head has no activation",
            "from_logits=True, or an activation in the head",
        )
    if name in ONE_LABEL and units == 1:
        return (
            "error",
            f"{name} needs a unit for each class, and the head has one: the loss is 0 "
            "whatever it answers",
            "two units with softmax, or sigmoid with binary_crossentropy",
        )
    if name in ONE_LABEL and head == "sigmoid":
        return (
            "error",
            f"{name} is for one label per text, and each unit of a sigmoid decides for "
            "itself",
            "softmax, or binary_crossentropy for several labels",
        )
    if name in PER_LABEL and head == "softmax":
        return (
            "warning",
            f"{name} is for several labels per text, and a softmax lets one win",
            "sparse_categorical_crossentropy, or sigmoid for several labels",
        )
    return None


def _loss_of(model: keras.Model) -> tuple[str | None, bool]:
    loss = getattr(model, "loss", None)
    if loss is None or isinstance(loss, dict | list | tuple):
        return None, False
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    from_logits = bool(
        getattr(loss, "_fn_kwargs", {}).get(
            "from_logits", getattr(loss, "from_logits", False)
        )
    )
    name = getattr(loss, "name", None) or getattr(loss, "__name__", "")
    return str(name), from_logits


def _inner_softmax(model: keras.Model) -> Finding | None:
    """Find a softmax whose answers go through a layer with weights again."""
    ends = set(map(id, _from_the_end(model)))
    for layer in model.layers:
        if id(layer) in ends or _activation(layer) != "softmax":
            continue
        readers = [
            node.operation
            for own in layer._inbound_nodes
            for tensor in own.output_tensors
            for other in model.layers
            for node in other._inbound_nodes
            if any(tensor is one for one in node.input_tensors)
        ]
        if any(isinstance(reader, keras.layers.Dense) for reader in readers):
            return Finding(
                "softmax-inside",
                "warning",
                f"{layer.name!r} ends in a softmax, and another layer reads it: all "
                "its units together carry a sum of 1",
                {"layer": layer.name},
                ("a head that was left in place when another was added",),
                (f"no activation or relu in {layer.name!r}",),
            )
    return None


def _unmasked(model: keras.Model) -> Finding | None:
    """Find layers that read padding as if it were words."""
    embeddings = [x for x in model.layers if isinstance(x, keras.layers.Embedding)]
    if not embeddings:
        return None
    for layer in model.layers:
        if not isinstance(layer, (*RECURRENT, *AVERAGES)):
            continue
        for node in layer._inbound_nodes:
            tensor = node.input_tensors[0]
            masked = getattr(tensor, "_keras_mask", None) is not None
            given = node.arguments.kwargs.get("mask") is not None
            if len(tensor.shape) == 3 and not masked and not given:
                return Finding(
                    "unmasked-padding",
                    "warning",
                    f"{layer.name!r} is told of no mask: it reads padding as words, "
                    "and a text's answer depends on how far it was padded",
                    {"layer": layer.name},
                    ("Embedding without mask_zero", "Conv1D, which drops the mask"),
                    ("mask_zero=True", "padding to the longest text of a batch only"),
                )
    return None


def _targets(model: keras.Model, targets: Any, units: int) -> Finding | None:
    targets = np.asarray(targets)
    name, _ = _loss_of(model)
    sparse = (name or "").startswith("sparse")
    if units == 1:
        # One sigmoid: 0 or 1, in a column or not.
        flat = targets[:, 0] if targets.shape[1:] == (1,) else targets
        return check_targets(flat, n_classes=2, multilabel=False)
    if head_activations(model)[:1] == ["sigmoid"] and name not in ONE_LABEL:
        return check_targets(targets, n_classes=units, multilabel=True)
    if sparse or (targets.ndim == 1 and name is None):
        return check_targets(targets, n_classes=units, multilabel=False)
    return _one_hot(targets, units)


def _one_hot(targets: Any, units: int) -> Finding | None:
    found = check_targets(targets, n_classes=units, multilabel=True)
    if found is not None:
        return found
    sums = targets.sum(1)
    if (sums == 1).all():
        return None
    return Finding(
        "wrong-targets",
        "error",
        f"one label per text is one 1 in each row; rows sum to "
        f"{sums.min():g} to {sums.max():g}",
        {"lowest": float(sums.min()), "highest": float(sums.max())},
        ("texts with no label, or with several",),
        ("sigmoid and binary_crossentropy for several labels per text",),
    )


def _activation(operation: Any) -> str:
    # As a layer (Softmax, ReLU), or as an operation (keras.ops.sigmoid).
    known = {"Softmax", "Sigmoid", "Relu", "ReLU", "Tanh", "Elu"}
    kind = type(operation).__name__
    if kind in known:
        return kind.lower()
    return getattr(getattr(operation, "activation", None), "__name__", "linear")
