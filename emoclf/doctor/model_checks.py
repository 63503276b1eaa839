"""Check a Keras model of any origin before it is trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from emoclf.doctor.data import check_imbalance, check_targets, wrong_targets
from emoclf.doctor.findings import Finding
from emoclf.doctor.gradients import check_rate
from emoclf.errors import ModelError
from emoclf.settings.sections import RATES

HEAD_ACTIVATIONS = ("softmax", "sigmoid", "linear")
MASKED_LAYERS = (
    keras.layers.RNN,
    keras.layers.Bidirectional,
    keras.layers.GlobalAveragePooling1D,
    keras.layers.Flatten,
)
SINGLE_LABEL_LOSSES = ("categorical_crossentropy", "sparse_categorical_crossentropy")
MULTILABEL_LOSSES = ("binary_crossentropy", "binary_focal_crossentropy")
#: Classes of layers and of operations (keras.ops.sigmoid) that are activations.
ACTIVATION_CLASSES = {"Softmax", "Sigmoid", "Relu", "ReLU", "Tanh", "Elu"}


def check_model(model: keras.Model, targets: Any = None) -> list[Finding]:
    """Check a model for mistakes that make it "always predict one class".

    Parameters
    ----------
    model : keras.Model
        Sequential or functional model with a known input. Its loss and its learning
        rate are checked if it is compiled.
    targets : array, optional
        Labels as for ``fit``; they must fit the head, and imbalance is reported.

    Returns
    -------
    findings : list of Finding
        Empty if nothing is wrong.

    Raises
    ------
    ModelError
        If the layers of the model are not connected, or it does not end in one output
        of shape (batch, units).

    Examples
    --------
    >>> from keras import Input, Model, layers
    >>> inputs = Input((20,))
    >>> stacked = layers.Activation("sigmoid")(layers.Dense(7, "softmax")(inputs))
    >>> [finding.name for finding in check_model(Model(inputs, stacked))]
    ['stacked-activations']
    """
    if not isinstance(model, keras.Model):
        cure = " Give its attribute model." if hasattr(model, "model") else ""
        kind = type(model).__name__
        raise ModelError(f"check_model takes a keras.Model. Got {kind} instead.{cure}")
    units = int(_output(model).shape[-1])
    activations = head_activations(model)
    head = activations[0] if activations else "linear"
    findings = [
        _stacked(activations),
        _head_activation(head, units),
        _loss_and_head(model, head, units),
        _inner_softmax(model),
        _unmasked(model),
        _learning_rate(model),
    ]
    if targets is not None:
        wrong = _targets(model, targets, head, units)
        findings.append(wrong)
        if wrong is None:
            numbers = numbered_targets(model, np.asarray(targets))
            one_hot = numbers if numbers.ndim == 2 else np.eye(max(2, units))[numbers]
            findings.append(check_imbalance(one_hot.sum(0).astype(np.int64)))
    return [finding for finding in findings if finding is not None]


def head_activations(model: keras.Model) -> list[str]:
    """Return the activations after the last layer with weights, and its own.

    The last one comes first.
    """
    names = map(_activation, _last_operations(model))
    return [name for name in names if name != "linear"]


def head_layers(model: keras.Model) -> set[str]:
    """Return the names of the last layer with weights and of those after it."""
    return {operation.name for operation in _last_operations(model)}


def is_multilabel(model: keras.Model) -> bool:
    """Say whether a model decides each label by itself."""
    name, _ = _loss_of(model)
    if int(_output(model).shape[-1]) == 1 or name in SINGLE_LABEL_LOSSES:
        return False
    activations = head_activations(model)
    return activations[:1] == ["sigmoid"] or (
        not activations and name in MULTILABEL_LOSSES
    )


def numbered_targets(model: keras.Model, targets: np.ndarray) -> np.ndarray:
    """Return targets that fit a model as class ids; multilabel: as 0 and 1.

    Returns
    -------
    numbers : ndarray of int, shape (n,); multilabel: (n, n_classes)
    """
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if targets.ndim == 2 and not is_multilabel(model):
        return targets.argmax(1)
    return targets.astype(np.int64)


def _learning_rate(model: keras.Model) -> Finding | None:
    """Check the learning rate of a compiled model with a usual optimizer."""
    optimizer: Any = getattr(model, "optimizer", None)
    name = type(optimizer).__name__.lower()
    if name == "sgd" and getattr(optimizer, "momentum", False):
        name = "momentum"
    if name not in RATES:
        return None
    try:
        rate = float(optimizer.learning_rate)
    except TypeError:
        # A callable rate has no value of its own.
        return None
    # A schedule may begin with a rate of zero.
    return check_rate(rate, usual=RATES[name], optimizer=name) if rate > 0 else None


def _last_operations(model: keras.Model) -> Iterator[Any]:
    """Yield the operations of a model from its end, up to the first with weights."""
    tensor = model.outputs[0]
    while True:
        history = tensor._keras_history
        operation = history.operation
        if isinstance(operation, keras.Model):
            # A model that is used as a layer: first its own operations.
            yield from _last_operations(operation)
        else:
            yield operation
        # A layer has a node for each of its uses.
        node = operation._inbound_nodes[history.node_index]
        if getattr(operation, "weights", None) or len(node.input_tensors) != 1:
            return
        tensor = node.input_tensors[0]


def _output(model: keras.Model) -> Any:
    outputs = getattr(model, "outputs", None)
    if not outputs:
        raise ModelError(
            f"{type(model).__name__} {model.name!r} cannot be checked: its layers are "
            "not connected yet. Begin a Sequential with keras.Input, or build a "
            "functional model."
        )
    if len(outputs) != 1 or len(outputs[0].shape) != 2:
        shapes = ", ".join(str(tuple(output.shape)) for output in outputs)
        raise ModelError(
            "A classifier must end in one output of shape (batch, units). "
            f"{model.name!r} ends in {shapes} instead."
        )
    return outputs[0]


def _stacked(activations: list[str]) -> Finding | None:
    if len(activations) < 2:
        return None
    stack = " on ".join(activations)
    effect = (
        "every output is between 0.5 and 0.731, so that a threshold of 0.5 predicts "
        "the same for every text, and the loss stops far above zero"
        if activations[:2] == ["sigmoid", "softmax"]
        else "the outer one squeezes the outputs of the inner one"
    )
    return Finding(
        "stacked-activations",
        "error",
        f"the head applies {stack}: {effect}",
        {"activations": stack},
        (f"a layer with activation={activations[0]!r} after one with an activation",),
        ("one activation: softmax for one label per text, sigmoid for multilabel",),
    )


def _head_activation(head: str, units: int) -> Finding | None:
    if head == "softmax" and units == 1:
        return Finding(
            "softmax-of-one",
            "error",
            "the head is a softmax over one unit, whose output is 1 for every text",
            {"units": 1},
            ("one unit for two classes",),
            ("two units with softmax", "one unit with sigmoid"),
        )
    if head in HEAD_ACTIVATIONS:
        return None
    return Finding(
        "head-is-no-probability",
        "error",
        f"the head ends in {head!r}, whose outputs are not probabilities",
        {"activation": head},
        ("an activation that belongs to hidden layers",),
        ("softmax for one label per text, sigmoid for multilabel",),
    )


def _loss_and_head(model: keras.Model, head: str, units: int) -> Finding | None:
    name, from_logits = _loss_of(model)
    single = name in SINGLE_LABEL_LOSSES
    if name is None or not (single or name in MULTILABEL_LOSSES):
        return None
    severity = "error"
    if from_logits and head != "linear":
        message = f"{name} expects logits, but gets the outputs of {head}"
        cure = "from_logits=False, or a head without activation"
    elif not from_logits and head == "linear":
        message = f"{name} expects probabilities, but the head has no activation"
        cure = "from_logits=True, or an activation in the head"
    elif single and units == 1:
        message = (
            f"{name} needs a unit for each class, but the head has one: the loss is "
            "always 0"
        )
        cure = "two units with softmax, or sigmoid with binary_crossentropy"
    elif single and head == "sigmoid":
        message = (
            f"{name} is for one label per text, but a sigmoid decides each label by "
            "itself"
        )
        cure = "softmax, or binary_crossentropy for multilabel"
    elif not single and head == "softmax":
        severity = "warning"
        message = (
            f"{name} is for multilabel, but a softmax makes the labels exclude each "
            "other"
        )
        cure = "sparse_categorical_crossentropy, or sigmoid for multilabel"
    else:
        return None
    return Finding(
        "loss-does-not-fit-head",
        severity,
        message,
        {"loss": name, "from_logits": str(from_logits), "head": head, "units": units},
        ("a loss that was made for another head",),
        (cure,),
    )


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
    """Check for a softmax whose outputs go into a dense layer."""
    last_operations = set(map(id, _last_operations(model)))
    for layer in model.layers:
        if id(layer) in last_operations or _activation(layer) != "softmax":
            continue
        nodes = layer._inbound_nodes
        outputs = {id(tensor) for node in nodes for tensor in node.output_tensors}
        if any(
            id(tensor) in outputs
            for reader in model.layers
            if isinstance(reader, keras.layers.Dense)
            for node in reader._inbound_nodes
            for tensor in node.input_tensors
        ):
            return Finding(
                "softmax-inside",
                "warning",
                f"{layer.name!r} ends in a softmax, and another layer reads it: its "
                "outputs sum to 1, whatever the text",
                {"layer": layer.name},
                ("a head that was kept when another one was added",),
                (f"no activation, or relu, in {layer.name!r}",),
            )
    return None


def _unmasked(model: keras.Model) -> Finding | None:
    """Check for layers that read padding as tokens."""
    if not any(isinstance(layer, keras.layers.Embedding) for layer in model.layers):
        return None
    for layer in model.layers:
        if not isinstance(layer, MASKED_LAYERS):
            continue
        for node in layer._inbound_nodes:
            tensor = node.input_tensors[0]
            masked = getattr(tensor, "_keras_mask", None) is not None
            mask_passed = node.arguments.kwargs.get("mask") is not None
            if len(tensor.shape) == 3 and not masked and not mask_passed:
                return Finding(
                    "unmasked-padding",
                    "warning",
                    f"{layer.name!r} gets no mask: it reads padding as tokens, and the "
                    "prediction for a text depends on the amount of padding",
                    {"layer": layer.name},
                    ("Embedding without mask_zero", "Conv1D, which drops the mask"),
                    ("mask_zero=True", "padding to the longest text of a batch only"),
                )
    return None


def _targets(model: keras.Model, targets: Any, head: str, units: int) -> Finding | None:
    targets = np.asarray(targets)
    name, _ = _loss_of(model)
    if units == 1:
        # One sigmoid: 0 or 1, in a column or not.
        flat = targets[:, 0] if targets.shape[1:] == (1,) else targets
        return check_targets(flat, n_classes=2, multilabel=False)
    multilabel = is_multilabel(model)
    sparse = (name or "").startswith("sparse") or (targets.ndim == 1 and name is None)
    by_columns = multilabel or not sparse
    finding = check_targets(targets, n_classes=units, multilabel=by_columns)
    if finding is not None or multilabel or not by_columns:
        return finding
    # One-hot labels.
    sums = targets.sum(1)
    if (sums == 1).all():
        return None
    return wrong_targets(
        "for one label per text, one number of each row must be 1 and the rest 0; rows "
        f"sum to {sums.min():g} to {sums.max():g}",
        {"lowest": float(sums.min()), "highest": float(sums.max())},
        "texts with no label, or with several",
        "sigmoid and binary_crossentropy for multilabel",
    )


def _activation(operation: Any) -> str:
    class_name = type(operation).__name__
    if class_name in ACTIVATION_CLASSES:
        return class_name.lower()
    return getattr(getattr(operation, "activation", None), "__name__", "linear")
