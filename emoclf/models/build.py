"""From settings to a Keras functional model that gives probabilities."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from emoclf._moved import renamed_argument
from emoclf.errors import SettingsError
from emoclf.models.convolution import keep_real
from emoclf.models.embedding import embed_tokens
from emoclf.models.heads import class_probabilities
from emoclf.models.registry import build_function
from emoclf.settings import RunSettings


@renamed_argument("several", "multilabel")
def build_model(
    settings: RunSettings,
    *,
    n_classes: int,
    multilabel: bool = False,
    matrix: np.ndarray | None = None,
    shape: tuple[int, int] | None = None,
    embedded_dim: int | None = None,
    prior: np.ndarray | None = None,
) -> keras.Model:
    """Build the network that the settings describe.

    Parameters
    ----------
    settings : RunSettings
        Its architecture, model and embedding sections are used.
    n_classes : int >= 2
    multilabel : bool, default=False
        A text may have several labels.
    matrix : ndarray of float32, shape (vocabulary, dim)
        The embedding matrix; row 0 is padding and zero.
    shape : tuple of int, optional
        Shape of the matrix, when the weights are loaded afterwards.
    embedded_dim : int >= 1, optional
        Build a network for texts that come embedded, with vectors of this width, by
        another model for instance; there is no matrix then.
    prior : ndarray of float, shape (n_classes,), optional
        Shares of the training texts that have each label: where the biases of several
        labels begin.

    Returns
    -------
    model : keras.Model
        token_ids of int32, shape (batch, length) → probabilities of float32, shape
        (batch, n_classes). It ends in one softmax, or one sigmoid per label. With
        ``embedded_dim`` it takes embedded of float32, shape (batch, length,
        embedded_dim), and mask of bool, shape (batch, length), True where a word is.

    Raises
    ------
    SettingsError
        If there are fewer than two classes, or row 0 of the matrix is not zero.

    Examples
    --------
    >>> matrix = np.zeros((8, 4), np.float32)
    >>> build_model(RunSettings(), n_classes=3, matrix=matrix).output_shape
    (None, 3)
    """
    if n_classes < 2:
        raise SettingsError(
            f"A classifier needs at least two classes. Got {n_classes!r}. "
            "Two classes give two columns."
        )
    head = _Head(n_classes, multilabel, prior)
    if embedded_dim is not None:
        return _from_embedded(settings, embedded_dim, head)
    if matrix is not None:
        shape = matrix.shape
        if matrix[0].any():
            raise SettingsError(
                "Row 0 of the embedding matrix is padding and must be zero. "
                f"Got a row of norm {np.linalg.norm(matrix[0]):.3g}."
            )
    if shape is None:
        raise SettingsError("build_model needs an embedding matrix, or its shape.")
    with seeded_layers(settings.seed):
        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        embedded, mask = embed_tokens(
            token_ids,
            mode=embedding_mode(settings),
            size=shape[0],
            dim=shape[1],
            matrix=matrix,
        )
        return _finished(settings, token_ids, token_ids, embedded, mask, head)


@dataclass(frozen=True)
class _Head:
    """What the one head is laid for."""

    n_classes: int
    multilabel: bool
    prior: np.ndarray | None


def _from_embedded(settings: RunSettings, dim: int, head: _Head) -> keras.Model:
    """Build a network for texts that come embedded."""
    with seeded_layers(settings.seed):
        embedded = keras.Input((None, dim), dtype="float32", name="embedded")
        mask = keras.Input((None,), dtype="bool", name="mask")
        silent = keep_real(embedded, mask)
        return _finished(settings, (embedded, mask), None, silent, mask, head)


def _finished(
    settings: RunSettings,
    inputs: Any,
    token_ids: Any,
    embedded: Any,
    mask: Any,
    head: _Head,
) -> keras.Model:
    """Lay the architecture and the one head on embedded words."""
    build = build_function(settings.architecture)
    probabilities = class_probabilities(
        build(token_ids, embedded, mask, settings.model),
        head.n_classes,
        multilabel=head.multilabel,
        max_norm=getattr(settings.model, "max_norm", None),
        prior=head.prior,
    )
    return keras.Model(inputs, probabilities, name=settings.architecture)


@contextmanager
def seeded_layers(seed: int) -> Iterator[None]:
    """Make the layers built inside draw the same weights and dropout every time.

    Keras draws the seed of each initializer and dropout layer from Python's ``random``.
    It finds a seeded one here, and the caller's own state is given back afterwards, so
    that nobody's process is reseeded.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


def embedding_mode(settings: RunSettings) -> str:
    """Return the mode in force: what was asked for, or what fits the vectors."""
    embedding = settings.embedding
    if embedding.embedding is not None:
        return embedding.embedding
    return "non-static" if embedding.vectors else "random"
