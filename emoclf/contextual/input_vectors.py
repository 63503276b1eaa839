"""Vectors of texts that a network takes in the place of token ids."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from emoclf.batching import batch_by_length
from emoclf.contextual.sentence_pooling import MEAN, declared_pooling
from emoclf.contextual.transformer import MAX_TOKENS, Encoder, TokenVectors
from emoclf.contextual.vector_cache import VectorCache, cache_folder
from emoclf.errors import ModelError, setting
from emoclf.fingerprint import digest

logger = logging.getLogger(__name__)

#: Fields that a bundle keeps.
SAVED = ("dim", "encoder", "digest", "pooled")
#: Tokens of a batch that is encoded together.
BATCH_TOKENS = 4096
#: Texts between two writings of the cache, and seconds between two messages.
SHARD_TEXTS, SECONDS = 512, 20.0


@dataclass(frozen=True)
class InputVectors:
    """Vectors of texts that a network takes in the place of token ids.

    Those of an encoder are rounded to half precision, for training and prediction
    alike.

    Parameters
    ----------
    dim : int
        Width of the vectors.
    encoder : str, optional
        Folder or name on the Hub of the transformer encoder that makes them. None: they
        come from elsewhere, and are given with each text.
    digest : str
        Digest of the encoder, and of the pooling if it is not the mean, so that another
        one is recognised.
    pooled : bool
        One vector for each text, instead of one for each token.
    pooling : tuple of str
        How the vectors of a text's tokens become one, by names of
        :data:`emoclf.contextual.sentence_pooling.POOLINGS`.
    is_cached : bool
        Whether vectors on disk are used.
    """

    dim: int
    encoder: str | None = None
    digest: str = ""
    pooled: bool = False
    pooling: tuple[str, ...] = MEAN
    is_cached: bool = True

    @classmethod
    def of_encoder(cls, name: str, *, pooled: bool) -> Self:
        """Return the vectors of an encoder, which is loaded.

        Those of texts are pooled as the encoder's authors did.

        Raises
        ------
        ModelError
            If there is no such encoder, it is incomplete, or its pooling is not
            supported.
        MissingDependency
            If transformers or torch is not installed.
        """
        encoder = Encoder(name)
        # The bundle may be used in another working directory.
        location = os.path.abspath(name) if os.path.isdir(name) else name
        pooling = declared_pooling(name) if pooled else MEAN
        if pooling != MEAN:
            logger.info(
                "The sentence vectors of the encoder %s are pooled by %s.",
                name,
                ", ".join(pooling),
            )
        width = encoder.dim * len(pooling)
        vectors = cls(width, location, _digest(encoder, pooling), pooled, pooling)
        vectors.__dict__["_encoder"] = encoder
        return vectors

    def __getstate__(self) -> dict[str, Any]:
        # An encoder is loaded again in another process.
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def at(self, encoder: str) -> Self:
        """Return the same vectors of an encoder that is in another place."""
        return replace(self, encoder=encoder)

    def uncached(self) -> Self:
        """Return the same vectors, all of which are computed when they are asked for.

        Times are measured with them.
        """
        vectors = replace(self, is_cached=False)
        if self.encoder is not None:
            vectors.__dict__["_encoder"] = self._encoder
        return vectors

    def to_dict(self) -> dict[str, Any]:
        """Return what a bundle keeps, as plain values."""
        values: dict[str, Any] = {name: getattr(self, name) for name in SAVED}
        if self.pooling != MEAN:
            values["pooling"] = list(self.pooling)
        return values

    @cached_property
    def _encoder(self) -> Encoder:
        assert self.encoder is not None
        try:
            encoder = Encoder(self.encoder)
        except ModelError as error:
            raise ModelError(
                f"{error} This classifier was trained on the vectors of that encoder. "
                f"If it was moved, give its folder with {setting('encoder', 'PATH')}."
            ) from error
        if _digest(encoder, self.pooling) != self.digest:
            raise ModelError(
                f"The encoder {self.encoder!r} is not the one that this classifier was "
                "trained with: its weights or its configuration differ. Give the "
                f"folder of the original one with {setting('encoder', 'PATH')}."
            )
        return encoder

    def middle_layers(self, texts: Sequence[str]) -> TokenVectors:
        """Return the vectors of two layers in the middle, side by side.

        Parameters
        ----------
        texts : sequence of str
            They are encoded together, and nothing is kept.

        Raises
        ------
        ModelError
            If the encoder is missing or another one.
        """
        middle = self._encoder.n_layers // 2
        return self._encoder.encode_tokens(texts, layers=(middle, middle + 1))

    @cached_property
    def _cache(self) -> VectorCache:
        kind = "texts" if self.pooled else "tokens"
        folder = cache_folder() / "encoders" / f"{self.digest[:32]}-{kind}"
        return VectorCache(folder, self.dim)

    def embed(self, texts: Sequence[str], *, keep: bool = False) -> list[np.ndarray]:
        """Return the vectors of texts.

        Parameters
        ----------
        texts : sequence of str
        keep : bool, default=False
            Write new vectors to the cache on disk (``EMOCLF_CACHE``, or
            ``~/.cache/emoclf``), and return them from there, mapped into memory.
            Vectors that are in the cache are read in any case.

        Returns
        -------
        vectors : list of ndarray of float16, each of shape (length, dim)
            With special tokens such as [CLS], of the first 128 tokens of each text;
            ``length`` is 1 for one vector a text.

        Raises
        ------
        ModelError
            If the vectors come from elsewhere, the encoder is missing or another one,
            or its vectors are not finite.
        """
        if not len(texts):
            return []
        if self.encoder is None:
            raise ModelError(
                "This classifier takes precomputed vectors instead of texts. Give the "
                "vectors of the texts, or a .npz file that contains them."
            )
        keep = keep and self.is_cached
        cached: Sequence[np.ndarray | None] = [None] * len(texts)
        if self.is_cached:
            cached = self._cache.find(texts)
        missing = sorted(
            {text for text, rows in zip(texts, cached, strict=True) if rows is None},
            # Texts of one length together: the longest of a batch costs as much as all.
            key=lambda text: (len(text), text),
        )
        new: dict[str, np.ndarray] = {}
        n_cut = 0
        start = told = time.monotonic()
        for first in range(0, len(missing), SHARD_TEXTS):
            chunk = missing[first : first + SHARD_TEXTS]
            lengths = np.array(self._encoder.count_tokens(chunk))
            n_cut += int((lengths > MAX_TOKENS).sum())
            vectors = self._encode(chunk, np.minimum(lengths, MAX_TOKENS))
            new |= zip(chunk, vectors, strict=True)
            if keep:
                self._cache.add(chunk, vectors)
                # From now on they are mapped from there.
                new = {}
            now, done = time.monotonic(), first + len(chunk)
            if now - told > SECONDS or (done == len(missing) and told > start):
                told, rate = now, done / (now - start)
                logger.info(
                    "Encoded %d of %d texts, %.0f a second.", done, len(missing), rate
                )
        if n_cut:
            logger.warning(
                "%d of %d texts have more than %d tokens of the encoder; the rest of "
                "them is not read.",
                n_cut,
                len(missing),
                MAX_TOKENS,
            )
        if keep and missing:
            cached = self._cache.find(texts)
            lost = [t for t, rows in zip(texts, cached, strict=True) if rows is None]
            if lost:
                raise ModelError(
                    f"{self._cache.folder} has lost the vectors of {len(lost):,} texts "
                    "that were just written. Is another program removing files there? "
                    "Name another folder in the environment variable EMOCLF_CACHE."
                )
        return [
            new[text] if rows is None else rows
            for text, rows in zip(texts, cached, strict=True)
        ]

    def _encode(self, texts: Sequence[str], lengths: np.ndarray) -> list[np.ndarray]:
        """Return the vectors of new texts, which have these numbers of tokens."""
        vectors: list[Any] = [None] * len(texts)
        for batch in batch_by_length(lengths, BATCH_TOKENS):
            part = [texts[i] for i in batch]
            if self.pooled:
                rows = list(self._encoder.encode(part, self.pooling)[:, None])
            else:
                tokens = self._encoder.encode_tokens(part)
                rows = [
                    x[mask] for x, mask in zip(tokens.vectors, tokens.mask, strict=True)
                ]
            for i, row in zip(batch, rows, strict=True):
                vectors[i] = row.astype(np.float16)
        if not all(np.isfinite(rows).all() for rows in vectors):
            raise ModelError(
                f"The encoder {self.encoder!r} returns vectors that are not finite in "
                "half precision. Use another encoder."
            )
        return vectors


def _digest(encoder: Encoder, pooling: tuple[str, ...]) -> str:
    """Return the digest of what the vectors depend on.

    Versions that know no pooling but the mean refuse other ones by it.
    """
    if pooling == MEAN:
        return encoder.digest()
    return digest(encoder.digest(), list(pooling))


def encoder_contents(names: Iterable[str | None]) -> dict[str, str]:
    """Return the digests of encoders, for the fingerprint of what can be resumed.

    Parameters
    ----------
    names : iterable of str or None
        Folders, or names on the Hub; None is left out.
    """
    return {f"encoder {name}": Encoder(name).digest() for name in {*names} if name}
