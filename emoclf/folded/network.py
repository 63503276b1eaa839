"""Interface of a folded network: predict one text, or many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from emoclf.text.piece_encoder import pack_ids


class Network(ABC):
    """A network that turns token ids into probabilities."""

    #: Bytes of a token in :meth:`pack`.
    token_bytes = 8
    #: Up to this number of texts are predicted one by one.
    max_one_by_one = 1

    def pack(self, pieces: Sequence[Sequence[int]]) -> list[bytes]:
        """Return the tokens of each piece as bytes for :meth:`predict_one`.

        They are remembered for each piece and joined for a text, without a step in
        Python for each token.
        """
        return pack_ids(pieces)

    def predict_one(self, packed: bytes) -> np.ndarray:
        """Return the probabilities of one text, shape (1, n_classes).

        Parameters
        ----------
        packed : bytes
            Tokens of the text; see :meth:`pack`.
        """
        flat = np.frombuffer(packed, np.int64).astype(np.int32)
        return self.predict_many(flat, np.array([len(flat)]))

    @abstractmethod
    def predict_many(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return probabilities, float32 of shape (n_texts, n_classes).

        Parameters
        ----------
        flat : ndarray of int32
            Token ids of all texts, one text after the other.
        lengths : ndarray of int64, shape (n_texts,)
        """
