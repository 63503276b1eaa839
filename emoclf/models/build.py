"""Build the Keras functional model of a run's settings."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from emoclf.errors import SettingsError
from emoclf.models.convolution import zero_padding
from emoclf.models.embedding import embed_tokens
from emoclf.models.heads import class_probabilities
from emoclf.models.keras_globals import default_keras_globals
from emoclf.models.ngram_scores import BUCKETS, NGRAMS, NgramScores
from emoclf.settings import RunSettings


@default_keras_globals()
def build_model(
    settings: RunSettings | Mapping[str, Any],
    *,
    n_classes: int,
    multilabel: bool = False,
    matrix: np.ndarray | None = None,
    shape: tuple[int, int] | None = None,
    embedded_dim: int | None = None,
    prior: np.ndarray | None = None,
    ngram_buckets: int = BUCKETS,
) -> keras.Model:
    """Build the network that the settings describe.

    Parameters
    ----------
    settings : RunSettings or mapping
        Its architecture, model and embedding sections are used.
    n_classes : int >= 2
    multilabel : bool, default=False
        A text may have several labels.
    matrix : ndarray of float32, shape (vocabulary, dim), optional
        Embedding matrix; row 0 is padding and zero.
    shape : tuple of int, optional
        Shape of the embedding matrix, if the weights are loaded afterwards.
    embedded_dim : int >= 1, optional
        Width of the vectors of a network that takes texts that were embedded before,
        for instance by another model, and has no embedding matrix.
    prior : ndarray of float, shape (n_classes,), optional
        Shares of the training texts that have each label, for the initial biases of a
        multilabel network.
    ngram_buckets : int
        Rows for hashed pairs of words in the linear part, if the settings have one.

    Returns
    -------
    model : keras.Model
        token_ids of int32, shape (batch, length) → probabilities of float32, shape
        (batch, n_classes). It ends in one softmax, or one sigmoid for each label. With
        ``embedded_dim`` it takes embedded of float32, shape (batch, length,
        embedded_dim), and mask of bool, shape (batch, length), True where there is a
        token.

    Raises
    ------
    SettingsError
        If there are fewer than two classes, there is neither a matrix nor a shape, or
        row 0 of the matrix is not zero.

    Examples
    --------
    >>> matrix = np.zeros((8, 4), np.float32)
    >>> build_model(RunSettings(), n_classes=3, matrix=matrix).output_shape
    (None, 3)
    """
    settings = RunSettings.of(settings)
    if n_classes < 2:
        raise SettingsError(
            f"A classifier needs at least two classes. Got {n_classes!r}. "
            "Give n_classes=2 for two classes: the output has a column for each."
        )
    with seeded_layers(settings.seed):
        if embedded_dim is None:
            inputs = token_ids = keras.Input((None,), dtype="int32", name="token_ids")
            embedded, mask = embed_tokens(
                token_ids,
                mode=embedding_mode(settings),
                shape=_matrix_shape(matrix, shape),
                matrix=matrix,
            )
        else:
            token_ids = None
            embedded = keras.Input((None, embedded_dim), name="embedded")
            mask = keras.Input((None,), dtype="bool", name="mask")
            inputs = (embedded, mask)
            embedded = zero_padding(embedded, mask)
        features = settings.model.build(token_ids, embedded, mask)
        mix: Callable[[Any], Any] | None = None
        if token_ids is not None and getattr(settings.model, "ngrams", False):
            vocabulary, _ = _matrix_shape(matrix, shape)
            layer = NgramScores(vocabulary, ngram_buckets, name=NGRAMS)

            def mix(logits: Any) -> Any:
                return layer(token_ids, logits)

        probabilities = class_probabilities(
            features,
            n_classes,
            multilabel=multilabel,
            max_norm=getattr(settings.model, "max_norm", None),
            prior=prior,
            mix=mix,
        )
        return keras.Model(inputs, probabilities, name=settings.architecture)


def _matrix_shape(
    matrix: np.ndarray | None, shape: tuple[int, int] | None
) -> tuple[int, int]:
    """Return the shape of the embedding matrix; check its padding row."""
    if matrix is None:
        if shape is None:
            raise SettingsError("build_model needs an embedding matrix, or its shape.")
        return shape
    if matrix[0].any():
        raise SettingsError(
            "Row 0 of the embedding matrix is padding and must be zero. "
            f"Got a row of norm {np.linalg.norm(matrix[0]):.3g}."
        )
    return matrix.shape


@contextmanager
def seeded_layers(seed: int) -> Iterator[None]:
    """Seed the initial weights and the dropout of all layers that are built inside.

    Keras draws the seed of each initializer and dropout layer from Python's ``random``,
    which is seeded inside and gets its previous state back afterwards.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


def embedding_mode(settings: RunSettings) -> str:
    """Return the embedding mode: the setting, or the default for these vectors."""
    embedding = settings.embedding
    if embedding.embedding is not None:
        return embedding.embedding
    return "non-static" if embedding.vector_paths else "random"
