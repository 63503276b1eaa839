"""Raw texts to token ids, by the tokenizer and vocabulary of an export."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, count

import numpy as np

from emoclf.batching import lengths_of
from emoclf.bundle.described_folder import EXPORT
from emoclf.bundle.json_values import JsonObject, check_texts, read_json
from emoclf.serving.export_folder import TOKENIZER, VOCABULARY, ExportFolder
from emoclf.text.code_point_pages import read_pages
from emoclf.text.piece_encoder import PieceEncoder
from emoclf.text.tokenizer import KINDS, Tokenizer
from emoclf.text.validation import as_texts
from emoclf.text.vocabulary import FIRST_TOKEN_ID

#: Shape and kind of the tables of :class:`emoclf.text.code_point_pages.Pages`.
PAGES: dict[str, tuple[tuple[int | None, ...], str]] = {
    "numbers": ((None,), "u"),
    "classes": ((None, None), "u"),
    "changes": ((None, None), "i"),
}


class ExportedText:
    """The text encoder of an export.

    Parameters
    ----------
    folder : ExportFolder

    Attributes
    ----------
    pieces : PieceEncoder
    """

    def __init__(self, folder: ExportFolder) -> None:
        self.tokenizer = read_tokenizer(folder)
        try:
            text = JsonObject(folder.about).object("text")
            self.max_length = text.whole("max_length", 1)
            self.stop_words = frozenset(text.texts("stop_words"))
        except ValueError as error:
            raise folder.damaged(error) from error
        self.ids = dict(zip(read_names(folder), count(FIRST_TOKEN_ID), strict=False))
        self.pieces = PieceEncoder(
            self.tokenizer,
            self.ids,
            stop_words=self.stop_words,
            max_length=self.max_length,
        )
        # jieba's tokens depend on the text around them: pieces cannot be looked up.
        self._whole = self.tokenizer.kind == "jieba"

    def encode_one(self, text: str) -> bytes:
        """Return the tokens of one text; see :meth:`PieceEncoder.encode_one`."""
        if self._whole:
            return self.pieces.pack([self.pieces.cut_piece(text)[: self.max_length]])[0]
        return self.pieces.encode_one(text)

    def encode(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the token ids of many texts, concatenated, and their lengths.

        Returns
        -------
        token_ids : ndarray of int32, shape (sum of lengths,)
        lengths : ndarray of int64, shape (n_texts,)
        """
        if not self._whole:
            return self.pieces.encode(texts)
        cut = self.pieces.cut_piece
        id_lists = [cut(text)[: self.max_length] for text in texts]
        token_ids = np.fromiter(chain.from_iterable(id_lists), np.int32)
        return token_ids, lengths_of(id_lists)

    def encode_lists(self, texts: Iterable[str]) -> list[np.ndarray]:
        """Return the token ids of each text, int32 of shape (length,)."""
        token_ids, lengths = self.encode(as_texts(texts))
        return np.split(token_ids, np.cumsum(lengths)[:-1]) if len(lengths) else []


def read_tokenizer(folder: ExportFolder) -> Tokenizer:
    """Return the tokenizer of an export.

    Raises
    ------
    BundleError
        If it has none, or a damaged one.
    """
    try:
        settings = JsonObject(folder.about).object("text").object("tokenizer")
        pages = {
            name: folder.array(TOKENIZER.format(name), *shape)
            for name, shape in PAGES.items()
        }
        return Tokenizer(
            settings.text("kind", KINDS),
            settings.flag("lowercase"),
            read_pages(pages),
            settings.texts("emoticons"),
        )
    except ValueError as error:
        raise folder.damaged(error) from error


def read_names(
    folder: ExportFolder, file: str = VOCABULARY, kind: str = "the vocabulary"
) -> list[str]:
    """Return a list of texts in an export; by default the tokens of its vocabulary.

    Raises
    ------
    BundleError
        If it has none, or a damaged one.
    """
    path = folder.place / file
    if file not in folder.about["files"]:
        raise folder.damaged(f"files does not contain {file}")
    try:
        names = read_json(path)
        check_texts(names, kind)
    except (OSError, ValueError) as error:
        raise EXPORT.damaged(path, error) from error
    return names
