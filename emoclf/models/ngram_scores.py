"""A linear part beside a network: scores of words and of pairs of words."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from emoclf.models.convolution import zero_padding
from emoclf.models.mean_embedding import hashed_pairs
from emoclf.models.tensors import Tensor
from emoclf.text.word_pairs import MIN_SQUARE

NGRAMS = "ngram_scores"
#: Path of the weights of pairs.
PAIRS = f"{NGRAMS}/pairs"
#: Rows for hashed pairs of words. With fewer, most pairs of a new text share a row with
#: one of the training texts.
BUCKETS = 1 << 17
#: Rows of networks that were saved before emoclf 0.12.
FIRST_BUCKETS = 1 << 15


@keras.saving.register_keras_serializable(package="emoclf")
class NgramScores(layers.Layer):
    """Mix a network's logits with those of a linear classifier of n-grams.

    The linear classifier adds a row of scores for each word and each pair of
    neighbours, and divides by the norm of the text's features: the last column has
    their squares. Its weights are not trained with the network:
    :func:`emoclf.training.ngrams.fit_ngram_scores` fits them afterwards. Until then
    they are zero, and the logits pass unchanged.

    Parameters
    ----------
    vocabulary : int
        Number of token ids.
    buckets : int
        Rows for hashed pairs of words.
    **kwargs
        Arguments of the Keras layer.
    """

    def __init__(
        self, vocabulary: int, buckets: int = FIRST_BUCKETS, **kwargs: Any
    ) -> None:
        super().__init__(**{"trainable": False, **kwargs})
        self.vocabulary = vocabulary
        self.buckets = buckets

    def build(self, token_ids_shape: Any, logits_shape: Any) -> None:
        n_classes = int(logits_shape[-1])
        zeros: dict[str, Any] = {"initializer": "zeros", "trainable": False}
        shape = (self.vocabulary, n_classes + 1)
        self.words = self.add_weight(shape=shape, name="words", **zeros)
        # Row 0 belongs to the last word of a text, which has no pair.
        shape = (self.buckets + 1, n_classes + 1)
        self.pairs = self.add_weight(shape=shape, name="pairs", **zeros)
        self.bias = self.add_weight(shape=(n_classes,), name="bias", **zeros)
        #: Factor of the network's logits.
        self.share = self.add_weight(
            shape=(), name="share", initializer="ones", trainable=False
        )
        self.built = True

    def call(self, token_ids: Tensor, logits: Tensor) -> Tensor:
        """Return logits, shape (batch, n_classes).

        Parameters
        ----------
        token_ids : Tensor of int32, shape (batch, length)
            0 is padding.
        logits : Tensor, shape (batch, n_classes)
        """
        is_word = ops.not_equal(token_ids, 0)
        words = zero_padding(tf.gather(self.words.value, token_ids), is_word)
        pairs = hashed_pairs(token_ids, self.buckets)
        rows = tf.gather(self.pairs.value, pairs)
        total = ops.sum(words, axis=1)
        total += ops.sum(zero_padding(rows, ops.not_equal(pairs, 0)), axis=1)
        norm = ops.sqrt(ops.maximum(total[:, -1:], MIN_SQUARE))
        return self.share * logits + total[:, :-1] / norm + self.bias

    def get_config(self) -> dict[str, Any]:
        config = {"vocabulary": self.vocabulary, "buckets": self.buckets}
        return {**super().get_config(), **config}
