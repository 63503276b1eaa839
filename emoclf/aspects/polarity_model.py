"""A fitted polarity classifier, and the way from texts with targets to token ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import keras
import numpy as np

from emoclf.aspects.polarity_network import PolaritySettings
from emoclf.aspects.sentences import AspectData, new_sentence
from emoclf.aspects.tags import TokenSpan, snap
from emoclf.datasets.cells import excerpt
from emoclf.errors import DataError
from emoclf.models.inference import BatchedModel
from emoclf.text.tokenizer import Tokenizer
from emoclf.text.vocabulary import Vocabulary

#: Tokens before and after a target; no text has them, since they contain a space.
MARKERS = ("target begins", "target ends")
#: Label of terms that are praised and blamed at once; left out, as in most work.
CONFLICT = "conflict"


class Target(NamedTuple):
    """A term in its text: ``text[start:stop]``."""

    text: str
    start: int
    stop: int


@dataclass(frozen=True)
class PolarityModel:
    """Networks with their tokenizer, vocabulary and labels.

    Parameters
    ----------
    settings : PolaritySettings
    tokenizer : Tokenizer
    vocabulary : Vocabulary
        The markers are its first two tokens.
    label_names : tuple of str
    networks : tuple of keras.Model
        token_ids (batch, length) → probabilities (batch, n_classes); several are
        averaged.
    """

    settings: PolaritySettings
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    label_names: tuple[str, ...]
    networks: tuple[keras.Model, ...]

    @cached_property
    def _batched(self) -> list[BatchedModel]:
        return [BatchedModel(network) for network in self.networks]

    def predict_proba(self, targets: Sequence[Target]) -> np.ndarray:
        """Return the probability of each label, shape (n_targets, n_classes)."""
        token_ids = encode_targets(targets, self.tokenizer, self.vocabulary)
        return np.mean([predict(token_ids) for predict in self._batched], axis=0)


def as_targets(values: Any) -> list[Target]:
    """Check (text, start, stop), and return them as targets.

    Raises
    ------
    DataError
        If one is something else, or lies outside of its text.
    """
    targets = []
    for number, value in enumerate(values):
        place = f"Target number {number}"
        parts = tuple(value) if isinstance(value, list | tuple) else ()
        if len(parts) != 3 or not isinstance(parts[0], str):
            raise DataError(
                f"{place} must be (text, start, stop). Got {excerpt(value)} instead."
            )
        (term,) = new_sentence(parts[0], [parts[1:]], place=place).terms
        targets.append(Target(parts[0], term.start, term.stop))
    return targets


def labelled_targets(data: AspectData) -> tuple[list[Target], list[str]]:
    """Return the terms of sentences that have a label, and the labels.

    Terms with the label "conflict" are left out.
    """
    pairs = [
        (Target(sentence.text, term.start, term.stop), term.label)
        for sentence in data
        for term in sentence.terms
        if term.label not in (None, CONFLICT)
    ]
    return [target for target, _ in pairs], [str(label) for _, label in pairs]


def target_tokens(tokenizer: Tokenizer, target: Target) -> tuple[list[str], TokenSpan]:
    """Return the tokens of a text, and those of its target."""
    tokens, spans = tokenizer.tokens(target.text), tokenizer.spans(target.text)
    (found,) = snap([(target.start, target.stop, None)], spans).spans
    return tokens, found


def encode_targets(
    targets: Sequence[Target], tokenizer: Tokenizer, vocabulary: Vocabulary
) -> list[np.ndarray]:
    """Return the ids of each text, with the markers around its target."""
    encoded = []
    for target in targets:
        tokens, span = target_tokens(tokenizer, target)
        before, inside = tokens[: span.first], tokens[span.first : span.end]
        marked = [*before, MARKERS[0], *inside, MARKERS[1], *tokens[span.end :]]
        encoded.append(np.array(vocabulary.ids(marked), np.int32))
    return encoded
