"""The output layers of every network, and the twin without the last for the loss.

A sigmoid after a softmax squeezes every output into [0.5, 0.731]; this is the bug that
makes networks "always predict one class". Architectures therefore add no activation of
their own: every model ends in one softmax (one label per text) or one sigmoid for each
label (multilabel), and the loss is computed from the logits of :func:`logits_twin`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from emoclf.models.ngram_scores import NGRAMS
from emoclf.models.tensors import Tensor

LOGITS = "logits"
PROBABILITIES = "probabilities"
MIN_PRIOR = 1e-4


def class_probabilities(
    features: Tensor,
    n_classes: int,
    *,
    multilabel: bool,
    max_norm: float | None = None,
    prior: np.ndarray | None = None,
    mix: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Add the head to the features of a text.

    Parameters
    ----------
    features : Tensor, shape (batch, width)
    n_classes : int >= 2
        Two classes have two columns as well.
    multilabel : bool
        One sigmoid for each label instead of one softmax.
    max_norm : float, optional
        Maximum l2 norm of each class's weights; 3 in Kim (2014), section 3.1.
    prior : ndarray of float, shape (n_classes,), optional
        Shares of the texts that have each label, for the initial biases of a multilabel
        head (Lin et al., 2017, section 3.3). Without them the first epochs learn only
        that most labels are absent.
    mix : callable, optional
        Function of the logits that returns those of the probabilities. It is not
        trained: the loss is computed from the logits before it.

    Returns
    -------
    probabilities : Tensor, shape (batch, n_classes)
    """
    constraint = None if max_norm is None else keras.constraints.MaxNorm(max_norm)
    bias: Any = "zeros"
    if multilabel and prior is not None:
        odds = np.clip(prior, MIN_PRIOR, 1 - MIN_PRIOR)
        bias = keras.initializers.Constant(np.log(odds / (1 - odds)))
    logits = layers.Dense(
        n_classes, kernel_constraint=constraint, bias_initializer=bias, name=LOGITS
    )(features)
    if mix is not None:
        logits = mix(logits)
    activation = "sigmoid" if multilabel else "softmax"
    return layers.Activation(activation, name=PROBABILITIES)(logits)


def logits_twin(model: keras.Model) -> keras.Model:
    """Return a model that ends before the activation and shares every layer.

    A loss computed from logits neither saturates nor loses digits, and cannot get
    probabilities by mistake.
    """
    return keras.Model(
        model.input, model.get_layer(LOGITS).output, name=f"{model.name}_logits"
    )


def divide_logits(model: keras.Model, temperature: float) -> None:
    """Divide the logits of a network, by its last weights.

    So every export has the temperature without knowing of it.

    Parameters
    ----------
    model : keras.Model
        Network from :func:`emoclf.models.build_model`, with fitted weights.
    temperature : float > 0
    """
    layers = {layer.name: layer for layer in model.layers}
    if NGRAMS in layers:
        layer: Any = layers[NGRAMS]
        for table in (layer.words, layer.pairs):
            # The last column has squares of features, not scores.
            scale = np.full(table.shape[-1], 1 / temperature, np.float32)
            scale[-1] = 1
            table.assign(table.numpy() * scale)
        variables = [layer.bias, layer.share]
    else:
        variables = layers[LOGITS].weights
    for variable in variables:
        variable.assign(variable.numpy() / temperature)
