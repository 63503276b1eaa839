"""Labelled texts with their classes and their places in a source."""

from __future__ import annotations

import numbers
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, Self, overload

import numpy as np

from emoclf.datasets.columns import find_columns
from emoclf.datasets.given_vectors import checked_vectors
from emoclf.datasets.label_reader import LabelReader
from emoclf.datasets.labels import Label, label_rows
from emoclf.datasets.rows import (
    Row,
    Skips,
    collect_rows,
    names_of,
    order_names,
)
from emoclf.display import Described, html_table, short_names, shorten_text
from emoclf.errors import DataError, wrong_kind
from emoclf.fingerprint import digest
from emoclf.text.validation import is_frame, iterate_texts

if TYPE_CHECKING:
    import pandas as pd

#: Texts that ``head`` returns, and that notebooks show.
HEAD_TEXTS = 5


class Example(NamedTuple):
    """One text with its label, or with its labels."""

    text: str
    label: Label


@dataclass(frozen=True, repr=False)
class Dataset(Described):
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

    texts: tuple[str, ...]
    labels: tuple[Label, ...]
    label_names: tuple[str, ...]
    multilabel: bool = False
    parts: tuple[str, ...] | None = None
    source: str = "texts"
    lines: tuple[int, ...] | None = None
    unit: str = "position"
    skips: tuple[Skips, ...] = ()
    text_column: str | None = None
    vectors: tuple[np.ndarray, ...] | None = field(default=None, compare=False)
    has_texts: bool = True
    _groups: dict[float, np.ndarray] = field(
        default_factory=dict, init=False, compare=False
    )

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[Example]:
        return map(Example, self.texts, self.labels)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int] | np.ndarray) -> Self: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, numbers.Integral):
            return Example(self.texts[int(index)], self.labels[int(index)])
        try:
            # An empty list has no type of its own.
            positions: Any = index
            if not isinstance(index, slice):
                positions = np.array(index) if len(index) else slice(0)
            rows = np.arange(len(self))[positions].tolist()
        except (IndexError, TypeError, ValueError):
            wanted = f"positions below {len(self)}, a slice or {len(self)} truth values"
            cure = "use its texts, labels or to_frame()"
            raise DataError(
                wrong_kind("The index of a Dataset", wanted, index, cure)
            ) from None
        return self.take(rows)

    def _facts(self) -> dict[str, object]:
        return {
            "source": os.path.basename(self.source),
            "texts": f"{len(self):,}",
            "labels": short_names(self.label_names),
        }

    def _repr_html_(self) -> str:
        rows = [
            (self.place(i), shorten_text(text), ", ".join(names_of(label)))
            for i, (text, label) in enumerate(self.head())
        ]
        return html_table((self.unit, "text", "label"), rows, caption=repr(self))

    def head(self, n: int = HEAD_TEXTS) -> Self:
        """Return the first ``n`` texts."""
        return self[:n]

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with the texts, labels and, if there are any, parts.

        Its index is the number of each text in its source.
        """
        import pandas as pd  # Most programs need no frames.

        columns: dict[str, Any] = {"text": self.texts, "label": self.labels}
        if self.multilabel:
            columns["label"] = pd.Series(map(list, self.labels), dtype=object)
        frame = pd.DataFrame(columns)
        if self.parts is not None:
            frame["split"] = self.parts
        if self.lines is not None:
            frame.index = pd.Index(self.lines, name=self.unit)
        return frame

    @property
    def skipped(self) -> int:
        """Number of rows that were dropped on request."""
        return sum(skip.count for skip in self.skips)

    @property
    def label_ids(self) -> np.ndarray:
        """Class ids, int32 (n,); if multilabel 0 or 1, float32 (n, classes)."""
        id_of = {name: i for i, name in enumerate(self.label_names)}
        if not self.multilabel:
            ids = [id_of[str(label)] for label in self.labels]
            return np.array(ids, dtype=np.int32)
        hot = np.zeros((len(self), len(id_of)), dtype=np.float32)
        for row, label in enumerate(self.labels):
            hot[row, [id_of[name] for name in label]] = 1.0
        return hot

    def counts(self) -> dict[str, int]:
        """Return the number of texts of each class, in the order of ``label_names``."""
        counts = Counter(name for label in self.labels for name in names_of(label))
        return {name: counts[name] for name in self.label_names}

    def duplicate_groups(self, near_duplicates: float = 0.8) -> np.ndarray:
        """Return the group of duplicates and near-duplicates of each text.

        The texts are grouped once; a split and an audit of the same dataset share the
        result.

        Parameters
        ----------
        near_duplicates : float in (0, 1], default=0.8
            As in :func:`emoclf.datasets.duplicates.group_duplicates`.

        Returns
        -------
        groups : ndarray of int64, shape (n_texts,)
        """
        from emoclf.datasets.duplicates import group_duplicates  # It loads SciPy.

        near_duplicates = min(near_duplicates, 1.0)
        if near_duplicates not in self._groups:
            exact = None if near_duplicates == 1 else self.duplicate_groups(1.0)
            self._groups[near_duplicates] = group_duplicates(
                self.grouping_keys(), near_duplicates, exact=exact
            )
        return self._groups[near_duplicates]

    def grouping_keys(self) -> tuple[str, ...]:
        """Return what tells texts apart: the texts, or digests of their vectors."""
        if self.has_texts or self.vectors is None:
            return self.texts
        # Short words, which no near-duplicate shares with another.
        return tuple(digest(np.asarray(rows, np.float32)) for rows in self.vectors)

    def place(self, index: int) -> str:
        """Return the place of a text in its source, such as ``line 18``."""
        number = index if self.lines is None else self.lines[index]
        return f"{self.unit} {number}"

    def where(self, index: int) -> str:
        """Return source and place of a text, such as ``data.csv, line 18``."""
        return f"{self.source}, {self.place(index)}"

    def take(self, indices: Iterable[int]) -> Self:
        """Return the texts at these positions; the classes stay the same.

        ``skips`` is left out, because it describes the whole dataset.
        """
        order = [int(i) for i in indices]
        columns: dict[str, Any] = {
            name: tuple(map(values.__getitem__, order))
            for name in ("texts", "labels", "parts", "lines", "vectors")
            if (values := getattr(self, name)) is not None
        }
        return replace(self, **columns, skips=())

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
        dataset = cls.from_rows(
            map(Row, count(), cells),
            LabelReader(label_names, separator=label_separator, columns=columns),
            source=source,
            unit="position",
            skip_bad_rows=skip_bad_rows,
        )
        return replace(dataset, text_column=name if isinstance(name, str) else None)

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
        names = texts
        if names is None:
            names = [f"sample {number}" for number in range(len(rows))]
        dataset = cls.from_lists(
            names,
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
        dataset = cls.from_rows(
            map(Row, count(), zip(*cells, strict=True)),
            reader,
            source=source,
            unit="position",
            skip_bad_rows=skip_bad_rows,
        )
        return replace(dataset, text_column=names[columns.text])

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Row],
        reader: LabelReader,
        *,
        source: str,
        unit: str,
        skip_bad_rows: bool | None = False,
        keep_single_labels: bool = False,
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
        )


def group_parts(parts: Sequence[Dataset], near_duplicates: float) -> list[np.ndarray]:
    """Return the groups of the texts of several datasets, which are grouped together.

    Each dataset keeps its groups for :meth:`Dataset.duplicate_groups`.

    Parameters
    ----------
    parts : sequence of Dataset
    near_duplicates : float in (0, 1]

    Returns
    -------
    groups : list of ndarray of int64
        Equal numbers in two arrays are duplicates or near-duplicates across datasets.
    """
    from emoclf.datasets.duplicates import group_duplicates, number_groups

    near_duplicates = min(near_duplicates, 1.0)
    texts = [text for part in parts for text in part.grouping_keys()]
    groups = group_duplicates(texts, near_duplicates)
    pieces = np.split(groups, np.cumsum([len(part) for part in parts])[:-1])
    for part, piece in zip(parts, pieces, strict=True):
        part._groups[near_duplicates] = number_groups(piece.tolist())
    return pieces
