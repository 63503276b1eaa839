"""A file of labels or probabilities as a teacher, such as those of a language model."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence

import numpy as np

from emoclf.datasets.columns import find_text
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.source import Source
from emoclf.distillation.label_file import LabelFile
from emoclf.distillation.unlabelled import SHARED_SETTINGS
from emoclf.fingerprint import digest
from emoclf.settings import DataSettings

logger = logging.getLogger(__name__)


class FileTeacher:
    """A file of labels or probabilities; training texts that it lacks have their own.

    Of labels alone nobody knows how often they are right. Where the file has training
    texts, their true labels tell: a label then has the probability of being right, and
    the other labels share the rest. Labels of a file with several for each text, and
    probabilities, are used as they are.

    Parameters
    ----------
    path, train, settings
        As in :func:`read_label_file`.
    """

    def __init__(
        self, path: str | os.PathLike[str], train: Dataset, settings: DataSettings
    ) -> None:
        self.file = file = read_label_file(path, train, settings)
        self.name = os.path.basename(path)
        self.label_names = file.label_names
        self.multilabel = file.multilabel
        truth = train.label_ids
        if truth.ndim == 1:
            truth = np.eye(len(train.label_names), dtype=np.float32)[truth]
        order = [train.label_names.index(name) for name in file.label_names]
        self._truth = dict(zip(train.texts, truth[:, order], strict=True))
        self._right_share = 1.0
        agreement = file.agreement(train)
        if agreement is None:
            logger.warning(
                "%s contains none of the training texts, so its accuracy is unknown.",
                self.name,
            )
            return
        # Wilson (1927).
        interval = agreement.proportion_ci(method="wilson")
        logger.info(
            "%s: accuracy %.0f %% (95 %% interval %.0f to %.0f %%) on the %d training "
            "texts that it contains.",
            self.name,
            *(100 * x for x in (agreement.statistic, *interval)),
            agreement.n,
        )
        if file.hard and not file.multilabel:
            # Laplace's rule: one text alone must not make all labels right, or wrong.
            n_labels = len(self.label_names)
            share = (agreement.k + 1) / (agreement.n + n_labels)
            self._right_share = max(share, 1 / n_labels)

    def digest(self) -> str:
        """Return a hash of the file's probabilities and of the true labels."""
        truth = np.array([*self._truth.values()])
        return digest(self.file.digest(), [*self._truth], truth, self._right_share)

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Return the file's probabilities; of training texts that it lacks, the truth.

        Raises
        ------
        DataError
            If the file lacks a text that is not of the training set.
        """
        texts = list(texts)
        is_known = np.array([text in self._truth for text in texts])
        of_file = self.file.covers(texts) | ~is_known
        probabilities = np.empty((len(texts), len(self.label_names)), np.float32)
        rows = np.flatnonzero(of_file)
        predicted = self.file.predict_proba([texts[row] for row in rows])
        if self._right_share < 1:
            wrong_share = (1 - self._right_share) / (len(self.label_names) - 1)
            predicted = predicted * (self._right_share - wrong_share) + wrong_share
        probabilities[rows] = predicted
        for row in np.flatnonzero(~of_file):
            probabilities[row] = self._truth[texts[row]]
        return probabilities


def read_label_file(
    path: str | os.PathLike[str], train: Dataset, settings: DataSettings
) -> LabelFile:
    """Read a file of labels or probabilities.

    Parameters
    ----------
    path : path
    train : Dataset
        Training set, whose labels the file must have.
    settings : DataSettings
        Settings of the labelled data. Their encoding is used, and the names of their
        columns where the file has such columns.

    Raises
    ------
    DataError
    """
    shared = DataSettings(**{name: getattr(settings, name) for name in SHARED_SETTINGS})
    columns = _columns(path, shared)
    column_names = {
        name: getattr(settings, name) for name in ("text_column", "label_column")
    }
    own = {name: column for name, column in column_names.items() if column in columns}
    if settings.text_column is not None and columns and "text_column" not in own:
        # The usual advice, to name the column, would be of no use.
        advice = f" It lacks {settings.text_column!r}, so rename its column to that."
        find_text(columns, None, source=os.fspath(path), advice=advice)
    return LabelFile(
        path,
        train.label_names,
        multilabel=train.multilabel,
        settings=shared,
        **own,
    )


def _columns(path: str | os.PathLike[str], settings: DataSettings) -> Sequence[str]:
    """Return the names of a file's columns, or the keys of its first record."""
    with Source(path, settings) as source:
        table = source.read()
        if table.columns is not None:
            return table.columns
        return next((list(record[1]) for record in table.records), [])
