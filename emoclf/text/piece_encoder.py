"""Fast encoding of texts: the ids of pieces between spaces are remembered.

Tokens never cross white space, so the ids of a text are those of its pieces. The
tokenizer of ``emoclf.text.tokenizer`` cuts each piece once; then its ids are looked up
in a table by its hash, for a whole batch of texts and without a Python loop over them.
"""

from __future__ import annotations

from _thread import allocate_lock  # threading takes a millisecond to import.
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from emoclf.text.piece_table import MAX_PIECE_LENGTH, MAX_PIECES, PieceTable
from emoclf.text.tokenizer import Tokenizer
from emoclf.text.vocabulary import UNKNOWN

#: Bytes of packed pieces; then all pieces are forgotten.
MAX_PACKED_BYTES = 1 << 24
Pack = Callable[[Sequence[Sequence[int]]], list[bytes]]
#: Characters of texts that are encoded together; they fit a processor's cache.
CHUNK_LETTERS = 1 << 17


class PieceEncoder:
    """Turn texts into token ids, with a memory for pieces.

    Parameters
    ----------
    tokenizer : Tokenizer
        Any but jieba's, whose words depend on their context.
    ids : mapping of str to int
        Vocabulary.
    stop_words : collection of str
        Tokens to leave out.
    max_length : int >= 1
        Number of tokens after which texts are cut.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        ids: dict[str, int],
        *,
        stop_words: frozenset[str] = frozenset(),
        max_length: int,
    ) -> None:
        self.tokenizer = tokenizer
        self.ids = ids
        self.stop_words = stop_words
        self.max_length = max_length
        self.pack_as(8, pack_ids)
        self._engine: Callable[[PieceTable], Any] = lambda table: table
        self._batches: Any = None
        self._lock = allocate_lock()

    def use(self, engine: Callable[[PieceTable], Any]) -> None:
        """Encode batches with ``engine(table).encode(texts)``."""
        self._engine, self._batches = engine, None

    def pack_as(self, size: int, pack: Pack) -> None:
        """Choose the packed form of tokens in :meth:`encode_one`.

        Parameters
        ----------
        size : int
            Number of bytes of a token.
        pack : function of a list of lists of int
            Function that returns the bytes of each piece's tokens.
        """
        self.pack = pack
        self._packed: dict[str, bytes] = {}
        self._packed_bytes = 0
        self._max_bytes = size * self.max_length

    def encode_one(self, text: str) -> bytes:
        """Return the packed tokens of one text; by default int64.

        Packed pieces are joined without a Python loop over them.
        """
        if len(text) > CHUNK_LETTERS:
            return self.pack([self.encode([text])[0].tolist()])[0]
        pieces = text.split(" ")
        try:
            packed = b"".join(map(self._packed.__getitem__, pieces))
        except KeyError:
            packed = self._learn(pieces)
        return packed[: self._max_bytes]

    def _learn(self, pieces: list[str]) -> bytes:
        """Return the packed tokens of pieces, and remember new ones."""
        memory = self._packed
        packed = {piece: memory.get(piece) for piece in pieces}
        new = [piece for piece, tokens in packed.items() if tokens is None]
        for piece, tokens in zip(
            new, self.pack(list(map(self.cut_piece, new))), strict=True
        ):
            packed[piece] = tokens
            if len(piece) > MAX_PIECE_LENGTH:
                continue
            if len(memory) >= MAX_PIECES or self._packed_bytes >= MAX_PACKED_BYTES:
                memory.clear()
                self._packed_bytes = 0
            memory[piece] = tokens
            self._packed_bytes += len(tokens)
        return b"".join([packed[piece] or b"" for piece in pieces])

    def encode(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the concatenated ids of many texts, and their lengths.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        token_ids : ndarray of int32, shape (sum of lengths,)
        lengths : ndarray of int64, shape (n_texts,)
        """
        # A thread must not read what another one is still adding.
        with self._lock:
            if self._batches is None:
                self._batches = self._engine(
                    PieceTable(self.cut_piece, lowercase=self.tokenizer.lowercase)
                )
            parts = [
                self._batches.encode(part)
                if len(part) > 1 or len(part[0]) <= CHUNK_LETTERS
                else self._encode_long(part[0])
                for part in _parts(texts)
            ]
        if not parts:
            return np.empty(0, np.int32), np.empty(0, np.int64)
        if len(parts) == 1:
            return self._cut(*parts[0])
        token_ids, lengths = zip(*parts, strict=True)
        return self._cut(np.concatenate(token_ids), np.concatenate(lengths))

    def cut_piece(self, piece: str) -> list[int]:
        """Return the ids of a piece by the tokenizer."""
        tokens = self.tokenizer.tokens(piece)
        if self.stop_words:
            tokens = [token for token in tokens if token not in self.stop_words]
        get = self.ids.get
        return [get(token, UNKNOWN) for token in tokens]

    def _encode_long(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """Encode a text that may have more pieces than are remembered."""
        ids = np.array(self.cut_piece(text), np.int32)
        return ids, np.array([len(ids)])

    def _cut(
        self, token_ids: np.ndarray, lengths: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Leave out the tokens of a text after the first ``max_length``."""
        if not len(lengths) or lengths.max() <= self.max_length:
            return token_ids, lengths
        starts = np.cumsum(lengths) - lengths
        position = np.arange(len(token_ids)) - np.repeat(starts, lengths)
        return token_ids[position < self.max_length], lengths.clip(max=self.max_length)


def pack_ids(pieces: Sequence[Sequence[int]]) -> list[bytes]:
    """Return the ids of each piece as int64."""
    return [array("q", piece).tobytes() for piece in pieces]


def _parts(texts: Sequence[str]) -> list[Sequence[str]]:
    """Cut texts into parts that fit a processor's cache."""
    parts, start, size = [], 0, 0
    for stop, text in enumerate(texts):
        size += len(text) + 1
        if size > CHUNK_LETTERS and stop > start:
            parts.append(texts[start:stop])
            start, size = stop, len(text) + 1
    if start < len(texts):
        parts.append(texts[start:])
    return parts
