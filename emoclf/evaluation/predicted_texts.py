"""Predictions with their texts, kept beside an evaluation for curves and examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from emoclf.display import Described

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ConfusedPair:
    """A label that is predicted in the place of another one.

    Parameters
    ----------
    true, predicted : str
    count : int
        Number of texts.
    share : float
        Share of the texts whose true label is ``true``.
    """

    true: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True, repr=False, eq=False)
class Predictions(Described):
    """Probabilities of texts, beside their true labels.

    It is held in memory beside an :class:`~emoclf.evaluation.metrics.Evaluation`, and
    not written to disk.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
    targets : ndarray of int, shape (n,); or of 0 and 1, shape (n, n_classes)
    label_names : tuple of str
    thresholds : ndarray of float, shape (n_classes,) or (n, n_classes)
        Probabilities from which a label is predicted, for multilabel texts.
    texts : tuple of str, optional
    """

    probabilities: np.ndarray
    targets: np.ndarray
    label_names: tuple[str, ...]
    thresholds: np.ndarray
    texts: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def _facts(self) -> dict[str, object]:
        return {"texts": len(self), "right": int(self.right.sum())}

    @property
    def multilabel(self) -> bool:
        """Whether a text may have several labels."""
        return self.targets.ndim == 2

    @cached_property
    def predicted(self) -> np.ndarray:
        """Class ids, shape (n,); multilabel: 0 and 1, shape (n, n_classes)."""
        if self.multilabel:
            return (self.probabilities >= self.thresholds).astype(np.int64)
        return self.probabilities.argmax(1)

    @cached_property
    def right(self) -> np.ndarray:
        """Whether the label, or all labels, of each text are right; shape (n,)."""
        equal = self.predicted == self.targets
        return equal.reshape(len(self), -1).all(1)

    @cached_property
    def confidence(self) -> np.ndarray:
        """Probability of each prediction, shape (n,).

        With one label it is the largest probability. For multilabel texts it is the
        probability that all decisions are right if they are independent: the product of
        p where a label is predicted, and of 1 - p elsewhere.
        """
        probabilities = self.probabilities.astype(np.float64)
        if self.multilabel:
            chosen = np.where(self.predicted, probabilities, 1 - probabilities)
            return chosen.prod(1)
        return probabilities.max(1)

    def names_of(self, row: int | np.ndarray) -> str:
        """Return a class id, or a row of 0 and 1, as names."""
        if np.ndim(row):
            names = [self.label_names[i] for i in np.flatnonzero(row)]
            return ", ".join(names) or "no label"
        return self.label_names[int(row)]

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with the texts and a column of probabilities per label.

        Its columns are those of the files of ``emoclf predict``: ``text``, if the texts
        are known, and ``probability_anger``, …
        """
        import pandas as pd  # Most programs need no frames.

        columns = [f"probability_{name}" for name in self.label_names]
        frame = pd.DataFrame(self.probabilities, columns=columns)
        if self.texts is not None:
            frame.insert(0, "text", self.texts)
        return frame

    def confident_mistakes(self, limit: int = 20) -> list[int]:
        """Return the positions of the wrong predictions, the most confident first."""
        wrong = np.flatnonzero(~self.right)
        order = np.argsort(-self.confidence[wrong], kind="stable")[:limit]
        return wrong[order].tolist()


def confused_pairs(
    confusion: Iterable[Sequence[int]], label_names: Sequence[str], limit: int = 10
) -> list[ConfusedPair]:
    """Return the most frequent confusions of one label with another.

    Parameters
    ----------
    confusion : array-like of int, shape (n_classes, n_classes)
        Counts; rows are true labels, columns predicted ones.
    label_names : sequence of str
    limit : int
    """
    counts = np.array(list(confusion))
    totals = counts.sum(1)
    mistakes = counts.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:limit]
    return [
        ConfusedPair(
            label_names[i],
            label_names[j],
            int(mistakes[i, j]),
            float(mistakes[i, j] / totals[i]),
        )
        for i, j in zip(*np.unravel_index(order, mistakes.shape), strict=True)
        if mistakes[i, j]
    ]
