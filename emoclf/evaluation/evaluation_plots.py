"""Methods of evaluations that draw them, so that a notebook needs no import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emoclf.errors import DataError

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
        from emoclf.plots.confusion_plot import plot_confusion

        evaluation = self._evaluation()
        if evaluation.confusion is None:
            raise DataError(
                "Multilabel texts have no confusion matrix, since a text may have "
                "several labels. Use plot_precision_recall()."
            )
        names = [metrics.label for metrics in evaluation.per_class]
        return plot_confusion(evaluation.confusion, names, ax)

    def plot_roc(self, ax: Any = None) -> Any:
        """Plot the ROC curve of each label against the rest."""
        from emoclf.evaluation.curves import roc_curves
        from emoclf.plots.curve_plots import plot_roc

        predictions = self._predictions()
        curves = roc_curves(
            predictions.probabilities, predictions.targets, predictions.label_names
        )
        return plot_roc(curves, ax)

    def plot_precision_recall(self, ax: Any = None) -> Any:
        """Plot the precision-recall curve of each label against the rest."""
        from emoclf.evaluation.curves import precision_recall_curves
        from emoclf.plots.curve_plots import plot_precision_recall

        predictions = self._predictions()
        curves = precision_recall_curves(
            predictions.probabilities, predictions.targets, predictions.label_names
        )
        return plot_precision_recall(curves, ax)

    def plot_calibration(self, ax: Any = None) -> Any:
        """Plot accuracy against confidence, with the expected calibration error."""
        from emoclf.evaluation.curves import calibration_curve
        from emoclf.plots.curve_plots import plot_calibration

        predictions = self._predictions()
        return plot_calibration(
            calibration_curve(predictions.probabilities, predictions.targets), ax
        )

    def plot_coverage(self, ax: Any = None) -> Any:
        """Plot the accuracy among the most confident texts against their share."""
        from emoclf.evaluation.curves import coverage_curve
        from emoclf.plots.curve_plots import plot_coverage

        predictions = self._predictions()
        return plot_coverage(
            coverage_curve(predictions.confidence, predictions.right), ax
        )

    def _predictions(self) -> Predictions:
        predictions = self._evaluation().predictions
        if predictions is None:
            raise DataError(
                "This evaluation has no probabilities: it was read from a file, or is "
                "one of labels alone. Evaluate the classifier again: "
                "evaluate_classifier(predictor, data)."
            )
        return predictions
