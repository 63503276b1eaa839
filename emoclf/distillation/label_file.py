"""A teacher in a file: probabilities, or labels, that anything has given to texts."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from scipy.stats import binomtest

from emoclf.bulk.entries import Entries
from emoclf.classifier import DEFAULT_THRESHOLD
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.rows import names_of
from emoclf.datasets.source import Source
from emoclf.display import shorten_text
from emoclf.distillation.prediction_reader import PredictionReader
from emoclf.errors import DataError
from emoclf.fingerprint import digest
from emoclf.settings import DataSettings


class LabelFile:
    """A teacher whose predictions are in a file.

    Parameters
    ----------
    path : path
        File of any format, with the texts and one column of probabilities for each
        label, named like the label or as ``emoclf predict -o`` names them; or with one
        column of labels. White space within a text may differ.
    label_names : sequence of str
        Labels of the student, in the order of the probabilities.
    multilabel : bool, default=False
        Whether a text may have several labels.
    settings : DataSettings or mapping, optional
        Columns and encoding of the file.
    **flat
        Single settings, such as ``text_column="review"``.

    Attributes
    ----------
    hard : bool
        Whether the file has labels, and no probabilities.

    Raises
    ------
    DataError
        If a column is missing; if a row has no probabilities, or they do not add up to
        1 (one label for each text); or if a text has different predictions.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        label_names: Sequence[str],
        *,
        multilabel: bool = False,
        settings: DataSettings | Mapping[str, Any] | None = None,
        **flat: Any,
    ) -> None:
        self.name = os.fspath(path)
        self.label_names = tuple(label_names)
        self.multilabel = multilabel
        keys, numbers, values = array("Q"), array("q"), array("f")
        reader: PredictionReader | None = None
        with Source(self.name, DataSettings.of(settings, flat)) as source:
            entries = Entries(source, source.settings.text_column)
            for entry in chain.from_iterable(entries.chunks()):
                if reader is None:
                    reader = PredictionReader(
                        entries, entry, self.label_names, multilabel=multilabel
                    )
                keys.append(_key(entry.text))
                numbers.append(entry.number)
                values.extend(reader.read(entry))
        if reader is None:
            raise DataError(f"{self.name} contains no texts. Give another file.")
        self.hard = reader.hard
        rows = np.array(values, np.float32).reshape(len(keys), -1)
        if not multilabel:
            rows /= rows.sum(1, keepdims=True)
        order = np.argsort(keys, kind="stable")
        self._keys, self._rows = np.array(keys)[order], rows[order]
        repeated = self._keys[1:] == self._keys[:-1]
        wrong = repeated & (np.abs(np.diff(self._rows, axis=0)).max(1) > 1e-4)
        if wrong.any():
            i = int(np.argmax(wrong))
            first, second = (numbers[j] for j in sorted(order[i : i + 2].tolist()))
            raise DataError(
                f"{self.name}, {source.unit}s {first} and {second}: the text is the "
                f"same, but its labels or probabilities differ ({wrong.sum():,} such "
                "rows in all). Keep one row for each text."
            )
        is_first = np.append(True, ~repeated)
        self._keys, self._rows = self._keys[is_first], self._rows[is_first]

    def __len__(self) -> int:
        return len(self._keys)

    def digest(self) -> str:
        """Return a digest of texts, predictions and labels."""
        return digest(self._keys, self._rows, list(self.label_names))

    def covers(self, texts: Sequence[str]) -> np.ndarray:
        """Say of each text whether the file has it, bool of shape (n_texts,)."""
        keys = _keys_of(texts)
        positions = np.searchsorted(self._keys, keys)
        return self._keys[positions.clip(max=len(self) - 1)] == keys

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Return the probabilities of the file; of labels, 0 and 1.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        probabilities : ndarray of float32, shape (n_texts, n_classes)

        Raises
        ------
        DataError
            If the file lacks one of the texts.
        """
        texts = list(texts)
        covered = self.covers(texts)
        if not covered.all():
            first = texts[int(np.argmin(covered))]
            raise DataError(
                f"{self.name} lacks {(~covered).sum():,} of {len(texts):,} texts, such "
                f"as {shorten_text(first)!r}. Add them with their probabilities, or "
                "give only texts that the file has."
            )
        return self._rows[np.searchsorted(self._keys, _keys_of(texts))]

    def agreement(self, dataset: Dataset) -> Any:
        """Compare the file with the true labels of the texts that it has.

        Parameters
        ----------
        dataset : Dataset
            Labelled texts, with the labels of the file in any order.

        Returns
        -------
        agreement : scipy.stats.BinomTestResult or None
            ``k`` of ``n`` texts have the right label (multilabel: all labels right).
            None if the file has none of the texts.
        """
        positions = np.flatnonzero(self.covers(dataset.texts))
        if not len(positions):
            return None
        probabilities = self.predict_proba([dataset.texts[i] for i in positions])
        right = 0
        for position, row in zip(positions.tolist(), probabilities, strict=True):
            chosen = np.flatnonzero(row >= DEFAULT_THRESHOLD)
            if not self.multilabel:
                chosen = row.argmax(keepdims=True)
            names = {self.label_names[i] for i in chosen}
            right += names == {*names_of(dataset.labels[position])}
        return binomtest(right, len(positions))


def _key(text: str) -> int:
    """Return 64 bits that stand for a text; texts themselves would take gigabytes."""
    data = " ".join(text.split()).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def _keys_of(texts: Sequence[str]) -> np.ndarray:
    return np.array([_key(text) for text in texts], np.uint64)
