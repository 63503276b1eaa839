"""Turn the label cells of a dataset into names of classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from emoclf.datasets.cells import BadRow, is_missing, shorten
from emoclf.datasets.labels import (
    LIST_TYPES,
    TRUTH_VALUES,
    FlagRow,
    Label,
    are_flags,
    as_label,
    find_class,
    label_key,
    written_list,
)
from emoclf.errors import DataError, SettingsError, did_you_mean, setting
from emoclf.text.validation import check_list


class LabelReader:
    """Turn label cells into names.

    Parameters
    ----------
    names : mapping or sequence, optional
        A name for each label in the file, for instance ``{"0": "anger"}``. A cell
        that already contains one of the names is left as it is. A sequence has the
        only classes.
    classes : sequence of str, optional
        The only classes.
    separator : str, optional
        Splits a cell into several labels.
    columns : sequence of str, optional
        Columns of 0 and 1, one for each label; a row is then the tuple of their cells.

    Attributes
    ----------
    multilabel : bool or None
        Whether a cell may contain several labels; the first row decides.
    columns : list of str
    """

    def __init__(
        self,
        names: Mapping[Any, Any] | Sequence[Any] | None = None,
        *,
        classes: Sequence[Any] | None = None,
        separator: str | None = None,
        columns: Sequence[Any] | None = None,
    ) -> None:
        if separator == "":
            raise SettingsError(
                f"{setting('label_separator')} must be at least one character. Got '' "
                "instead."
            )
        self._advice = "Correct the row"
        # Only a caller who has given names can add one.
        if names is not None:
            names_setting = setting("label_names")
            self._advice = f"Correct the row or add the label to {names_setting}"
            if not isinstance(names, Mapping):
                check_list(names, names_setting)
                names, classes = None, names
        try:
            self._names = {
                as_label(k): as_label(v) for k, v in dict(names or {}).items()
            }
            self._classes = None if classes is None else [*map(as_label, classes)]
        except BadRow as error:
            raise DataError(f"{setting('label_names')}: {error}.") from None
        self._separator = separator
        self._cache: dict[str, str] = {}
        # Lengths of the lists of 0 and 1; 0 stands for all other lists.
        self._widths: set[int] = set()
        self._repeats = False
        self.multilabel: bool | None = True if separator or columns else None
        self.columns = [] if columns is None else [*map(as_label, columns)]
        if self.columns:
            self._column_names = self._name_columns()

    @property
    def order(self) -> list[str]:
        """Given names in their order."""
        names = self._names.values() if self._classes is None else self._classes
        return list(dict.fromkeys(names))

    @property
    def fixed(self) -> bool:
        """Whether the classes were given, so that none is left out."""
        return self._classes is not None

    def read(self, value: Any) -> Label | FlagRow:
        """Return the label of a cell, or a tuple of labels.

        A list of 0 and 1 is returned as it is, for :meth:`settle`.

        Raises
        ------
        BadRow
            If the row has no label or one that is not a class.
        """
        if self.columns:
            return self._read_columns(value)
        if isinstance(value, np.ndarray) and not value.ndim:
            value = value.item()
        if isinstance(value, str):
            value = self._unwrap(value)
        if isinstance(value, LIST_TYPES):
            return self._read_list(value)
        if is_missing(value) or (isinstance(value, str) and not value.strip()):
            advice = "Give it a label"
            if self._separator:
                advice += f", or write {self._separator!r} alone if no label applies"
            raise BadRow("no label", f"the row has no label. {advice}")
        if self._separator:
            pieces = as_label(value).split(self._separator)
            return self._read_list([piece for piece in pieces if piece.strip()])
        if self.multilabel:
            raise BadRow(
                "one label where others have a list",
                f"the label must be a list, as in earlier rows. Got {value!r} instead",
            )
        self.multilabel = False
        return self._name(value)

    def matrix_columns(self) -> list[str] | None:
        """Return the classes of the columns if all rows are rows of 0 and 1.

        Returns
        -------
        names : list of str or None
            None if the rows are labels or lists of labels.

        Raises
        ------
        BadRow
            If all rows are rows of 0 and 1, and their columns have no names; or if
            only some are.
        """
        if self.columns:
            return self._column_names
        if len(self._widths) != 1 or 0 in self._widths:
            if self._repeats:
                raise BadRow(
                    "rows of 0 and 1 among others",
                    "some labels are rows of zeros and ones, one for each class, and "
                    "others are not, or have another length. Make all rows alike",
                )
            return None
        (width,) = self._widths
        names = self.order
        numbered = [self._names.get(str(i), "") for i in range(width)]
        if all(numbered) and len(self._names) == width:
            return numbered
        if len(names) == width:
            return names
        known_names = [*self._names, *self.order]
        if not self._repeats and {"0", "1"} <= set(known_names):
            return None
        problem = (
            f"it has {len(names)} names, {shorten(names)}"
            if names
            else "the classes of the columns are not known"
        )
        raise BadRow(
            "rows of 0 and 1",
            f"all labels are rows of {width} zeros and ones, one for each class, but "
            f"{setting('label_names')} must name these {width} columns: {problem}. "
            "Name them, or give the labels themselves; if exactly one label applies to "
            "each text, argmax gives its number",
        )

    def settle(self, label: Label | FlagRow, columns: list[str] | None) -> Label:
        """Return the label of a row, once :meth:`matrix_columns` is known.

        Raises
        ------
        BadRow
            If a label is not a class.
        """
        if not isinstance(label, FlagRow):
            return label
        if columns is None:
            return self._name_all(label)
        pairs = zip(columns, label.flags(), strict=True)
        return tuple(self._name(name) for name, applies in pairs if applies)

    def _unwrap(self, text: str) -> Any:
        """Return the list that a text contains, or the text."""
        text = text.strip()
        if text[:1] not in ("[", "(", "{") or text in (*self._names, *self.order):
            return text
        items = written_list(text)
        if items is not None:
            return items
        if text.startswith("[") and text.endswith("]"):
            if self._separator:
                return text[1:-1]
            if "," in text:
                raise BadRow(
                    "a list that cannot be read",
                    f"the label {text!r} looks like a list, but not all of its labels "
                    "are in quotes. Correct it, set "
                    f"{setting('label_separator', ',')}, or name it in "
                    f"{setting('label_names')} if it is one label",
                )
        return text

    def _read_list(self, values: Iterable[Any]) -> Label | FlagRow:
        if self.multilabel is False:
            raise BadRow(
                "a list of labels where others have one",
                f"the label must be one label, as in earlier rows. Got {values!r} "
                "instead",
            )
        self.multilabel = True
        if isinstance(values, set | frozenset):
            values = sorted(values, key=str)
        items = values.tolist() if isinstance(values, np.ndarray) else list(values)
        if any(isinstance(x, float) and not is_missing(x) and x % 1 for x in items):
            raise BadRow(
                "fractions in a list of labels",
                f"the labels {shorten(map(repr, items))} are fractions, as "
                "probabilities are. Give the labels that apply to the text, or a 0 or "
                "a 1 for each class",
            )
        if not are_flags(items):
            names = self._name_all(items)
            self._widths.add(0)
            return names
        flags = FlagRow(items)
        self._widths.add(len(items))
        self._repeats |= len(set(flags.flags())) < len(flags)
        return flags

    def _name_all(self, items: Iterable[Any]) -> tuple[str, ...]:
        names = ["" if is_missing(item) else self._name(item) for item in items]
        if "" in names:
            raise BadRow(
                "an empty label in a list",
                f"the list of labels {list(items)!r} contains an empty label",
            )
        return tuple(dict.fromkeys(names))

    def _name(self, value: Any) -> str:
        raw = value if isinstance(value, str) else as_label(value)
        if raw in self._cache:
            return self._cache[raw]
        name = as_label(raw)
        if self._names:
            match = self._one_of(name, [*self._names, *self._names.values()])
            name = self._names.get(match, match)
        if self._classes is not None and name:
            name = self._one_of(name, self._classes)
        self._cache[raw] = name
        return name

    def _one_of(self, label: str, labels: Sequence[str]) -> str:
        match = find_class(label, labels)
        if match is None:
            labels = list(dict.fromkeys(labels))
            raise BadRow(
                "unknown label",
                f"label {label!r} is not one of {shorten(labels, 60)}."
                f"{did_you_mean(label, labels)} {self._advice}",
            )
        return match

    def _name_columns(self) -> list[str]:
        try:
            names = [self._name(column) for column in self.columns]
        except BadRow as error:
            raise DataError(f"{setting('label_columns')}: {error}.") from None
        if self._classes is None:
            self._classes = names
        elif missing := [name for name in self._classes if name not in names]:
            raise DataError(
                f"{setting('label_columns')} must name a column for each class. Got "
                f"none for {shorten(missing)}."
            )
        return names

    def _read_columns(self, cells: Sequence[Any]) -> tuple[str, ...]:
        rows = zip(self.columns, self._column_names, cells, strict=True)
        return tuple(name for column, name, cell in rows if _truth(cell, column))


def _truth(cell: Any, column: str) -> bool:
    """Return whether a column's label applies."""
    label = "" if is_missing(cell) else label_key(as_label(cell))
    if label not in TRUTH_VALUES:
        raise BadRow(
            "neither 0 nor 1",
            f"column {column!r} must contain 0 or 1. Got "
            f"{repr(cell) if label else 'an empty cell'} instead. Correct it",
        )
    return TRUTH_VALUES[label]
