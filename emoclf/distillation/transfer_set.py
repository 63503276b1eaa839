"""Texts that a student learns from its teachers: training texts, then unlabelled ones.

Texts, token ids and targets are on disk and memory-mapped, so that there may be more of
them than memory holds.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.datasets.split import Split
from emoclf.distillation.distillation_settings import DistillationSettings
from emoclf.distillation.nearest_texts import FILES as NEAREST_FILES
from emoclf.distillation.nearest_texts import nearest_blocks
from emoclf.distillation.stored_arrays import (
    StoredArrays,
    StoredTexts,
    mapped,
    store_arrays,
    store_texts,
)
from emoclf.distillation.teacher_predictions import mean_probabilities
from emoclf.distillation.text_variants import text_variants
from emoclf.distillation.unlabelled import NewTexts, UnlabelledCounts, read_unlabelled
from emoclf.errors import DataError, SettingsError, setting
from emoclf.evaluation.temperature import at_temperature
from emoclf.settings import RunSettings
from emoclf.text.encoder import TextEncoder, new_tokenizer

logger = logging.getLogger(__name__)

TEXTS_FILE, IDS_FILE, TARGETS_FILE = "texts", "token_ids", "targets.f16"
#: Names of all files in the folder of a transfer set.
FILES = (
    *(TEXTS_FILE, f"{TEXTS_FILE}.ends", IDS_FILE, f"{IDS_FILE}.ends", TARGETS_FILE),
    *NEAREST_FILES,
)
#: Texts that are encoded, or whose targets are written, at once.
BLOCK_TEXTS = 1024
#: Different words above which those that occurred once so far are forgotten.
MAX_COUNTED_WORDS = 2_000_000


@dataclass(frozen=True)
class TransferSet:
    """Texts with a teacher's predictions, from which a student learns.

    Parameters
    ----------
    folder : Path
    texts : StoredTexts
        Training texts, and after them the others.
    n_train : int
        Number of training texts.
    counts : UnlabelledCounts
        Numbers of the other texts.
    words : tuple of str
        Frequent words that no training text contains.
    is_made : bool
        Whether the other texts were made from the training texts.
    """

    folder: Path
    texts: StoredTexts
    n_train: int
    counts: UnlabelledCounts
    words: tuple[str, ...]
    is_made: bool

    def __len__(self) -> int:
        return len(self.texts)

    def token_ids(self, encoder: TextEncoder) -> StoredArrays:
        """Encode all texts, and return their token ids."""
        arrays = (
            ids
            for block in self.texts.blocks(BLOCK_TEXTS)
            for ids in encoder.encode(block)
        )
        return store_arrays(self.folder / IDS_FILE, arrays, np.int32)

    def targets(
        self,
        predictions: Sequence[Any],
        temperature: float,
        *,
        multilabel: bool,
        first: np.ndarray,
    ) -> np.ndarray:
        """Write the targets of all texts: the mean of the teachers' predictions.

        Parameters
        ----------
        predictions : sequence of ndarray, each of shape (n_texts, n_classes)
            Probabilities, with columns in the order of the data's labels.
        temperature : float > 0
        multilabel : bool
        first : ndarray, shape (n_train, n_classes)
            Targets of the training texts, in place of the predictions.

        Returns
        -------
        targets : ndarray of float16, shape (n_texts, n_classes)
        """
        path = self.folder / TARGETS_FILE
        with open(path, "wb") as stream:
            for start in range(0, len(self), BLOCK_TEXTS):
                block = mean_probabilities(predictions, start, start + BLOCK_TEXTS)
                if temperature != 1:
                    block = at_temperature(block, temperature, multilabel=multilabel)
                part = first[start : start + BLOCK_TEXTS]
                block[: len(part)] = part
                stream.write(block.astype(np.float16).tobytes())
        return mapped(path, np.float16, first.shape[1])


def build_transfer_set(
    folder: Path,
    split: Split,
    unlabelled: Any,
    settings: RunSettings,
    distillation: DistillationSettings,
    *,
    covers: Callable[[list[str]], np.ndarray] | None = None,
) -> TransferSet:
    """Write the texts from which a student learns, without those that are held out.

    Parameters
    ----------
    folder : Path
        Folder for the files; created if necessary.
    split : Split
        Its validation and test texts, and texts nearly like them, are left out.
    unlabelled : path, sequence of paths, texts or None
        As in :func:`~emoclf.distillation.unlabelled.read_unlabelled`; None: texts are
        made from the training texts.
    settings : RunSettings
    distillation : DistillationSettings
    covers : callable, optional
        As in :class:`~emoclf.distillation.unlabelled.NewTexts`.

    Raises
    ------
    DataError
        If no unlabelled text is left, or a file cannot be read.
    SettingsError
        If unlabelled texts are to be chosen, and none are given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    train = split.train.texts
    parts = [part for name, part in split.parts().items() if name != "train"]
    held_out = [text for part in parts for text in part.texts]
    new = NewTexts(held_out, settings.data.near_duplicates, train, covers=covers)
    counts: Counter[str] = Counter()
    tokenizer = new_tokenizer(settings.text)
    extra_texts = _extra_texts(unlabelled, train, settings, distillation)
    blocks, most = new.blocks(extra_texts), distillation.max_unlabelled
    if most is not None:
        blocks = nearest_blocks(folder, blocks, train, most, settings.text)

    def all_texts() -> Iterator[str]:
        yield from train
        for block in blocks:
            counts.update(chain.from_iterable(tokenizer.batch(block)))
            if len(counts) > MAX_COUNTED_WORDS:
                for word in [word for word, count in counts.items() if count == 1]:
                    del counts[word]
            yield from block

    texts = store_texts(folder / TEXTS_FILE, all_texts())
    new.counts.unlike = new.counts.kept - (len(texts) - len(train))
    logger.info("%s", new.counts.line())
    if not new.counts.kept:
        raise DataError(
            f"No unlabelled text is left. {new.counts.line()} Give other texts with "
            f"{setting('unlabelled')}."
        )
    train_tokens = {*chain.from_iterable(tokenizer.batch(train))}
    least, most = distillation.unlabelled_min_count, distillation.unlabelled_words
    frequent = [w for w, n in counts.items() if n >= least and w not in train_tokens]
    frequent.sort(key=lambda word: (-counts[word], word))
    words = tuple(frequent[:most])
    return TransferSet(folder, texts, len(train), new.counts, words, unlabelled is None)


def _extra_texts(
    unlabelled: Any,
    train: Sequence[str],
    settings: RunSettings,
    distillation: DistillationSettings,
) -> Iterable[str]:
    """Return the unlabelled texts, or texts made from the training texts."""
    most = distillation.max_unlabelled
    if unlabelled is not None:
        column = distillation.unlabelled_column
        return read_unlabelled(unlabelled, settings.data, column)
    if most is not None:
        raise SettingsError(
            f"{setting('max_unlabelled', most)} chooses among unlabelled texts, and "
            f"none are given. Name a file of them with {setting('unlabelled')}, or set "
            f"{setting('variants')}, the number of texts made from each training text."
        )
    logger.warning(
        "No unlabelled texts are given: %d are made from each training text, by "
        "deleting words and joining parts of two texts. This is the weak way; real "
        "text of the same kind, without labels, is better: %s.",
        distillation.variants,
        setting("unlabelled", "more.txt"),
    )
    return text_variants(train, distillation.variants, seed=settings.seed)
