"""An aspect model as a SavedModel: raw strings in, terms with offsets out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from emoclf.aspects.aspect_model import AspectModel
from emoclf.aspects.polarities.polarity_graph import PolarityGraph
from emoclf.aspects.terms.sentence_encoder import (
    MAX_CHARACTERS,
    UNKNOWN_CHARACTER,
    SentenceEncoder,
)
from emoclf.export.saved_model import write_archive
from emoclf.export.signatures import TEXT_SPEC
from emoclf.text.graph_encoder import GraphEncoder, GraphTokens

OFFSET_SPECS = [tf.TensorSpec([None], tf.int32, name) for name in ("start", "stop")]


def write_saved_model(model: AspectModel, folder: Path) -> dict[str, Any]:
    """Write the files of the SavedModel, and return its entries for ``emoclf.json``."""
    signatures = AspectSignatures(model)
    write_archive(folder, signatures, signatures.functions())
    return {}


class AspectSignatures(tf.Module):
    """The signatures of an aspect model.

    ``serving_default``
        Takes ``text`` (string, [batch], UTF-8) and returns, for each text in the order
        of the offsets, padded to the largest number of terms (n):

        ``count`` (int32, [batch]), the number of terms; ``term`` (string, [batch, n]);
        ``start`` and ``stop`` (int32, [batch, n]), offsets in code points, as Python
        slices a text; ``start_byte`` and ``stop_byte``, offsets in the bytes of the
        text; ``confidence`` (float32, [batch, n]), the probability of exactly these
        borders. With a polarity classifier also ``polarity`` (string, [batch, n]) and
        ``polarity_confidence`` (float32, [batch, n]); with a typed tagger ``polarity``,
        which is the label of its tags.
    ``polarity``
        With a polarity classifier: takes ``text`` (string, [n]), ``start`` and ``stop``
        (int32, [n], code points), and returns ``polarity`` (string, [n]), ``labels``
        (string, [n_classes]) and ``probabilities`` (float32, [n, n_classes]).

    Parameters
    ----------
    model : AspectModel

    Raises
    ------
    ExportError
        If the tokenizer cannot run in a graph (jieba).
    """

    def __init__(self, model: AspectModel) -> None:
        super().__init__(name="aspect_signatures")
        tagger = model.tagger.model_
        self.encoder = GraphEncoder(tagger.encoder.encoder)
        self.graph = tagger.graph
        self.characters = (
            CharacterTable(tagger.encoder) if tagger.settings.characters else None
        )
        self._tag = tagger.traced
        self._labels = None
        if tagger.settings.typed:
            labels = [tag.partition("-")[2] for tag in tagger.tags]
            self._labels = tf.constant(labels)
        self.polarity: PolarityGraph | None = None
        if model.polarity is not None:
            classifier = model.polarity.model_
            self.polarity = PolarityGraph(classifier)
            self._names = tf.constant(list(classifier.label_names))
            self._same_tokens = (
                classifier.text_encoder.tokenizer == tagger.encoder.encoder.tokenizer
            )

    def functions(self) -> dict[str, tuple[Any, list[tf.TensorSpec]]]:
        """Return the function of each signature and the specs of its inputs."""
        functions: dict[str, Any] = {
            "serving_default": (lambda text: self.predict(text), [TEXT_SPEC])
        }
        if self.polarity is not None:
            functions["polarity"] = (
                lambda text, start, stop: self.classify(text, start, stop),
                [TEXT_SPEC, *OFFSET_SPECS],
            )
        return functions

    def predict(self, text: Any) -> dict[str, Any]:
        """Return the terms of each text."""
        cut = self.encoder.cut(text)
        outputs = self._tag(*self._inputs(cut))
        begins, ends = tf.where(outputs["begins"]), tf.where(outputs["ends"])
        rows = begins[:, 0]
        first_token = tf.gather(cut.tokens.row_splits, rows)
        first = tf.gather(cut.first, first_token + begins[:, 1])
        end = tf.gather(cut.end, first_token + ends[:, 1])
        base = tf.cast(tf.gather(cut.row_starts, rows), tf.int32)
        start_byte = tf.cast(tf.gather(cut.offsets, first), tf.int32)
        # After each text comes a space, which has an offset too.
        stop_byte = tf.cast(tf.gather(cut.offsets, end), tf.int32)
        values = {
            "term": tf.strings.substr(
                tf.gather(text, rows), start_byte, stop_byte - start_byte
            ),
            "start": first - base,
            "stop": end - base,
            "start_byte": start_byte,
            "stop_byte": stop_byte,
            "confidence": tf.gather_nd(outputs["confidence"], begins),
        }
        if self._labels is not None:
            tags = tf.gather_nd(outputs["tags"], begins)
            values["polarity"] = tf.gather(self._labels, tags)
        if self.polarity is not None:
            polarity_cut = cut if self._same_tokens else self.polarity.encoder.cut(text)
            starts, stops = (tf.cast(x - base, tf.int64) for x in (first, end))
            probabilities = self.polarity(polarity_cut, rows, starts, stops)
            best = tf.argmax(probabilities, 1)
            values["polarity"] = tf.gather(self._names, best)
            values["polarity_confidence"] = tf.reduce_max(probabilities, 1)
        n_texts = tf.size(text, tf.int64)
        padded = {
            name: tf.RaggedTensor.from_value_rowids(
                value, rows, nrows=n_texts, validate=False
            ).to_tensor()
            for name, value in values.items()
        }
        count = tf.reduce_sum(tf.cast(outputs["begins"], tf.int32), 1)
        return {"count": count, **padded}

    def classify(self, text: Any, start: Any, stop: Any) -> dict[str, Any]:
        """Return what texts say of given targets."""
        assert self.polarity is not None
        cut = self.polarity.encoder.cut(text)
        rows = tf.range(tf.size(text, tf.int64))
        offsets = tf.cast(start, tf.int64), tf.cast(stop, tf.int64)
        probabilities = self.polarity(cut, rows, *offsets)
        best = tf.gather(self._names, tf.argmax(probabilities, 1))
        return {
            "polarity": best,
            "labels": tf.identity(self._names),
            "probabilities": probabilities,
        }

    def _inputs(self, cut: GraphTokens) -> list[Any]:
        """Return the inputs of the networks, with one more position.

        The networks need at least one, also in a batch of empty texts.
        """
        token_ids = self.encoder.ids(cut.tokens).to_tensor()
        inputs = [tf.pad(token_ids, [[0, 0], [0, 1]])]
        if self.characters is not None:
            rows = cut.tokens.with_flat_values(self.characters(cut))
            shape = [None, None, MAX_CHARACTERS]
            inputs.append(tf.pad(rows.to_tensor(shape=shape), [[0, 0], [0, 1], [0, 0]]))
        return inputs


class CharacterTable(tf.Module):
    """The characters of tokens as ids, as :class:`SentenceEncoder` has them.

    Parameters
    ----------
    encoder : SentenceEncoder
    """

    def __init__(self, encoder: SentenceEncoder) -> None:
        super().__init__(name="character_table")
        # A longer "character" is equal to none. The last point, beyond Unicode, is the
        # entry that a search needs in any alphabet.
        ids = {ord(x): i for x, i in encoder.character_ids.items() if len(x) == 1}
        points = np.array([*sorted(ids), 0x110000], np.int32)
        self._points = tf.constant(points)
        self._ids = tf.constant(
            [*(ids[point] for point in points[:-1].tolist()), UNKNOWN_CHARACTER],
            tf.int32,
        )

    def __call__(self, cut: GraphTokens) -> Any:
        """Return ids, int32 of shape (n_tokens, MAX_CHARACTERS)."""
        index = tf.searchsorted(self._points, cut.points)
        in_alphabet = tf.gather(self._points, index) == cut.points
        ids = tf.where(in_alphabet, tf.gather(self._ids, index), UNKNOWN_CHARACTER)
        first, end = cut.first[:, None], cut.end[:, None]
        number = tf.range(MAX_CHARACTERS)[None, :]
        from_end = (end - first > MAX_CHARACTERS) & (number >= MAX_CHARACTERS // 2)
        source = tf.where(from_end, end - MAX_CHARACTERS + number, first + number)
        is_part = number < end - first
        chosen = tf.gather(ids, tf.where(is_part, source, 0))
        return tf.where(is_part, chosen, 0)
