"""From raw texts to token ids in an exported classifier: the definition it brought."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import numpy as np

from emoclf.serving.export_folder import TOKENIZER, VOCABULARY, ExportFolder
from emoclf.text.code_point_pages import read_pages
from emoclf.text.piece_encoder import Pack, PieceEncoder
from emoclf.text.piece_table import PieceTable
from emoclf.text.tokenizer import Tokenizer
from emoclf.text.validation import as_texts
from emoclf.text.vocabulary import FIRST, UNKNOWN

PAGES = ("numbers", "classes", "changes")


class ExportedText:
    """The one road from texts to token ids, as an export keeps it.

    Parameters
    ----------
    folder : ExportFolder
    """

    def __init__(self, folder: ExportFolder) -> None:
        text = folder.about["text"]
        settings = text["tokenizer"]
        pages = {name: folder.array(TOKENIZER.format(name)) for name in PAGES}
        self.tokenizer = Tokenizer(
            settings["kind"],
            settings["lowercase"],
            read_pages(pages),
            settings["emoticons"],
        )
        tokens = folder.json(VOCABULARY)
        self.ids = dict(zip(tokens, count(FIRST), strict=False))
        self.max_length = int(text["max_length"])
        self.stop_words = frozenset(text["stop_words"])
        self._pieces = PieceEncoder(
            self.tokenizer,
            self.ids,
            stop_words=self.stop_words,
            max_length=self.max_length,
        )
        # jieba's words depend on what stands around them.
        self._whole = self.tokenizer.kind == "jieba"

    def compile(self, engine: Callable[[PieceTable], Any]) -> None:
        """Let an engine look up pieces; see :meth:`PieceEncoder.use`."""
        self._pieces.use(engine)

    def pack_as(self, size: int, pack: Pack) -> None:
        """Choose what stands for tokens; see :meth:`PieceEncoder.pack_as`."""
        self._pieces.pack_as(size, pack)

    def encode_one(self, text: str) -> bytes:
        """Return what stands for one text; see :meth:`PieceEncoder.encode_one`."""
        if self._whole:
            return self._pieces.pack([self._of_whole(text)])[0]
        return self._pieces.encode_one(text)

    def encode(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of many texts, one behind the other, and their lengths.

        Returns
        -------
        token_ids : ndarray of int32, shape (sum of lengths,)
        lengths : ndarray of int64, shape (n_texts,)
        """
        if not self._whole:
            return self._pieces.encode(texts)
        found = [self._of_whole(text) for text in texts]
        lengths = np.fromiter(map(len, found), np.int64, len(found))
        return np.array([i for ids in found for i in ids], np.int32), lengths

    def encode_lists(self, texts: Iterable[str]) -> list[np.ndarray]:
        """Return the ids of each text, int32 of shape (length,)."""
        token_ids, lengths = self.encode(as_texts(texts))
        return np.split(token_ids, np.cumsum(lengths)[:-1]) if len(lengths) else []

    def _of_whole(self, text: str) -> list[int]:
        tokens = self.tokenizer.tokens(text)
        kept = [token for token in tokens if token not in self.stop_words]
        return [self.ids.get(token, UNKNOWN) for token in kept[: self.max_length]]
