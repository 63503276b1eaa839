"""Labelled texts with their classes and their places in a source."""

from __future__ import annotations

import numbers
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self, overload

import numpy as np

from emoclf.datasets.labels import Label
from emoclf.datasets.rows import Skips, names_of
from emoclf.display import Described, html_table, short_names, shorten_text
from emoclf.errors import DataError, wrong_kind
from emoclf.fingerprint import digest

if TYPE_CHECKING:
    import pandas as pd

#: Texts that ``head`` returns, and that notebooks show.
HEAD_TEXTS = 5


class Example(NamedTuple):
    """One text with its label, or with its labels."""

    text: str
    label: Label


@dataclass(frozen=True, repr=False)
class LabelledTexts(Described):
    """Fields of :class:`emoclf.Dataset`, which describes them, and their contents."""

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
