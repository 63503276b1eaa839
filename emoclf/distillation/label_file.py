"""A teacher in a file: probabilities, or labels, that anything has given to texts."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest

from emoclf.bulk.entries import Entries, Entry
from emoclf.classifier import DEFAULT_THRESHOLD
from emoclf.datasets.cells import BadRow, excerpt
from emoclf.datasets.columns import find_columns
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.label_reader import LabelReader
from emoclf.datasets.rows import names_of
from emoclf.datasets.source import Source
from emoclf.display import Described, short_names, shorten_text
from emoclf.errors import DataError, did_you_mean
from emoclf.fingerprint import digest
from emoclf.settings import DataSettings

#: Largest difference of a row's sum from 1: thirty probabilities of three digits, or a
#: few of two. Rows are divided by their sums.
SUM_TOLERANCE = 0.02
#: Beginnings of the columns' names, before that of a label, as 'emoclf predict' writes
#: them; and the keys of its objects of probabilities.
PREFIXES = ("", "probability_", "predicted_probability_")
OBJECTS = ("probabilities", "predicted_probabilities")


class Agreement(NamedTuple):
    """How often the labels of a file are the true ones.

    Parameters
    ----------
    share : float
        Share of the texts whose label is right; multilabel: whose labels all are.
    low, high : float
        95 % interval of the share (Wilson, 1927).
    n : int
        Number of texts that were compared.
    """

    share: float
    low: float
    high: float
    n: int


class LabelFile(Described):
    """A teacher whose answers are in a file.

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
        1 (one label for each text); or if a text has different answers.
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
        self.hard = False
        keys, numbers, rows = array("Q"), array("q"), array("f")
        with Source(self.name, DataSettings.of(settings, flat)) as source:
            entries = Entries(source, source.settings.text_column)
            answer: Callable[[Entry], Sequence[float]] | None = None
            for entry in _entries(entries):
                if answer is None:
                    answer = self._answers(entries, entry)
                keys.append(_key(entry.text))
                numbers.append(entry.number)
                rows.extend(answer(entry))
            self._unit = source.unit
        if not keys:
            raise DataError(f"{self.name} has no texts.")
        order = np.argsort(np.array(keys), kind="stable")
        self._keys, self._numbers = np.array(keys)[order], np.array(numbers)[order]
        answers = np.array(rows, np.float32).reshape(len(order), -1)[order]
        if not multilabel:
            answers /= answers.sum(1, keepdims=True)
        self._rows = answers
        self._join_repeated()

    def _facts(self) -> dict[str, object]:
        return {
            "file": os.path.basename(self.name),
            "texts": f"{len(self):,}",
            "labels": short_names(self.label_names),
        }

    def __len__(self) -> int:
        return len(self._keys)

    def digest(self) -> str:
        """Return a digest of texts, answers and labels."""
        return digest(self._keys, self._rows, list(self.label_names))

    def covers(self, texts: Sequence[str]) -> np.ndarray:
        """Say of each text whether the file has it, bool of shape (n_texts,)."""
        keys = np.array([_key(text) for text in texts], np.uint64)
        places = np.searchsorted(self._keys, keys).clip(max=len(self) - 1)
        return self._keys[places] == keys

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
        known = self.covers(texts)
        if not known.all():
            first = texts[int(np.argmin(known))]
            raise DataError(
                f"{self.name} lacks {(~known).sum():,} of {len(texts):,} texts, such "
                f"as {shorten_text(first)!r}. Add them with their probabilities, or "
                "give only texts that the file has."
            )
        keys = np.array([_key(text) for text in texts], np.uint64)
        return self._rows[np.searchsorted(self._keys, keys)]

    def agreement(self, dataset: Dataset) -> Agreement | None:
        """Compare the file with the true labels of the texts that it has.

        Parameters
        ----------
        dataset : Dataset
            Labelled texts, with the labels of the file in any order.

        Returns
        -------
        agreement : Agreement or None
            None if the file has none of the texts.
        """
        places = np.flatnonzero(self.covers(dataset.texts))
        if not len(places):
            return None
        found = self.predict_proba([dataset.texts[i] for i in places])
        right = 0
        for place, row in zip(places.tolist(), found, strict=True):
            chosen = np.flatnonzero(row >= DEFAULT_THRESHOLD)
            if not self.multilabel:
                chosen = row.argmax(keepdims=True)
            names = {self.label_names[i] for i in chosen}
            right += names == {*names_of(dataset.labels[place])}
        ends = binomtest(right, len(places)).proportion_ci(method="wilson")
        return Agreement(
            right / len(places), float(ends.low), float(ends.high), len(places)
        )

    def _answers(
        self, entries: Entries, first: Entry
    ) -> Callable[[Entry], Sequence[float]]:
        """Return the function that reads the answer of each entry."""
        columns = entries.table.columns
        columns = list(first.values) if columns is None else columns
        for name in OBJECTS:
            if isinstance(first.values.get(name), dict):
                return lambda entry: self._row(
                    entries, entry, entry.values.get(name) or {}, self.label_names
                )
        for prefix in PREFIXES:
            names = [f"{prefix}{label}" for label in self.label_names]
            if {*names} & {*columns}:
                self._check_columns(names, columns)
                return lambda entry: self._row(entries, entry, entry.values, names)
        return self._label_answers(entries, columns)

    def _check_columns(self, names: Sequence[str], columns: Sequence[str]) -> None:
        """Raise an error if labels have no column."""
        missing = [name for name in names if name not in columns]
        if missing:
            others = [column for column in columns if column not in names]
            raise DataError(
                f"{self.name} has no column of probabilities for "
                f"{', '.join(map(repr, missing))}."
                f"{did_you_mean(missing[0], others)} Its other columns: "
                f"{', '.join(map(repr, others))}. Add a column for each label."
            )

    def _row(
        self,
        entries: Entries,
        entry: Entry,
        values: Mapping[str, Any],
        names: Sequence[str],
    ) -> list[float]:
        """Return the checked probabilities of an entry."""
        place = entries.place(entry)
        row = []
        for name in names:
            cell: Any = values.get(name)
            try:
                number = float(cell) if not isinstance(cell, bool) else np.nan
            except (TypeError, ValueError):
                number = np.nan
            if not 0 <= number <= 1:
                raise DataError(
                    f"{place}: the probability of {name!r} must be a number from 0 to "
                    f"1. Got {excerpt(cell)} instead. Correct it; divide percentages "
                    "by 100."
                )
            row.append(number)
        if not self.multilabel and abs(sum(row) - 1) > SUM_TOLERANCE:
            raise DataError(
                f"{place}: the probabilities must add up to 1. Their sum is "
                f"{sum(row):.3f}. Divide each row by its sum, or, if a text may have "
                "several labels, train on texts with several labels."
            )
        return row

    def _label_answers(
        self, entries: Entries, columns: Sequence[str]
    ) -> Callable[[Entry], Sequence[float]]:
        """Return the function that reads the label of each entry."""
        self.hard = True
        source = entries.source
        settings = source.settings
        try:
            found = find_columns(
                columns,
                (settings.text_column, settings.label_column, None),
                source=source.name,
            )
        except DataError as error:
            raise DataError(
                f"{error} Or give one column of probabilities for each label: "
                f"{', '.join(self.label_names)}."
            ) from None
        column = columns[found.label]
        reader = LabelReader(
            settings.label_names,
            classes=self.label_names,
            separator=settings.label_separator if self.multilabel else None,
        )
        number_of = {name: i for i, name in enumerate(self.label_names)}

        def answer(entry: Entry) -> Sequence[float]:
            row = [0.0] * len(self.label_names)
            try:
                label = reader.settle(reader.read(entry.values.get(column)), None)
            except BadRow as error:
                raise DataError(f"{entries.place(entry)}: {error}.") from None
            if not (self.multilabel or isinstance(label, str)):
                raise DataError(
                    f"{entries.place(entry)} has a list of labels, and the texts have "
                    f"one label each. Got {excerpt(entry.values.get(column))} instead. "
                    "Write one label."
                )
            for name in names_of(label):
                row[number_of[name]] = 1.0
            return row

        return answer

    def _join_repeated(self) -> None:
        """Keep one row of each text, and refuse different answers to one text."""
        repeated = self._keys[1:] == self._keys[:-1]
        differing = np.abs(self._rows[1:] - self._rows[:-1]).max(1) > 1e-4
        if (wrong := repeated & differing).any():
            first, second = sorted(self._numbers[int(np.argmax(wrong)) :][:2].tolist())
            raise DataError(
                f"{self.name}, {self._unit}s {first} and {second}: the same text has "
                f"different answers, as {wrong.sum():,} rows have. Keep one of each."
            )
        kept = np.append(True, ~repeated)
        self._keys, self._rows = self._keys[kept], self._rows[kept]


def _entries(entries: Entries) -> Iterator[Entry]:
    for chunk in entries.chunks():
        yield from chunk


def _key(text: str) -> int:
    """Return 64 bits that stand for a text; texts themselves would take gigabytes."""
    data = " ".join(text.split()).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
