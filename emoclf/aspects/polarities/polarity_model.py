"""A fitted polarity classifier: from targets to probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import keras
import numpy as np

from emoclf.aspects.polarities.polarity_network import PolaritySettings
from emoclf.aspects.polarities.polarity_targets import Target, encode_targets
from emoclf.models.inference import BatchedModel
from emoclf.text.encoder import TextEncoder

if TYPE_CHECKING:
    from emoclf.aspects.polarities.encoder_scores import EncoderScores


@dataclass(frozen=True)
class PolarityModel:
    """Networks with their text encoder and labels.

    Parameters
    ----------
    settings : PolaritySettings
    text_encoder : TextEncoder
        Tokenizer and vocabulary, whose first two tokens are the markers.
    label_names : tuple of str
    networks : tuple of keras.Model
        token_ids (batch, length) → probabilities (batch, n_classes); several are
        averaged.
    encoder : EncoderScores, optional
        Linear classifier of an encoder's vectors, which is mixed with the networks.
    """

    settings: PolaritySettings
    text_encoder: TextEncoder
    label_names: tuple[str, ...]
    networks: tuple[keras.Model, ...]
    encoder: EncoderScores | None = None

    @cached_property
    def _batched(self) -> list[BatchedModel]:
        return [BatchedModel.of(network) for network in self.networks]

    def predict_proba(self, targets: Sequence[Target]) -> np.ndarray:
        """Return the probability of each label, shape (n_targets, n_classes)."""
        token_ids = encode_targets(targets, self.text_encoder)
        mean = np.mean([predict(token_ids) for predict in self._batched], axis=0)
        if self.encoder is None or not len(targets):
            return mean
        return self.encoder.mix(mean, targets, self.settings.encoder_share)
