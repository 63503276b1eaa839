"""A trained classifier, with the inputs and results of its training."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emoclf.bundle.bundle import Bundle
from emoclf.bundle.bundle_folder import save_bundle
from emoclf.bundle.described_folder import BUNDLE
from emoclf.classifier import Classifier
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split
from emoclf.errors import DataError
from emoclf.evaluation.evaluate import evaluate_classifier
from emoclf.evaluation.evaluation_plots import EvaluationPlots
from emoclf.evaluation.evaluation_report import EvaluationReport
from emoclf.evaluation.metrics import Evaluation
from emoclf.predictor import Predictor
from emoclf.training.fit import History, TrainingResult
from emoclf.workflow.prepare import Prepared

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class TrainedClassifier(Classifier, EvaluationPlots):
    """A trained classifier, and the inputs and results of its training.

    Parameters
    ----------
    bundle : Bundle
        The classifier with everything that belongs to it.
    result : TrainingResult
    prepared : Prepared
        Inputs of the network.
    split : Split, optional
        Texts that it was trained on.
    """

    bundle: Bundle
    result: TrainingResult
    prepared: Prepared
    split: Split | None = None

    @cached_property
    def predictor(self) -> Predictor:
        """The classifier without its training."""
        return Predictor(self.bundle)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities' columns."""
        return self.bundle.label_names

    @property
    def multilabel(self) -> bool:
        """Whether a text may have several labels."""
        return self.bundle.multilabel

    @property
    def thresholds(self) -> np.ndarray:
        """Lowest probability at which each label is predicted (multilabel only)."""
        return self.predictor.thresholds

    @property
    def architecture(self) -> str:
        """Name of the network's architecture."""
        return self.predictor.architecture

    @property
    def data_settings(self) -> dict[str, Any]:
        """Settings with which the training file was read, if they are known."""
        return self.predictor.data_settings

    @property
    def text_column(self) -> str | None:
        """Column of the training texts; None if they were a list."""
        return self.predictor.text_column

    @property
    def history(self) -> History:
        """Metrics of each epoch; ``history.to_frame()`` returns a DataFrame."""
        return History(self.result.history)

    def _facts(self) -> dict[str, object]:
        return {
            "architecture": self.architecture,
            **super()._facts(),
            "best epoch": f"{self.result.best_epoch} of {self.result.epochs}",
            "findings": ", ".join(one.name for one in self.result.findings) or "none",
        }

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Return probabilities, as :meth:`emoclf.Predictor.predict_proba` does."""
        return self.predictor.predict_proba(texts)

    def token_ids(self, texts: list[str]) -> Sequence[np.ndarray]:
        """Return the token ids of each text, int32 of shape (length,)."""
        return self.predictor.token_ids(texts)

    def known(self, texts: list[str]) -> list[bool]:
        """Return whether each text has a word that the classifier knows."""
        return self.predictor.known(texts)

    def evaluate(self, data: Dataset | pd.DataFrame | None = None) -> EvaluationReport:
        """Evaluate the classifier and two baselines on the test set, once.

        Parameters
        ----------
        data : Dataset or DataFrame, optional
            Other labelled texts. The baselines are fitted on the training set of the
            split.

        Raises
        ------
        DataError
            If it was trained without a test set, and no other texts are given.
        """
        if data is not None and self.split is not None and data is self.split.valid:
            # The report says that these texts chose the epoch.
            return evaluate_classifier(self.predictor, replace(self.split, test=None))
        if data is not None:
            train = None if self.split is None else self.split.train
            return evaluate_classifier(self.predictor, data, train=train)
        if self.split is None or not self.split.test:
            raise DataError(
                "This classifier was trained without a test set. Give one: "
                "evaluate(test_set); or train with a split that has one, as in "
                "train_classifier(split)."
            )
        return self._report

    @cached_property
    def _report(self) -> EvaluationReport:
        assert self.split is not None
        return evaluate_classifier(self.predictor, self.split)

    def _evaluation(self) -> Evaluation:
        return self.evaluate().network

    def plot_training(self, ax: Any = None, *, metric: str = "loss") -> Any:
        """Plot a metric of each epoch, as :meth:`TrainingResult.plot_training` does."""
        return self.result.plot_training(ax, metric=metric)

    def refit(self, *, vectors: Any = None) -> TrainedClassifier:
        """Fit again on training, validation and test set, before shipping.

        The epochs, the temperature and the thresholds are those that the validation set
        chose, and the metrics stay those of this classifier. ``vectors`` are given
        again if they were an object.
        """
        # That module stands on this one.
        from emoclf.workflow.refit import refit

        return refit(self, vectors)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save as a bundle with all metrics; a test set is evaluated first.

        Raises
        ------
        BundleError
            If the folder exists, or cannot be written.
        """
        BUNDLE.check_target(path, overwrite=overwrite)
        bundle = self.bundle
        if self.split is not None and self.split.test:
            bundle = self.with_metrics(self.split, self.evaluate()).bundle
        return save_bundle(bundle, path, overwrite=overwrite)

    def with_metrics(
        self, split: Split, report: EvaluationReport, **metrics: Any
    ) -> TrainedClassifier:
        """Return a copy whose bundle contains the metrics of a report."""
        metrics = {
            **self.bundle.metrics,
            **report.to_dict(),
            "source": os.path.basename(split.train.source),
            "texts": {name: len(part) for name, part in split.parts().items()},
            **metrics,
        }
        return replace(self, bundle=replace(self.bundle, metrics=metrics))
