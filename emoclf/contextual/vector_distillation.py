"""Word vectors from an encoder: words alone, or in the sentences that contain them.

A word by itself, through an encoder of sentences, has a vector that is as good for a
small classifier as word2vec's of millions of sentences (see ``tests/benchmarks``). The
vectors are centred, reduced to their principal components and scaled, as in model2vec
(https://github.com/MinishLab/model2vec).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.contextual.transformer import Encoder
from emoclf.contextual.vector_distillation_settings import VectorDistillationSettings
from emoclf.embeddings.word_vectors import WordVectors, save_vectors
from emoclf.errors import ResumeError, VectorsError
from emoclf.files import new_file
from emoclf.fingerprint import RUN_FILE, check_fingerprint, digest, write_fingerprint
from emoclf.text.tokenizer import Tokenizer
from emoclf.text.validation import as_texts

logger = logging.getLogger(__name__)

STATE_FILE = "state.npz"
#: Arrays of the state: attributes of a run.
STATE = ("alone", "sums", "counts", "done")
#: Batches between two writings of the state.
SAVED_BATCHES = 50

Progress = Callable[[str, int, int], None]


def distil_vectors(
    encoder: Encoder | str | os.PathLike[str],
    words: Iterable[str],
    settings: VectorDistillationSettings | Mapping[str, Any] | None = None,
    *,
    sentences: Sequence[str] = (),
    texts: Mapping[str, str] | None = None,
    counts: Mapping[str, int] | None = None,
    tokenizer: Tokenizer | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    **flat: Any,
) -> WordVectors:
    """Distil word vectors from a transformer encoder.

    Parameters
    ----------
    encoder : Encoder, str or path
        Folder of an encoder of transformers or sentence-transformers, or its name on
        the Hugging Face Hub.
    words : iterable of str
        Words that get a vector, the most frequent ones first.
    settings : VectorDistillationSettings or mapping, optional
    sentences : sequence of str
        Texts in which the words occur: a word's vector is then the mean of its vectors
        in them. Words that occur in none are encoded alone.
    texts : mapping of str to str, optional
        Texts to encode in the place of words that the encoder does not know, such as
        ``{"😂": "face with tears of joy"}``.
    counts : mapping of str to int, optional
        Frequencies for ``frequency_weight``; default: by Zipf's law, in the order of
        the words.
    tokenizer : Tokenizer, optional
        Tokenizer that finds the words in the sentences: that of the classifier.
    output : path, optional
        File to write, as :func:`emoclf.embeddings.word_vectors.save_vectors` does. The
        folder ``….checkpoint`` beside it has the state until then: after a kill the
        same call continues.
    progress : callable, optional
        Function of the step ("words" or "sentences"), the number done and of all.
    **flat
        Single settings, such as ``dim=128``, which override ``settings``.

    Returns
    -------
    vectors : WordVectors
        In the order of the words.

    Raises
    ------
    ModelError
        If there is no such encoder.
    VectorsError
        If there are no words, none of them occurs in the sentences, or their vectors
        are all equal.
    ResumeError
        If the checkpoint belongs to another call.
    MissingDependency
        If transformers or torch is not installed.
    """
    settings = VectorDistillationSettings.of(settings, flat)
    words = tuple(dict.fromkeys(as_texts(words)))
    sentences = as_texts(sentences)
    if not words or not all(word.split() == [word] for word in words):
        raise VectorsError(
            "words must be a list of words without white space. Got "
            f"{next((repr(w) for w in words if w.split() != [w]), 'none')}."
        )
    if not isinstance(encoder, Encoder):
        encoder = Encoder(encoder)
    tokenizer = tokenizer or Tokenizer()
    alone = [(texts or {}).get(word, word) for word in words]
    folder = None if output is None else Path(f"{Path(output)}.checkpoint")
    show = progress or (lambda step, done, total: None)
    run = _Run(encoder, words, alone, sentences, settings, tokenizer, folder, show)
    matrix = _reduced(run.vectors(), words, counts, settings)
    name = os.path.basename(encoder.name.rstrip("/"))
    vectors = WordVectors(words, matrix, f"distilled from {name}")
    if output is not None:
        save_vectors(vectors, output)
        run.remove()
    return vectors


@dataclass(eq=False, repr=False)
class _Run:
    """The vectors of words so far, which are written now and then."""

    encoder: Encoder
    words: tuple[str, ...]
    texts: list[str]
    sentences: list[str]
    settings: VectorDistillationSettings
    tokenizer: Tokenizer
    folder: Path | None
    progress: Progress

    def __post_init__(self) -> None:
        # Texts of one length together: the longest of a batch costs as much as all.
        self.order = np.argsort([len(text) for text in self.texts], kind="stable")
        self.texts = [self.texts[number] for number in self.order]
        shape = (len(self.words), self.encoder.dim)
        self.alone = np.zeros(shape, np.float32)
        self.sums = np.zeros(shape if self.sentences else (0, 0), np.float64)
        self.counts = np.zeros(len(self.words) if self.sentences else 0, np.int64)
        #: Words and sentences that are done.
        self.done = np.zeros(2, np.int64)
        if self.folder is not None:
            self._begin(self.folder)

    def _begin(self, folder: Path) -> None:
        fingerprint = {
            "encoder": self.encoder.digest(),
            "tokenizer": digest(*map(str, self.tokenizer.to_state()[0].values())),
            "words": digest(list(self.words), self.texts),
            "sentences": digest(self.sentences),
            "batch size": self.settings.batch_size,
        }
        if not (folder / RUN_FILE).is_file():
            if folder.exists() and any(folder.iterdir()):
                raise ResumeError(
                    f"{folder} is not empty, and not a checkpoint. Name another output."
                )
            write_fingerprint(folder, fingerprint)
        cure = f"Use the same ones, or remove {folder}."
        check_fingerprint(folder, fingerprint, cure=cure)
        if (folder / STATE_FILE).is_file():
            try:
                with np.load(folder / STATE_FILE, allow_pickle=False) as state:
                    for name in STATE:
                        setattr(self, name, state[name])
            except Exception as error:  # damaged archives raise almost anything
                raise ResumeError(
                    f"{folder / STATE_FILE} is damaged ({error}). Remove the folder, "
                    "and begin again."
                ) from error

    def _save(self) -> None:
        if self.folder is None:
            return
        arrays: dict[str, Any] = {name: getattr(self, name) for name in STATE}
        with new_file(self.folder / STATE_FILE) as stream:
            np.savez(stream, **arrays)

    def remove(self) -> None:
        """Remove the checkpoint."""
        if self.folder is not None:
            for name in (STATE_FILE, RUN_FILE):
                (self.folder / name).unlink(missing_ok=True)
            with suppress(OSError):  # something else is in it
                self.folder.rmdir()

    def vectors(self) -> np.ndarray:
        """Return a vector for each word, shape (n_words, encoder.dim)."""
        for batch in self._batches(0, "words", self.texts):
            positions = self.order[self.done[0] : self.done[0] + len(batch)]
            self.alone[positions] = self.encoder.encode(batch)
        if not self.sentences:
            return self.alone
        number_of = {word: number for number, word in enumerate(self.words)}
        for batch in self._batches(1, "sentences", self.sentences):
            self._add(batch, number_of)
        occurs = self.counts > 0
        if not occurs.any():
            raise VectorsError(
                f"None of the {len(self.words):,} words occurs in the "
                f"{len(self.sentences):,} sentences. Give sentences of the same "
                "language, or none."
            )
        logger.info(
            "%d of %d words occur in the sentences; the others are encoded alone.",
            occurs.sum(),
            len(occurs),
        )
        means = self.sums[occurs] / self.counts[occurs, None]
        # Words alone have other lengths than words in sentences.
        ratio = np.sqrt((means**2).mean() / (self.alone[occurs] ** 2).mean())
        vectors = self.alone * np.float32(ratio)
        vectors[occurs] = means
        return vectors

    def _batches(
        self, step: int, name: str, texts: Sequence[str]
    ) -> Iterator[list[str]]:
        """Yield what is left, and record what is done."""
        size = self.settings.batch_size
        starts = range(int(self.done[step]), len(texts), size)
        for number, start in enumerate(starts, 1):
            self.progress(name, start, len(texts))
            batch = list(texts[start : start + size])
            yield batch
            self.done[step] += len(batch)
            if number % SAVED_BATCHES == 0:
                self._save()
        self._save()
        self.progress(name, len(texts), len(texts))

    def _add(self, texts: list[str], number_of: Mapping[str, int]) -> None:
        """Add the vectors of the words in a batch of sentences."""
        tokenizer = self.tokenizer
        vectors, _, spans = self.encoder.encode_tokens(texts)
        for text, rows, pieces in zip(texts, vectors, spans, strict=True):
            real = pieces[:, 0] < pieces[:, 1]
            first, after, rows = pieces[real, 0], pieces[real, 1], rows[real]
            words, spans_of_words = tokenizer.tokens(text), tokenizer.spans(text)
            for word, (begin, end) in zip(words, spans_of_words, strict=True):
                number = number_of.get(word)
                inside = (first < end) & (after > begin)
                if number is not None and inside.any():
                    self.sums[number] += rows[inside].mean(0)
                    self.counts[number] += 1


def _reduced(
    vectors: np.ndarray,
    words: Sequence[str],
    counts: Mapping[str, int] | None,
    settings: VectorDistillationSettings,
) -> np.ndarray:
    """Return centred, reduced, weighted and scaled vectors."""
    vectors = vectors.astype(np.float64)
    if settings.center:
        vectors -= vectors.mean(0)
    if settings.dim < vectors.shape[1]:
        _, axes = np.linalg.eigh(np.cov(vectors.T))
        axes = axes[:, ::-1][:, : settings.dim]
        # An axis has no sign of its own: the largest number of each is positive.
        axes *= np.sign(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])])
        vectors = vectors @ axes
    if settings.frequency_weight:
        # By Zipf's law, or as counted.
        frequency = 1 / np.arange(1, len(words) + 1)
        if counts is not None:
            frequency = np.array([counts.get(word, 0) for word in words], float)
        frequency /= max(frequency.sum(), 1e-12)
        weight = settings.frequency_weight
        vectors *= (weight / (weight + frequency))[:, None]
    rms = float(np.sqrt((vectors**2).mean()))
    if not np.isfinite(rms) or rms < 1e-12:
        raise VectorsError(
            f"The vectors of all {len(words)} words are equal, or not finite: the "
            "encoder has no weights that tell them apart."
        )
    return (vectors * (settings.rms / rms)).astype(np.float32)
