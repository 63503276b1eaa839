"""A fitted tagger: from texts to spans with confidences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from emoclf.aspects.aspect_settings import AspectSettings
from emoclf.aspects.sentence_encoder import (
    MAX_CHARACTERS,
    SentenceEncoder,
    TokenizedText,
    stack_texts,
)
from emoclf.aspects.tagger_network import TaggerNetwork
from emoclf.aspects.tags import TokenSpan, decode_tags
from emoclf.batching import batch_by_length, lengths_of
from emoclf.models.keras_globals import default_keras_globals


class FoundTerm(NamedTuple):
    """A term that was found in a text.

    Parameters
    ----------
    start, stop : int
        Offsets: ``text[start:stop]``.
    label : str or None
        Label of the tags, where the tagger predicts labels.
    confidence : float
        Probability of exactly these borders.
    term : str
        The characters of the term.
    """

    start: int
    stop: int
    label: str | None
    confidence: float
    term: str


@dataclass(frozen=True)
class SpanModel:
    """Networks with their encoder and tags.

    Parameters
    ----------
    settings : AspectSettings
    encoder : SentenceEncoder
    tags : tuple of str
        Tags in the order of their ids.
    networks : tuple of TaggerNetwork
        Several: their emissions and transitions are averaged, which is the geometric
        mean of their distributions over sequences.
    """

    settings: AspectSettings
    encoder: SentenceEncoder
    tags: tuple[str, ...]
    networks: tuple[TaggerNetwork, ...]

    def predict(self, texts: Sequence[str]) -> list[list[FoundTerm]]:
        """Return the terms of each text, in the order of their offsets."""
        encoded = self.encoder.encode(texts)
        found = self.predict_encoded(encoded)
        return [
            [
                FoundTerm(
                    (start := item.spans[span.first][0]),
                    (stop := item.spans[span.end - 1][1]),
                    span.label,
                    confidence,
                    text[start:stop],
                )
                for span, confidence in spans
            ]
            for text, item, spans in zip(texts, encoded, found, strict=True)
        ]

    @default_keras_globals()
    def predict_encoded(
        self, texts: Sequence[TokenizedText]
    ) -> list[list[tuple[TokenSpan, float]]]:
        """Return the spans of tokens of each text, and their confidences."""
        results: list[list[tuple[TokenSpan, float]]] = [[] for _ in texts]
        lengths = lengths_of([text.token_ids for text in texts])
        rows = np.flatnonzero(lengths)
        for batch in batch_by_length(lengths[rows]):
            chosen = rows[batch]
            inputs = stack_texts(
                [texts[row] for row in chosen], characters=self.settings.characters
            )
            values = [tf.constant(inputs[name]) for name in self._inputs]
            outputs = [x.numpy() for x in self._traced(*values)]
            for row, *output in zip(chosen, *outputs, strict=True):
                results[row] = self._spans(*output, length=lengths[row])
        return results

    @cached_property
    def _inputs(self) -> tuple[str, ...]:
        return ("token_ids", *(["characters"] if self.settings.characters else []))

    @cached_property
    def _traced(self) -> Any:
        shapes = {"token_ids": (None, None), "characters": (None, None, MAX_CHARACTERS)}
        names = self._inputs
        networks = self.networks
        joint = networks[0].crf

        def tag(*values: Any) -> Any:
            inputs = dict(zip(names, values, strict=True))
            mask = tf.not_equal(inputs["token_ids"], 0)
            emissions = [x.emissions(inputs, training=False) for x in networks]
            mean = tf.add_n(emissions) / len(emissions)
            return (
                joint.best_path(mean, mask),
                joint.marginals(mean, mask),
                joint.pairs(mean, mask),
            )

        if len(networks) > 1:
            joint = _mean_crf(networks)
        return tf.function(
            tag, input_signature=[tf.TensorSpec(shapes[x], tf.int32) for x in names]
        )

    def _spans(
        self, path: np.ndarray, marginals: np.ndarray, pairs: np.ndarray, *, length: int
    ) -> list[tuple[TokenSpan, float]]:
        path = path[:length]
        if not path.any():  # "O" is the first tag.
            return []
        spans = decode_tags([self.tags[i] for i in path])
        return [(x, self._confidence(x, path, marginals, pairs)) for x in spans]

    def _confidence(
        self,
        span: TokenSpan,
        path: np.ndarray,
        marginals: np.ndarray,
        pairs: np.ndarray,
    ) -> float:
        """Return the probability of the tags of a span, and of its end.

        Given the sentence, the tags are a Markov chain.
        """
        probability = float(marginals[span.first, path[span.first]])
        for place in range(span.first + 1, span.end):
            before = max(float(marginals[place - 1, path[place - 1]]), 1e-12)
            probability *= float(pairs[place, path[place - 1], path[place]]) / before
        if self.settings.scheme == "BIO" and span.end < len(path):
            last = path[span.end - 1]
            inside = self.tags.index("I" + self.tags[last][1:])
            whole = max(float(marginals[span.end - 1, last]), 1e-12)
            probability *= 1 - float(pairs[span.end, last, inside]) / whole
        return min(1.0, max(0.0, probability))


def _mean_crf(networks: Iterable[TaggerNetwork]) -> Any:
    """Return a CRF whose scores are the means of those of several."""
    layers = [network.crf for network in networks]
    mean = type(layers[0]).from_config({**layers[0].get_config(), "name": "mean_crf"})
    mean.build((None, None, layers[0].n_tags))
    for variable, *others in zip(
        mean.weights, *(layer.weights for layer in layers), strict=True
    ):
        variable.assign(np.mean([other.numpy() for other in others], axis=0))
    return mean
