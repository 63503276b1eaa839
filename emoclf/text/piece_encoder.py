"""From texts to token ids at a glance: pieces between spaces that were seen before.

Tokens never cross white space, so the ids of a text are those of its pieces. Each piece
is cut by the tokenizer once; afterwards its ids are found in a table by the piece's
hash, for a whole batch of texts at a time and without a step of Python for each. Where
the ids come from is still the one definition in ``emoclf.text.tokenizer``.
"""

from __future__ import annotations

from _thread import allocate_lock  # threading takes a millisecond to import.
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from emoclf.text.piece_table import LONGEST, MOST, PieceTable
from emoclf.text.tokenizer import Tokenizer
from emoclf.text.vocabulary import UNKNOWN

#: Bytes that stand for pieces; then all are forgotten.
MOST_BYTES = 1 << 24
Pack = Callable[[Sequence[Sequence[int]]], list[bytes]]
#: Characters of texts that are looked at together; they fit a processor's cache.
CHUNK = 1 << 17


class PieceEncoder:
    """Turn texts into token ids, with a memory for pieces.

    Parameters
    ----------
    tokenizer : Tokenizer
        Not jieba's, whose words depend on what stands around them.
    ids : mapping of str to int
        The vocabulary.
    stop_words : collection of str
        Tokens that are left out.
    max_length : int >= 1
        Texts are cut after so many tokens.
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
        """Answer batches with ``engine(table).encode(texts)``."""
        self._engine, self._batches = engine, None

    def pack_as(self, size: int, pack: Pack) -> None:
        """Choose what stands for tokens in :meth:`encode_one`.

        Parameters
        ----------
        size : int
            Bytes of a token.
        pack : function of a list of lists of int
            Returns the bytes of each piece's tokens; they are remembered.
        """
        self.pack = pack
        self._packed: dict[str, bytes] = {}
        self._packed_bytes = 0
        self._most_bytes = size * self.max_length

    def encode_one(self, text: str) -> bytes:
        """Return the tokens of one text, packed: int64 if nothing else was chosen.

        What stands for pieces is joined, with no step of Python for each of them.
        """
        if len(text) > CHUNK:
            return self.pack([self.encode([text])[0].tolist()])[0]
        pieces = text.split(" ")
        try:
            found = b"".join(map(self._packed.__getitem__, pieces))
        except KeyError:
            found = self._learn(pieces)
        return found[: self._most_bytes]

    def _learn(self, pieces: list[str]) -> bytes:
        """Return what stands for pieces some of which are not known; remember it."""
        known = self._packed
        found = {piece: known.get(piece) for piece in pieces}
        new = [piece for piece, packed in found.items() if packed is None]
        made = dict(zip(new, self.pack([self.cut_piece(x) for x in new]), strict=True))
        for piece, packed in made.items():
            if len(piece) > LONGEST:
                continue
            if len(known) >= MOST or self._packed_bytes >= MOST_BYTES:
                known.clear()
                self._packed_bytes = 0
            known[piece] = packed
            self._packed_bytes += len(packed)
        # Another thread may have forgotten what was known.
        return b"".join([made[x] if x in made else found[x] or b"" for x in pieces])

    def encode(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of many texts, one behind the other, and their lengths.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        token_ids : ndarray of int32, shape (sum of lengths,)
        lengths : ndarray of int64, shape (n_texts,)
        """
        # What one thread learns must not be read by another when it is half there.
        with self._lock:
            if self._batches is None:
                self._batches = self._engine(
                    PieceTable(self.cut_piece, lowercase=self.tokenizer.lowercase)
                )
            found = [
                self._batches.encode(part)
                if len(part) > 1 or len(part[0]) <= CHUNK
                else self._encode_long(part[0])
                for part in _parts(texts)
            ]
        if not found:
            return np.empty(0, np.int32), np.empty(0, np.int64)
        if len(found) == 1:
            return self._cut(*found[0])
        token_ids, lengths = zip(*found, strict=True)
        return self._cut(np.concatenate(token_ids), np.concatenate(lengths))

    def cut_piece(self, piece: str) -> list[int]:
        """Return the ids of a piece, by the tokenizer itself."""
        tokens = self.tokenizer.tokens(piece)
        if self.stop_words:
            tokens = [token for token in tokens if token not in self.stop_words]
        get = self.ids.get
        return [get(token, UNKNOWN) for token in tokens]

    def _encode_long(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """Encode a text that alone might have more pieces than are remembered."""
        ids = np.array(self.cut_piece(text), np.int32)
        return ids, np.array([len(ids)])

    def _cut(
        self, token_ids: np.ndarray, lengths: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Leave out what stands behind a text's first ``max_length`` tokens."""
        if not len(lengths) or lengths.max() <= self.max_length:
            return token_ids, lengths
        starts = np.cumsum(lengths) - lengths
        place = np.arange(len(token_ids)) - np.repeat(starts, lengths)
        return token_ids[place < self.max_length], lengths.clip(max=self.max_length)


def pack_ids(pieces: Sequence[Sequence[int]]) -> list[bytes]:
    """Return the ids of each piece as int64."""
    return [array("q", piece).tobytes() for piece in pieces]


def _parts(texts: Sequence[str]) -> list[Sequence[str]]:
    """Cut texts into parts that fit a processor's cache."""
    parts, start, size = [], 0, 0
    for stop, text in enumerate(texts):
        size += len(text) + 1
        if size > CHUNK and stop > start:
            parts.append(texts[start:stop])
            start, size = stop, len(text) + 1
    if start < len(texts):
        parts.append(texts[start:])
    return parts
