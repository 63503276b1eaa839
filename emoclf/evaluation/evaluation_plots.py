"""Methods of evaluations that draw them, so that a notebook needs no import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from emoclf import plots
from emoclf.errors import DataError
from emoclf.evaluation.curves import (
    calibration_curve,
    coverage_curve,
    precision_recall_curves,
    roc_curves,
)

if TYPE_CHECKING:
    from emoclf.evaluation.metrics import Evaluation
    from emoclf.evaluation.predicted_texts import Predictions


class EvaluationPlots:
    """Base class of results with an evaluation; each method returns the ``ax``.

    The ``ax`` is given, or that of a new figure. All of them need the extra ``plots``.
    """

    def _evaluation(self) -> Evaluation:
        raise NotImplementedError

    def plot_confusion(self, ax: Any = None) -> Any:
        """Plot the confusion matrix.

        Raises
        ------
        DataError
            If the texts are multilabel.
        """
        evaluation = self._evaluation()
        if evaluation.confusion is None:
            raise DataError(
                "Multilabel texts have no confusion matrix, since a text may have "
                "several labels. Use plot_precision_recall()."
            )
        names = [metrics.label for metrics in evaluation.per_class]
        return plots.plot_confusion(evaluation.confusion, names, ax)

    def plot_roc(self, ax: Any = None) -> Any:
        """Plot the ROC curve of each label against the rest."""
        return plots.plot_roc(roc_curves(*self._arrays()), ax)

    def plot_precision_recall(self, ax: Any = None) -> Any:
        """Plot the precision-recall curve of each label against the rest."""
        curves = precision_recall_curves(*self._arrays())
        return plots.plot_precision_recall(curves, ax)

    def plot_calibration(self, ax: Any = None) -> Any:
        """Plot accuracy against confidence, with the expected calibration error."""
        probabilities, targets, _ = self._arrays()
        return plots.plot_calibration(calibration_curve(probabilities, targets), ax)

    def plot_coverage(self, ax: Any = None) -> Any:
        """Plot the accuracy among the most confident texts against their share."""
        predictions = self._predictions()
        curve = coverage_curve(predictions.confidence, predictions.right)
        return plots.plot_coverage(curve, ax)

    def _arrays(self) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """Return the probabilities, the true labels, and the names of the labels."""
        predictions = self._predictions()
        return predictions.probabilities, predictions.targets, predictions.label_names

    def _predictions(self) -> Predictions:
        predictions = self._evaluation().predictions
        if predictions is None:
            raise DataError(
                "This evaluation has no probabilities: it was read from a file, or is "
                "one of labels alone. Evaluate the classifier again: "
                "evaluate_classifier(predictor, data)."
            )
        return predictions
