"""Datasets: labelled texts that are made of lists, vectors, frames or rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Self

import numpy as np

from emoclf.datasets.columns import find_columns
from emoclf.datasets.given_vectors import checked_vectors
from emoclf.datasets.label_reader import LabelReader
from emoclf.datasets.labelled_texts import Example as Example  # in pickles
from emoclf.datasets.labelled_texts import LabelledTexts
from emoclf.datasets.labels import label_rows
from emoclf.datasets.rows import Row, collect_rows, order_names
from emoclf.errors import DataError, wrong_kind
from emoclf.text.validation import is_frame, iterate_texts


@dataclass(frozen=True, repr=False)
class Dataset(LabelledTexts):
    """Texts with their labels.

    ``len`` is the number of texts, ``dataset[0]`` the first text with its label, and
    ``dataset[:10]``, or an array of positions or truth values, a smaller dataset.

    Parameters
    ----------
    texts : tuple of str
    labels : tuple of str, or tuple of tuples of str
        One name per text, or all names that apply to it (perhaps none).
    label_names : tuple of str
        Classes in the order of every output of a classifier: as they were given, else
        sorted.
    multilabel : bool
        Whether a text may have several labels.
    parts : tuple of str, optional
        ``train``, ``valid`` or ``test`` for each text, from a split column.
    source : str
        Name in errors and reports.
    lines : tuple of int, optional
        Number of each text in its source.
    unit : str
        Unit of ``lines``: "line", "row", …; "position" counts from 0.
    skips : tuple of Skips
        Rows that were dropped on request, by reason.
    text_column : str, optional
        Column that contained the texts.
    vectors : tuple of ndarray, optional
        Vectors of each text, shape (length, dim), from elsewhere; see
        :meth:`from_vectors`.
    has_texts : bool
        False where only the vectors of the texts are known, and ``texts`` are names.

    Examples
    --------
    >>> data = Dataset.from_lists(["So happy!", "Go away."], ["joy", "anger"])
    >>> data.label_names, data.label_ids.tolist()
    (('anger', 'joy'), [1, 0])
    """

    @classmethod
    def from_lists(
        cls,
        texts: Sequence[str],
        labels: Sequence[Any],
        *,
        label_separator: str | None = None,
        label_names: Sequence[str] | Mapping[Any, str] | None = None,
        skip_bad_rows: bool | None = False,
        source: str = "texts",
    ) -> Self:
        """Make a dataset from two lists of equal length.

        Parameters
        ----------
        texts : sequence of str
        labels : sequence of str, of numbers, or of lists of them
            Or a 0 or a 1 for each class: a matrix whose columns are those of
            ``label_names``, or a DataFrame.
        label_separator : str, optional
            Splits a label into several.
        label_names : sequence of str or mapping, optional
            The only classes, or a name for each label.
        skip_bad_rows : bool or None, default=False
            Drop and count rows that cannot be used; None: an error, which does not
            advise it.
        source : str
            Name in errors.

        Raises
        ------
        DataError
            If the lengths differ, a text is empty or a row has no label.
        """
        name = getattr(texts, "name", None)  # of a Series
        (labels, columns), texts = label_rows(labels), list(iterate_texts(texts))
        if len(texts) != len(labels):
            raise DataError(
                "texts and labels must have the same length. "
                f"Got {len(texts):,} texts and {len(labels):,} labels."
            )
        cells = (
            (text, label) if columns is None else (text, *label)
            for text, label in zip(texts, labels, strict=True)
        )
        return cls.from_rows(
            map(Row, count(), cells),
            LabelReader(label_names, separator=label_separator, columns=columns),
            source=source,
            skip_bad_rows=skip_bad_rows,
            text_column=name if isinstance(name, str) else None,
        )

    @classmethod
    def from_vectors(
        cls,
        vectors: np.ndarray | Sequence[np.ndarray],
        labels: Sequence[Any],
        *,
        mask: np.ndarray | None = None,
        texts: Sequence[str] | None = None,
        label_separator: str | None = None,
        label_names: Sequence[str] | Mapping[Any, str] | None = None,
        source: str = "vectors",
    ) -> Self:
        """Make a dataset of texts whose vectors come from elsewhere.

        Networks are trained on the vectors; none of them is looked up or computed.

        Parameters
        ----------
        vectors : ndarray of float, shape (n_texts, length, dim); or a sequence
            Vectors of the tokens of each text; of a sequence, each array has the shape
            (length, dim), with lengths of their own.
        labels : sequence of str, of numbers, or of lists of them
            As in :meth:`from_lists`.
        mask : ndarray of bool, shape (n_texts, length), optional
            False for padding, which is left out. By default rows of zeros at the end of
            a text are padding, where all texts have one length.
        texts : sequence of str, optional
            The texts, for baselines of words, near-duplicates and examples in reports;
            by default they are called "sample 0", "sample 1", …
        label_separator, label_names
            As in :meth:`from_lists`.
        source : str
            Name in errors.

        Raises
        ------
        DataError
            If shapes do not fit each other, a number is not finite, or a label is
            missing.

        Examples
        --------
        >>> vectors = np.ones((2, 5, 3), np.float32)
        >>> data = Dataset.from_vectors(vectors, ["joy", "anger"])
        >>> data.vectors[0].shape
        (5, 3)
        """
        rows = checked_vectors(vectors, mask, source=source)
        if not rows:
            raise DataError(f"{source} contain no texts. Give at least two.")
        dataset = cls.from_lists(
            [f"sample {i}" for i in range(len(rows))] if texts is None else texts,
            labels,
            label_separator=label_separator,
            label_names=label_names,
            source=source,
        )
        if len(dataset) != len(rows):
            raise DataError(
                f"{source}: there must be one text and one label for each of "
                f"{len(rows):,} samples. Got {len(dataset):,}."
            )
        return replace(dataset, vectors=rows, has_texts=texts is not None)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        text_column: str | None = None,
        label_column: str | None = None,
        label_columns: Sequence[Any] = (),
        split_column: str | None = None,
        label_separator: str | None = None,
        label_names: Sequence[str] | Mapping[Any, str] | None = None,
        skip_bad_rows: bool = False,
        source: str = "DataFrame",
    ) -> Self:
        """Make a dataset from a pandas DataFrame.

        Parameters
        ----------
        frame : pandas.DataFrame
        text_column, label_column, split_column : str, optional
            Names of columns; by default texts and labels have usual names.
        label_columns : sequence of str, optional
            Columns of 0 and 1, one for each label, or patterns such as ``"label_*"``.
        label_separator : str, optional
            Splits a cell into several labels. A column of lists needs none.
        label_names : sequence of str or mapping, optional
            The only classes, or a name for each label.
        skip_bad_rows : bool
            Drop and count rows that cannot be used.
        source : str
            Name in errors, which count positions from 0, as ``iloc`` does.

        Raises
        ------
        DataError
            If a column is missing or a row cannot be used.
        """
        if not is_frame(frame):
            cure = "for two lists use Dataset.from_lists"
            raise DataError(wrong_kind(source, "a pandas DataFrame", frame, cure))
        names = [str(column) for column in frame.columns]
        # Columns without names are numbers in pandas.
        given = (text_column, label_column, split_column)
        one = isinstance(label_columns, str)
        label_columns = [label_columns] if one else [*map(str, label_columns)]
        columns = find_columns(
            names,
            [None if name is None else str(name) for name in given],
            label_columns=label_columns,
            source=source,
        )
        cells = [frame.iloc[:, i].tolist() for i in columns.positions()]
        reader = LabelReader(
            label_names,
            separator=label_separator,
            columns=[names[i] for i in columns.labels] if label_columns else None,
        )
        return cls.from_rows(
            map(Row, count(), zip(*cells, strict=True)),
            reader,
            source=source,
            skip_bad_rows=skip_bad_rows,
            text_column=names[columns.text],
        )

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Row],
        reader: LabelReader,
        *,
        source: str,
        unit: str = "position",
        skip_bad_rows: bool | None = False,
        keep_single_labels: bool = False,
        text_column: str | None = None,
    ) -> Self:
        """Make a dataset from rows of any source."""
        good, skips = collect_rows(
            rows,
            reader,
            source=source,
            unit=unit,
            skip_bad_rows=skip_bad_rows,
            keep_single_labels=keep_single_labels,
        )
        numbers, texts, labels, parts = zip(*good, strict=True)
        names = reader.order if reader.fixed else order_names(labels, reader.order)
        return cls(
            texts=texts,
            labels=labels,
            label_names=tuple(names),
            multilabel=bool(reader.multilabel),
            parts=None if parts[0] is None else parts,
            source=source,
            lines=numbers,
            unit=unit,
            skips=skips,
            text_column=text_column,
        )
