"""Read what a file says of a text: probabilities, or labels, as numbers from 0 to 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from emoclf.bulk.entries import Entries, Entry
from emoclf.datasets.cells import BadRow, excerpt
from emoclf.datasets.columns import find_columns
from emoclf.datasets.label_reader import LabelReader
from emoclf.datasets.rows import names_of
from emoclf.errors import DataError, did_you_mean

#: Largest difference of a row's sum from 1: thirty probabilities of three digits, or a
#: few of two. Rows are divided by their sums.
SUM_TOLERANCE = 0.02
#: Beginnings of the columns' names, before that of a label, as 'emoclf predict' writes
#: them; and the keys of its objects of probabilities.
PREFIXES = ("", "probability_", "predicted_probability_")
OBJECTS = ("probabilities", "predicted_probabilities")


class PredictionReader:
    """Reader of the predictions in the entries of a file.

    Parameters
    ----------
    entries : Entries
    first : Entry
        First entry; its columns say where the predictions are.
    label_names : sequence of str
        Labels, in the order of the numbers.
    multilabel : bool
        Whether a text may have several labels.

    Attributes
    ----------
    hard : bool
        Whether the file has labels, and no probabilities.
    read : callable
        Function of an entry that returns a number from 0 to 1 for each label. It raises
        a DataError if a number is no probability, they do not add up to 1 (one label
        for each text), or a label is unknown.

    Raises
    ------
    DataError
        If a column is missing.
    """

    def __init__(
        self,
        entries: Entries,
        first: Entry,
        label_names: Sequence[str],
        *,
        multilabel: bool,
    ) -> None:
        self._entries = entries
        self.label_names, self.multilabel = tuple(label_names), multilabel
        columns = entries.table.columns
        columns = list(first.values) if columns is None else columns
        probabilities = self._probabilities(first, columns)
        self.hard = probabilities is None
        self.read = probabilities or self._labels(columns)

    def _probabilities(
        self, first: Entry, columns: Sequence[str]
    ) -> Callable[[Entry], Sequence[float]] | None:
        """Return the function that reads probabilities; None if there are none."""
        for name in OBJECTS:
            if isinstance(first.values.get(name), dict):
                return lambda entry: self._row(
                    entry, entry.values.get(name) or {}, self.label_names
                )
        for prefix in PREFIXES:
            names = [f"{prefix}{label}" for label in self.label_names]
            if {*names} & {*columns}:
                self._check_columns(names, columns)
                return lambda entry: self._row(entry, entry.values, names)
        return None

    def _check_columns(self, names: Sequence[str], columns: Sequence[str]) -> None:
        """Raise an error if labels have no column."""
        missing = [name for name in names if name not in columns]
        if missing:
            other_columns = [column for column in columns if column not in names]
            raise DataError(
                f"{self._entries.source.name} has no column of probabilities for "
                f"{', '.join(map(repr, missing))}."
                f"{did_you_mean(missing[0], other_columns)} Its other columns: "
                f"{', '.join(map(repr, other_columns))}. Add a column for each label."
            )

    def _row(
        self, entry: Entry, values: Mapping[str, Any], names: Sequence[str]
    ) -> list[float]:
        """Return the checked probabilities of an entry."""
        location = self._entries.place(entry)
        row = []
        for name in names:
            cell: Any = values.get(name)
            try:
                number = float(cell) if not isinstance(cell, bool) else np.nan
            except (TypeError, ValueError):
                number = np.nan
            if not 0 <= number <= 1:
                raise DataError(
                    f"{location}: the probability of {name!r} must be a number from 0 "
                    f"to 1. Got {excerpt(cell)} instead. Correct it; divide "
                    "percentages by 100."
                )
            row.append(number)
        if not self.multilabel and abs(sum(row) - 1) > SUM_TOLERANCE:
            raise DataError(
                f"{location}: the probabilities must add up to 1. Their sum is "
                f"{sum(row):.3f}. Divide each row by its sum, or, if a text may have "
                "several labels, train on texts with several labels."
            )
        return row

    def _labels(self, columns: Sequence[str]) -> Callable[[Entry], Sequence[float]]:
        """Return the function that reads the label of each entry, as 0 and 1."""
        source = self._entries.source
        settings = source.settings
        try:
            column_positions = find_columns(
                columns,
                (settings.text_column, settings.label_column, None),
                source=source.name,
            )
        except DataError as error:
            raise DataError(
                f"{error} Or give one column of probabilities for each label: "
                f"{', '.join(self.label_names)}."
            ) from None
        column = columns[column_positions.label]
        reader = LabelReader(
            settings.label_names,
            classes=self.label_names,
            separator=settings.label_separator if self.multilabel else None,
        )
        number_of = {name: i for i, name in enumerate(self.label_names)}

        def prediction(entry: Entry) -> Sequence[float]:
            location, row = self._entries.place(entry), [0.0] * len(self.label_names)
            try:
                label = reader.settle(reader.read(entry.values.get(column)), None)
            except BadRow as error:
                raise DataError(f"{location}: {error}.") from None
            if not (self.multilabel or isinstance(label, str)):
                raise DataError(
                    f"{location} has a list of labels, and the texts have one label "
                    f"each. Got {excerpt(entry.values.get(column))} instead. Write one "
                    "label."
                )
            for name in names_of(label):
                row[number_of[name]] = 1.0
            return row

        return prediction
