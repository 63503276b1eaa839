"""Cross-validate a network and baselines: every text is predicted once, unseen."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import t as students_t

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split, hold_out, stratified_folds
from emoclf.datasets.trainable import as_dataset, check_trainable
from emoclf.display import HtmlLines
from emoclf.embeddings.vector_objects import given_vectors
from emoclf.errors import SettingsError, setting
from emoclf.evaluation.evaluation_plots import EvaluationPlots
from emoclf.evaluation.metric_names import MAIN_METRIC, METRICS, shown_metrics
from emoclf.evaluation.metrics import Evaluation, evaluate_probabilities
from emoclf.evaluation.text_tables import align, detail_lines, wrapped
from emoclf.settings import RunSettings
from emoclf.workflow.finished_folds import Fold, FoldFolder
from emoclf.workflow.train import train_classifier

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

#: Name of the texts of a pooled evaluation.
PART = "all folds"
CONFIDENCE = 0.95


@dataclass(frozen=True, repr=False)
class CrossValidation(HtmlLines, EvaluationPlots):
    """Results of a network and its baselines on each fold.

    Parameters
    ----------
    evaluations : tuple of tuple of Evaluation
        For each fold, the network first, then the baselines.
    pooled : Evaluation
        The network's predictions for all texts, each by the fold that did not train on
        it; ``pooled.predictions`` has their probabilities.
    train_ratio : float
        Number of texts that a fold trains on, for each text that it predicts.
    """

    evaluations: tuple[tuple[Evaluation, ...], ...]
    pooled: Evaluation
    train_ratio: float

    def scores(self, name: str, metric: str = MAIN_METRIC) -> list[float]:
        """Return a metric of one classifier on each fold."""
        return [
            getattr(evaluation, metric)
            for fold in self.evaluations
            for evaluation in fold
            if evaluation.name == name
        ]

    def names(self) -> list[str]:
        """Return the classifiers, the network first."""
        return [evaluation.name for evaluation in self.evaluations[0]]

    def difference(self) -> tuple[str, float, float, float]:
        """Compare the network with the best baseline by the main metric.

        The training sets of the folds overlap, so that their differences vary less than
        those of independent ones; the variance is corrected for it (Nadeau and Bengio,
        2003, "Inference for the Generalization Error").

        Returns
        -------
        baseline : str
        difference, low, high : float
            Mean over the folds, and its 95 % interval.
        """
        network, *baselines = self.names()
        best = max(baselines, key=lambda name: mean(self.scores(name)))
        pairs = zip(self.scores(network), self.scores(best), strict=True)
        gains = [ours - theirs for ours, theirs in pairs]
        error = stdev(gains) * math.sqrt(1 / len(gains) + 1 / self.train_ratio)
        width = error * students_t.ppf((1 + CONFIDENCE) / 2, len(gains) - 1)
        return best, mean(gains), mean(gains) - width, mean(gains) + width

    def verdict(self) -> str:
        """Say whether the network is better than the best baseline."""
        baseline, gain, low, high = self.difference()
        relation = "cannot be told apart from"
        if low > 0 or high < 0:
            relation = "is better than" if low > 0 else "is worse than"
        return (
            f"In {len(self.evaluations)} folds the network {relation} the best "
            f"baseline, {baseline}: {100 * gain:+.1f} points of "
            f"{METRICS[MAIN_METRIC].label} (95 % interval {100 * low:+.1f} to "
            f"{100 * high:+.1f})."
        )

    def lines(self) -> list[str]:
        """Return the scores, the verdict, and details of the pooled predictions."""
        metrics = shown_metrics(self.task)
        labels = [METRICS[name].label_for(self.task) for name in metrics]
        parts = [label.rpartition(" ") for label in labels]
        rows = [["", *(x[0] for x in parts)], ["", *(x[2] for x in parts)]]
        for name in self.names():
            rows.append([name, *(_cell(self.scores(name, x)) for x in metrics)])
        title = (
            f"{len(self.evaluations)} folds of {self.pooled.n:,} texts; mean ± "
            "standard deviation over folds."
        )
        if lacking := [fold[0] for fold in self.evaluations if fold[0].absent_labels]:
            title += (
                f" In {len(lacking)} of them no text has some label, such as "
                f"{lacking[0].absent_labels[0]!r}: their macro-F1 is the mean of the "
                "labels that texts have."
            )
        tables = [*wrapped(title), *align(rows), "", *wrapped(self.verdict())]
        return [*tables, "", *detail_lines(self.pooled)]

    def _facts(self) -> dict[str, object]:
        values = self.scores(self.names()[0])
        label = METRICS[MAIN_METRIC].label
        return {"folds": len(self.evaluations), label: f"{mean(values):.3f}"}

    def _evaluation(self) -> Evaluation:
        return self.pooled

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with one row for each fold and classifier."""
        import pandas as pd  # Most programs need no frames.

        rows = [
            {"fold": number, "classifier": evaluation.name}
            | {name: getattr(evaluation, name) for name in shown_metrics(self.task)}
            for number, fold in enumerate(self.evaluations, 1)
            for evaluation in fold
        ]
        return pd.DataFrame(rows)

    @property
    def task(self) -> str:
        """One label or multilabel, as the table of metrics calls it."""
        return self.pooled.task

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        baseline, gain, low, high = self.difference()
        return {
            "folds": [[one.to_dict() for one in fold] for fold in self.evaluations],
            "pooled": self.pooled.to_dict(),
            "comparison": {
                "baseline": baseline,
                "metric": MAIN_METRIC,
                "difference": gain,
                "low": low,
                "high": high,
            },
            "verdict": self.verdict(),
        }


def cross_validate(
    data: Dataset | pd.DataFrame,
    settings: RunSettings | Mapping[str, Any] | None = None,
    *,
    folds: int = 5,
    refit: bool = False,
    vectors: Any = None,
    folder: str | os.PathLike[str] | None = None,
    callbacks: Callable[[RunSettings], Sequence[Any]] = lambda settings: (),
    **flat: Any,
) -> CrossValidation:
    """Train on all folds but one, and predict that one; for each fold in turn.

    Folds are stratified and keep near-duplicates together. In each of them
    ``valid_fraction`` of the rest chooses the epoch. Baselines are trained on the same
    texts as the network: with ``refit`` on all of the rest.

    Parameters
    ----------
    data : Dataset or DataFrame
    settings : RunSettings or mapping, optional
    folds : int >= 2, default=5
    refit : bool, default=False
        Fit the network of each fold again on all of the rest, for the epochs that were
        chosen, as :meth:`TrainedClassifier.refit` does before a classifier is shipped.
    vectors : path, WordVectors, KeyedVectors, (words, array), mapping or list, optional
        Word vectors, as for :func:`emoclf.train_classifier`.
    folder : path, optional
        Folder for finished folds: the same call continues after them. It contains
        predictions, no texts.
    callbacks : callable, optional
        Function that returns the Keras callbacks of each training.
    **flat
        Single settings, such as ``epochs=3``, which override ``settings``.

    Returns
    -------
    result : CrossValidation

    Raises
    ------
    DataError
        If there are too few texts for so many folds, or the folder cannot be written.
    SettingsError
    ResumeError
        If the folder belongs to something else, or a file of it is damaged.

    Examples
    --------
    >>> result = cross_validate(load_sample(), folds=3)  # doctest: +SKIP
    >>> print("\\n".join(result.lines()))  # doctest: +SKIP
    """
    settings = RunSettings.of(settings, flat)
    dataset = as_dataset(data, settings.data)
    check_trainable(dataset)
    if dataset.parts is not None:
        raise SettingsError(
            f"{setting('split_column')} names the sets of the texts, but a "
            "cross-validation makes folds of all of them. Leave it out, and the test "
            "texts out of the file."
        )
    near, seed = settings.data.near_duplicates, settings.seed
    parts = stratified_folds(dataset, folds, seed=seed, near_duplicates=near)
    finished = None
    if folder is not None:
        named, _ = given_vectors(settings, vectors)
        finished = FoldFolder(folder, dataset, named, folds, refit=refit)
    shape = len(dataset), len(dataset.label_names)
    probabilities, thresholds = np.empty(shape), np.empty(shape)
    done = []
    for number, (rest_rows, test_rows) in enumerate(parts, 1):
        size = len(test_rows), shape[1]
        fold = finished.load(number, size) if finished is not None else None
        if fold is None:
            logger.info("Fold %d of %d: %d texts.", number, folds, len(test_rows))
            rest, test = dataset.take(rest_rows), dataset.take(test_rows)
            fold = _run_fold(
                rest, test, settings, vectors, callbacks(settings), refit=refit
            )
            if finished is not None:
                finished.save(number, fold)
        probabilities[test_rows] = fold.probabilities
        thresholds[test_rows] = fold.thresholds
        done.append(fold)
        logger.info("Fold %d: macro-F1 %.3f.", number, fold.evaluations[0].macro_f1)
    pooled = evaluate_probabilities(
        probabilities,
        dataset.label_ids,
        dataset.label_names,
        name=done[0].evaluations[0].name,
        part=PART,
        thresholds=thresholds,
        texts=dataset.texts,
    )
    return CrossValidation(
        tuple(fold.evaluations for fold in done),
        pooled,
        done[-1].n_train / len(parts[-1][1]),
    )


def _run_fold(
    rest: Dataset,
    test: Dataset,
    settings: RunSettings,
    vectors: Any,
    callbacks: Sequence[Any],
    *,
    refit: bool,
) -> Fold:
    """Train on all folds but one, and predict that one."""
    rows = hold_out(
        rest,
        settings.data.valid_fraction,
        seed=settings.seed,
        near_duplicates=settings.data.near_duplicates,
    )
    train, valid = map(rest.take, rows)
    # A refit takes all sets of the split, and must not see the fold.
    trained = train_classifier(
        Split(train, valid, None if refit else test),
        settings=settings,
        vectors=vectors,
        callbacks=callbacks,
        verbose=0,
    )
    if trained.result.ended == "interrupted":
        # An incomplete training does not belong in the result.
        raise KeyboardInterrupt
    if refit:
        train = rest
        again = trained.refit(vectors=vectors)
        trained = replace(again, split=Split(train, valid, test))
    report = trained.evaluate()
    predictions = report.network.predictions
    assert predictions is not None
    return Fold(
        tuple(one for one in report.evaluations if one.part == "test"),
        predictions.probabilities,
        predictions.thresholds,
        len(train),
    )


def _cell(values: Sequence[float | None]) -> str:
    numbers = [value for value in values if value is not None]
    if not numbers:
        return "–"
    return f"{mean(numbers):.3f} ± {stdev(numbers):.3f}"
