"""A fitted tagger: from texts to terms with offsets and confidences."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from emoclf.aspects.data.sentences import AspectData
from emoclf.aspects.terms.aspect_settings import AspectSettings
from emoclf.aspects.terms.found_terms import FoundTerm, find_terms
from emoclf.aspects.terms.sentence_encoder import SentenceEncoder
from emoclf.aspects.terms.span_metrics import SpanScores, compare
from emoclf.aspects.terms.tagger_network import TaggerNetwork
from emoclf.aspects.terms.tagging_graph import TaggingGraph
from emoclf.models.keras_globals import default_keras_globals


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
    """

    settings: AspectSettings
    encoder: SentenceEncoder
    tags: tuple[str, ...]
    networks: tuple[TaggerNetwork, ...]

    @default_keras_globals()
    def predict(self, texts: Sequence[str]) -> list[list[FoundTerm]]:
        """Return the terms of each text, in the order of their offsets."""
        return find_terms(
            texts,
            self.encoder,
            self.tags,
            self._run,
            characters=self.settings.characters,
        )

    def evaluate(
        self, data: AspectData, seen: Collection[str] | None = None
    ) -> SpanScores:
        """Compare the predicted terms with those of sentences.

        Parameters
        ----------
        data : AspectData
        seen : collection of str, optional
            Terms of the training set in lower case, for the recall of other ones.
        """
        typed = self.settings.typed
        return compare(data, self.predict(data.texts), typed=typed, seen=seen)

    @cached_property
    def graph(self) -> TaggingGraph:
        """The networks and their decoder."""
        return TaggingGraph(
            self.networks, self.tags, characters=self.settings.characters
        )

    @cached_property
    def traced(self) -> Any:
        """The graph as a function of TensorFlow, which is traced once."""
        return tf.function(self.graph, input_signature=self.graph.signature)

    def _run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        values = [tf.constant(inputs[x.name]) for x in self.graph.signature]
        outputs = self.traced(*values)
        return {name: outputs[name].numpy() for name in ("tags", "confidence")}
