"""From token ids to the best tags and the confidence of each span, in one graph.

The folder of a model and its exports run this code, so that they answer equally.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from emoclf.aspects.data.tags import OUTSIDE, decode_tags
from emoclf.aspects.terms.prediction_crf import PredictionCRF
from emoclf.aspects.terms.sentence_encoder import MAX_CHARACTERS
from emoclf.models.crf import CRF

#: Smallest divisor, so that an impossible tag does not make a confidence of NaN.
_MIN_PROBABILITY = 1e-12


class SpanDecoder(tf.Module):
    """From scores of tags to the best tags and the confidences of their spans.

    Parameters
    ----------
    tags : sequence of str
        Tags in the order of their ids.
    crfs : sequence of CRF
        Their scores are averaged.
    """

    def __init__(self, tags: Sequence[str], crfs: Sequence[CRF]) -> None:
        super().__init__(name="span_decoder")
        self.crf = PredictionCRF(crfs)
        self.n_tags = len(tags)
        # Arrays, since tf2onnx takes a captured tensor for one more input.
        # decode_tags looks at two neighbours only, so that a table has all it says.
        continues = [
            [OUTSIDE not in (a, b) and len(decode_tags([a, b])) == 1 for b in tags]
            for a in tags
        ]
        self._continues = np.array(continues, np.float32)
        # Only BIO does not say where a span ends: it does unless an I follows.
        self._is_bio = not any(tag[:1] in "ES" for tag in tags)
        self._inside = np.zeros((len(tags), len(tags)), np.float32)
        if self._is_bio:
            for number, tag in enumerate(tags):
                if tag != OUTSIDE:
                    self._inside[number, list(tags).index("I" + tag[1:])] = 1

    def __call__(self, emissions: Any, mask: Any) -> dict[str, Any]:
        """Return the tags and the confidences.

        Parameters
        ----------
        emissions : float32, shape (batch, length, n_tags)
        mask : bool, shape (batch, length)
            True where there is a token; padding comes after the tokens.

        Returns
        -------
        outputs : dict
            ``tags``: int32 (batch, length), 0 for padding and for "O";
            ``confidence``: float32 (batch, length), at the first token of each span the
            probability of exactly these borders, else 0; ``begins`` and ``ends``: bool
            (batch, length), the first and the last tokens of the spans.
        """
        tags = self.crf.best_path(emissions, mask)
        marginals, pairs = self.crf.marginals_and_pairs(emissions, mask)
        hot = tf.one_hot(tags, self.n_tags)
        before = _shift(hot)
        marginal = tf.reduce_sum(marginals * hot, -1)
        marginal_before = tf.maximum(_shift(marginal), _MIN_PROBABILITY)
        continues = tf.reduce_sum(tf.matmul(before, self._continues) * hot, -1)
        # Given the sentence, the tags are a Markov chain.
        step = _sum_of_pairs(pairs, before, hot) / marginal_before
        stops = tf.ones_like(marginal)
        if self._is_bio:
            goes_on = tf.matmul(before, self._inside)
            stops = 1 - _sum_of_pairs(pairs, before, goes_on) / marginal_before
            stops = _shift(stops, by=-1, fill=1.0)
        after = _shift(continues, by=-1)
        rest = self._products(after, _shift(step, by=-1), stops)
        begins = (tags > 0) & (continues < 0.5)
        confidence = tf.where(begins, tf.clip_by_value(marginal * rest, 0.0, 1.0), 0.0)
        ends = (tags > 0) & (after < 0.5)
        return {"tags": tags, "confidence": confidence, "begins": begins, "ends": ends}

    def _products(self, after: Any, step: Any, stops: Any) -> Any:
        """Return for each token the probability of the rest of its span."""

        def multiply(rest: Any, token: Any) -> Any:
            rest = tf.where(token[..., 0] > 0.5, token[..., 1] * rest, token[..., 2])
            return rest, rest

        values = tf.transpose(tf.stack([after, step, stops], -1), (1, 0, 2))
        start = tf.ones_like(values[0, :, 0])
        return tf.transpose(self.crf.scan(multiply, start, values, reverse=True)[1])


class TaggingGraph(tf.Module):
    """The networks of a tagger and their decoder.

    Parameters
    ----------
    networks : sequence of TaggerNetwork
        Several: their emissions and transitions are averaged, which is the geometric
        mean of their distributions over sequences.
    tags : sequence of str
    characters : bool
        Whether the networks read the characters of tokens.
    """

    def __init__(
        self, networks: Sequence[Any], tags: Sequence[str], *, characters: bool
    ) -> None:
        super().__init__(name="tagging_graph")
        self.networks = [network.emissions for network in networks]
        self.decoder = SpanDecoder(tags, [network.crf for network in networks])
        self.signature = [tf.TensorSpec((None, None), tf.int32, "token_ids")]
        if characters:
            shape = (None, None, MAX_CHARACTERS)
            self.signature.append(tf.TensorSpec(shape, tf.int32, "characters"))

    def __call__(self, *inputs: Any) -> dict[str, Any]:
        """Return what :class:`SpanDecoder` returns.

        Parameters
        ----------
        token_ids : int32, shape (batch, length), length >= 1
            0 is padding, which comes after the tokens.
        characters : int32, shape (batch, length, MAX_CHARACTERS)
            If they are read.
        """
        names = [spec.name for spec in self.signature]
        named = dict(zip(names, inputs, strict=True))
        emissions = [network(named, training=False) for network in self.networks]
        mask = tf.not_equal(named["token_ids"], 0)
        return self.decoder(tf.add_n(emissions) / len(emissions), mask)


def _shift(values: Any, by: int = 1, fill: float = 0.0) -> Any:
    """Return the values of the position before (or, -1, after) each."""
    edge = tf.fill(tf.shape(values[:, :1]), fill)
    if by > 0:
        return tf.concat([edge, values[:, :-1]], 1)
    return tf.concat([values[:, 1:], edge], 1)


def _sum_of_pairs(pairs: Any, before: Any, tags: Any) -> Any:
    """Return the probability of a tag and the one before, both as one-hot rows."""
    return tf.reduce_sum(tf.matmul(before[..., None, :], pairs)[..., 0, :] * tags, -1)
