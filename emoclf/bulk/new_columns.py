"""Columns or keys with predictions, beside those of the input."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

from emoclf.bulk.entries import Entries, Entry
from emoclf.bulk.predict_chunks import Labels
from emoclf.datasets.columns import LABEL_NAMES
from emoclf.datasets.rows import names_of
from emoclf.errors import DataError, setting

logger = logging.getLogger(__name__)

# Prefix of the new columns in a file that has columns of the same names.
AUTOMATIC_PREFIX = "predicted_"
# Decimal places of probabilities: a float32 between 0 and 1 has no more.
PROBABILITY_DIGITS = 6
# Separators of the labels in one cell; the first that no label contains is used.
LABEL_SEPARATORS = (",", ";", "|", "\t")


class NewColumns:
    """Names of the label and the probabilities beside the columns of the input.

    Parameters
    ----------
    entries : Entries
        Entries of the input, with its own columns.
    labels : Labels
    prefix : str, optional
        Prefix of each new name; by default ``predicted_`` if the input already has one
        of the names, as a labelled file does, or, if multilabel, a column with a usual
        name for labels; else none.
    abstains : bool, default=False
        Whether labels may be withheld, so that there is a column for the reason.
    """

    def __init__(
        self,
        entries: Entries,
        labels: Labels,
        prefix: str | None = None,
        *,
        abstains: bool = False,
    ) -> None:
        self.entries = entries
        self.labels = labels
        self._abstains = abstains
        self._is_given = prefix is not None
        self._set_prefix(prefix or "")

    def _set_prefix(self, prefix: str) -> None:
        self._prefix = prefix
        self.label = prefix + ("labels" if self.labels.multilabel else "label")
        self.withheld = [f"{prefix}withheld"] if self._abstains else []
        self.probabilities = f"{prefix}probabilities"
        self.columns = [f"{prefix}probability_{name}" for name in self.labels.names]

    def input_columns(
        self, chunk: Sequence[Entry], *, as_object: bool = False
    ) -> list[str]:
        """Return the input's columns; of objects, the keys of the first chunk.

        If they include one of the new names, and no prefix was given, all new names
        get another one; if multilabel, also if they include a column of labels.

        Parameters
        ----------
        chunk : sequence of Entry
        as_object : bool, default=False
            The probabilities are one object, instead of a column each.

        Raises
        ------
        DataError
            If the input has one of the new columns already.
        """
        columns = self.entries.table.columns
        keys = columns or []
        if columns is None:
            # A bad record may have its text under a misspelt key.
            good = [entry.values for entry in chunk if entry.bad is None]
            columns = list(dict.fromkeys(key for values in good for key in values))
            keys = [key for entry in chunk for key in entry.values]
        name = self._clash(keys, as_object)
        if self.labels.multilabel and not self._is_given:
            # With a column ``labels`` beside ``label`` no reader knows the true labels.
            usual = (key for key in keys if key.strip().casefold() in LABEL_NAMES)
            name = name or next(usual, None)
        if name and not self._is_given:
            self._set_prefix(AUTOMATIC_PREFIX)
            old, name = name, self._clash(keys, as_object)
            if not name:
                logger.info(
                    "%s has a column %r, so the predictions are in %r and %r.",
                    self.entries.source.name,
                    old,
                    *self._shown(as_object),
                )
        if name:
            raise self.exists(name, self.entries.source.name)
        return columns

    def names(self, *, as_object: bool = False) -> list[str]:
        """Return all new names."""
        names = [self.probabilities] if as_object else self.columns
        return [self.label, *self.withheld, *names]

    def _shown(self, as_object: bool) -> tuple[str, str]:
        """Return two names for a message."""
        shares = self.probabilities if as_object else f"{self._prefix}probability_…"
        return self.label, shares

    def _clash(self, keys: Collection[str], as_object: bool) -> str | None:
        """Return the first new name that the input has already."""
        names = self.names(as_object=as_object)
        return next((name for name in names if name in keys), None)

    def cells(self, entry: Entry) -> list[str]:
        """Return the new cells of a row."""
        if entry.probabilities is None:
            return [""] * len(self.names())
        labels = self._label_separator.join(names_of(entry.label or ()))
        reasons = [entry.withheld or "" for _ in self.withheld]
        shares = [f"{p:.{PROBABILITY_DIGITS}f}" for p in entry.probabilities]
        return [labels, *reasons, *shares]

    @cached_property
    def _label_separator(self) -> str:
        letters = "".join(self.labels.names)
        return next((x for x in LABEL_SEPARATORS if x not in letters), ",")

    def values(self, entry: Entry) -> list[Any]:
        """Return the new values of an object."""
        probabilities = None
        if entry.probabilities is not None:
            pairs = zip(self.labels.names, entry.probabilities, strict=True)
            probabilities = {name: round(p, PROBABILITY_DIGITS) for name, p in pairs}
        return [entry.label, *(entry.withheld for _ in self.withheld), probabilities]

    def arrow_types(self, arrow: Any) -> list[Any]:
        """Return the types of the new columns in Parquet."""
        text, share = arrow.string(), arrow.float32()
        label = arrow.list_(text) if self.labels.multilabel else text
        return [label, *(text for _ in self.withheld), *(share for _ in self.columns)]

    def typed_values(self, entry: Entry) -> list[Any]:
        """Return the new values of a row of Parquet."""
        shares: Sequence[Any] = entry.probabilities or [None] * len(self.columns)
        return [entry.label, *(entry.withheld for _ in self.withheld), *shares]

    def exists(self, name: str, place: str) -> DataError:
        """Return the error about an input that has one of the new names already."""
        other = f"new_{self._prefix}" if self._prefix else AUTOMATIC_PREFIX
        return DataError(
            f"{place} has a column {name!r} already. Give the new columns other names "
            f"with {setting('prefix', other)}."
        )

    def check_keys(
        self, chunk: Sequence[Entry], columns: Sequence[str], format: str
    ) -> None:
        """Raise DataError if a key of a good record has no column.

        Raises
        ------
        DataError
        """
        if self.entries.table.columns is not None:
            return
        known_keys = set(columns)
        for entry in chunk:
            new = next((key for key in entry.values if key not in known_keys), None)
            if new is not None and entry.bad is None:
                raise DataError(
                    f"{self.entries.place(entry)}: the key {new!r} is new here, and "
                    f"{format} has the columns of the first objects. Write .jsonl, "
                    "which keeps the keys of each object."
                )
