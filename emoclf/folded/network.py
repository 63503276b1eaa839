"""What a folded classifier asks of a network: one text, or many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from emoclf.text.piece_encoder import pack_ids


class Network(ABC):
    """Answer token ids with probabilities."""

    #: What a token takes in :meth:`pack`.
    token_bytes = 8
    #: So many texts are answered one by one.
    few = 1

    def pack(self, pieces: Sequence[Sequence[int]]) -> list[bytes]:
        """Return what stands for the tokens of pieces in :meth:`one`.

        It is remembered for each piece and joined for a text, which takes Python no
        step for each token.
        """
        return pack_ids(pieces)

    def one(self, packed: bytes) -> np.ndarray:
        """Return the probabilities of one text, shape (1, n_classes).

        Parameters
        ----------
        packed : bytes
            The text's tokens, as :meth:`pack` returns them.
        """
        flat = np.frombuffer(packed, np.int64).astype(np.int32)
        return self.many(flat, np.array([len(flat)]))

    @abstractmethod
    def many(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return probabilities, float32 of shape (n_texts, n_classes).

        Parameters
        ----------
        flat : ndarray of int32
            Token ids of all texts, one behind the other.
        lengths : ndarray of int64, shape (n_texts,)
        """
