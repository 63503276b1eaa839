"""A transformer encoder: one vector for each text, or for each of its tokens."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from emoclf.contextual.pretrained import EXTRA, load_pretrained
from emoclf.contextual.sentence_pooling import MEAN, pooled
from emoclf.optional import require

#: Tokens of a text that are read; most encoders of sentences were trained on no more.
MAX_TOKENS = 128


class TokenVectors(NamedTuple):
    """Vectors of the tokens of a batch of texts.

    Parameters
    ----------
    vectors : ndarray of float32, shape (batch, length, dim)
    mask : ndarray of bool, shape (batch, length)
        False for padding.
    spans : ndarray of int64, shape (batch, length, 2)
        First character of each token in its text, and the one after its last; equal for
        tokens that are not in the text, such as padding and [CLS].
    """

    vectors: np.ndarray
    mask: np.ndarray
    spans: np.ndarray


class Encoder:
    """An encoder of the transformers library, from a folder or from the model hub.

    Parameters
    ----------
    name : str or path
        Folder of a model of transformers or sentence-transformers, or a name on the
        Hugging Face Hub, such as ``"sentence-transformers/all-MiniLM-L6-v2"``. An
        existing folder wins. Code of a model is never run.

    Raises
    ------
    ModelError
        If there is no such encoder, or it is incomplete.
    MissingDependency
        If transformers or torch is not installed.
    """

    def __init__(self, name: str | os.PathLike[str]) -> None:
        self._pretrained = load_pretrained(name)
        self._tokenizer, self._model, _ = self._pretrained
        self._torch: Any = require("torch", extra=EXTRA, needed_by="an encoder")
        self.name = os.fspath(name)
        self.dim = int(self._model.config.hidden_size)
        self.n_layers = int(self._model.config.num_hidden_layers)

    def digest(self) -> str:
        """Return a digest of the configuration, the tokenizer and all weights."""
        return self._pretrained.digest()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, read or not."""
        return list(map(len, self._tokenizer(list(texts))["input_ids"]))

    def encode_tokens(
        self, texts: Sequence[str], *, layers: Sequence[int] = ()
    ) -> TokenVectors:
        """Return the vectors of all tokens, of the first 128 of each text.

        Parameters
        ----------
        texts : sequence of str
        layers : sequence of int, optional
            Layers whose vectors are concatenated, so that they have a width of
            ``len(layers) * dim``; 0 is before the first layer. Default: the last layer.
        """
        batch = self._tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        spans = batch.pop("offset_mapping").numpy()
        with self._torch.inference_mode():
            output = self._model(**batch, output_hidden_states=bool(layers))
            states = output.last_hidden_state
            if layers:
                chosen = [output.hidden_states[layer] for layer in layers]
                states = self._torch.cat(chosen, -1)
            vectors = states.float().numpy()
        return TokenVectors(vectors, batch["attention_mask"].numpy() > 0, spans)

    def encode(self, texts: Sequence[str], pooling: Sequence[str] = MEAN) -> np.ndarray:
        """Return one vector for each text, shape (n_texts, dim * len(pooling)).

        Special tokens count, as in sentence-transformers.
        """
        vectors, mask, _ = self.encode_tokens(texts)
        return pooled(vectors, mask, pooling)
