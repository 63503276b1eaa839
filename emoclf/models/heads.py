"""The only output layers there are, and their twin for the loss.

A sigmoid laid on a softmax squeezes every output into [0.5, 0.731]; this is the bug
that makes networks "always predict one class". Here nobody adds an activation: a model
ends in one softmax (one label per text) or one sigmoid per label (several labels per
text), and the loss is computed from the logits of :func:`logits_twin`.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

LOGITS = "logits"
PROBABILITIES = "probabilities"
RAREST = 1e-4


def class_probabilities(
    features: Any,
    n_classes: int,
    *,
    multilabel: bool,
    max_norm: float | None = None,
    prior: np.ndarray | None = None,
) -> Any:
    """Lay the one head on the features of a text.

    Parameters
    ----------
    features : KerasTensor, shape (batch, width)
    n_classes : int >= 2
        Two classes give two columns as well.
    multilabel : bool
        A text may have several labels: one sigmoid per label, else one softmax.
    max_norm : float, optional
        Bound of the l2 norm of each class's weights; 3 in Kim (2014), section 3.1.
    prior : ndarray of float, shape (n_classes,), optional
        Shares of the texts that have each label. For several labels the biases begin
        there (Lin et al., 2017, section 3.3): else the first epochs do nothing but
        learn that most labels are absent.

    Returns
    -------
    probabilities : KerasTensor, shape (batch, n_classes)
    """
    constraint = None if max_norm is None else keras.constraints.MaxNorm(max_norm)
    bias: Any = "zeros"
    if multilabel and prior is not None:
        odds = np.clip(prior, RAREST, 1 - RAREST)
        bias = keras.initializers.Constant(np.log(odds / (1 - odds)))
    logits = layers.Dense(
        n_classes, kernel_constraint=constraint, bias_initializer=bias, name=LOGITS
    )(features)
    activation = "sigmoid" if multilabel else "softmax"
    return layers.Activation(activation, name=PROBABILITIES)(logits)


def logits_twin(model: keras.Model) -> keras.Model:
    """Return the model that ends before the activation and shares every layer.

    Losses computed from logits neither saturate nor lose digits, and cannot be given
    probabilities by mistake.
    """
    return keras.Model(
        model.input, model.get_layer(LOGITS).output, name=f"{model.name}_logits"
    )
