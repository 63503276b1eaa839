"""One trial: train on every fold or with every seed, and evaluate each training."""

from __future__ import annotations

import gc
import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emoclf.bundle.bundle import Bundle
from emoclf.bundle.bundle_folder import save_bundle
from emoclf.datasets.dataset import Dataset
from emoclf.errors import BundleError, SearchError
from emoclf.evaluation.metric_names import OBJECTIVES
from emoclf.evaluation.metrics import evaluate_probabilities
from emoclf.models.inference import BatchedModel
from emoclf.predictor import Predictor
from emoclf.settings import RunSettings
from emoclf.workflow.fit_classifier import fit_prepared, new_network
from emoclf.workflow.trained_classifier import TrainedClassifier

from ..folder import SearchFolder
from ..limits import Cost, measure
from ..plan import SearchPlan
from ..results.outcome import (
    COMPLETED,
    FAILED,
    OVER_LIMIT,
    PRUNED,
    Outcome,
    Repeat,
    finite_part,
)
from .folds_and_seeds import EPOCHS, final_parts, parts_of, trial_seed
from .shared_inputs import SharedInputs
from .trial_reporter import TrialAbandoned, TrialReporter, TrialTimeout

logger = logging.getLogger("emoclf.tuning")


class TrialRunner:
    """Run the trials of a plan on its training and validation set.

    Parameters
    ----------
    plan : SearchPlan
    folder : SearchFolder
    train, valid : Dataset
    vectors : str
        :func:`.shared_inputs.vectors_identity` of the word vectors.
    """

    def __init__(
        self,
        plan: SearchPlan,
        folder: SearchFolder,
        train: Dataset,
        valid: Dataset,
        *,
        vectors: str,
    ) -> None:
        self.plan = plan
        self.folder = folder
        parts = parts_of(plan, train, valid)
        if plan.limits.any:
            # The sets of the winner, on which limits are measured.
            parts.append(final_parts(plan, train, valid))
        self.inputs = SharedInputs(parts, folder.inputs, vectors=vectors)

    def run(self, values: Mapping[str, Any], reporter: TrialReporter) -> Outcome:
        """Run a trial; an error in it makes it a failed trial.

        Parameters
        ----------
        values : mapping
            Values of keras-tuner's hyperparameters.
        reporter : TrialReporter

        Raises
        ------
        TrialAbandoned
            If the trial was given to another worker, or the search is stopping.
        SearchError
            If the folder of the search cannot be written.
        KeyboardInterrupt
        """
        outcome = Outcome(reporter.number, self.plan.space.decode(values), FAILED)
        try:
            outcome = self._run(values, outcome, reporter)
        except (TrialAbandoned, SearchError):
            # These concern the search, not the trial; a full disk, for instance.
            raise
        except TrialTimeout as error:
            outcome = replace(outcome, reason=str(error))
        except Exception as error:
            logger.debug("trial %d", reporter.number, exc_info=True)
            message = " ".join(str(error).split())
            outcome = replace(outcome, reason=f"{type(error).__name__}: {message}")
        finally:
            # Keras models are in reference cycles, and a search makes many.
            reporter.set_model(None)
            gc.collect()
        return replace(outcome, seconds=reporter.elapsed())

    def _run(
        self, values: Mapping[str, Any], outcome: Outcome, reporter: TrialReporter
    ) -> Outcome:
        settings = [
            self._settings(values, reporter.number, repeat)
            for repeat in range(self.plan.repeats)
        ]
        if self.plan.limits.any:
            cost = self._cost(settings[0])
            outcome = replace(outcome, **vars(cost))
            excess = cost.excess(self.plan.limits)
            if excess:
                return replace(outcome, status=OVER_LIMIT, reason=excess)
        first: TrainedClassifier | None = None
        for repeat, repeat_settings in enumerate(settings):
            trained = self._fit(repeat, repeat_settings, reporter)
            first = first or trained
            if reporter.report_repeat(self._evaluate(trained, repeat)):
                break
        assert first is not None  # a plan has at least one repeat
        repeats = tuple(reporter.repeats)
        if outcome.parameters is None:
            parameters = first.bundle.model.count_params()
            outcome = replace(outcome, parameters=parameters)
        for name, value in (pair for one in repeats for pair in one.metrics.items()):
            if not math.isfinite(value):
                return replace(outcome, reason=f"{name} is {value}, not a number")
        outcome = replace(outcome, repeats=repeats)
        if reporter.pruned and (len(repeats) < len(settings) or reporter.cut_short):
            return replace(outcome, status=PRUNED, reason=reporter.pruned)
        outcome = replace(outcome, status=COMPLETED)
        self._keep(first.bundle, outcome)
        return outcome

    def _settings(
        self, values: Mapping[str, Any], number: int, repeat: int
    ) -> RunSettings:
        seed = trial_seed(self.plan.settings.seed, number, repeat)
        settings = self.plan.space.settings(self.plan.settings, values, seed=seed)
        if EPOCHS in values:
            settings = settings.override(epochs=int(values[EPOCHS]))
        return settings

    def _cost(self, settings: RunSettings) -> Cost:
        """Return the cost of the network, which is not trained yet."""
        # With the winner's training set, whose vocabulary is the largest.
        parts = self.inputs.parts[-1]
        train = parts.train
        prepared = self.inputs.prepared(-1, settings)
        bundle = Bundle(
            model=new_network(prepared, train, settings),
            encoder=prepared.encoder,
            label_names=train.label_names,
            multilabel=train.multilabel,
            settings=settings,
            inputs=prepared.inputs,
        )
        predictor = Predictor(bundle).uncached()
        return measure(predictor, self.plan.limits, parts.valid.texts)

    def _fit(
        self, repeat: int, settings: RunSettings, reporter: TrialReporter
    ) -> TrainedClassifier:
        reporter.check()
        trained = fit_prepared(
            self.inputs.prepared(repeat, settings),
            self.inputs.parts[repeat].train,
            settings,
            callbacks=[reporter],
        )
        if trained.result.ended == "interrupted":
            # An interrupt (Ctrl-C) ends the search, not only this training.
            raise KeyboardInterrupt
        return trained

    def _evaluate(self, trained: TrainedClassifier, repeat: int) -> Repeat:
        valid = self.inputs.parts[repeat].valid
        bundle, result = trained.bundle, trained.result
        probabilities = BatchedModel(bundle.model)(trained.prepared.valid.token_ids)
        evaluation = evaluate_probabilities(
            probabilities,
            valid.label_ids,
            valid.label_names,
            name=bundle.settings.architecture,
            part="valid",
            chose_epoch=True,
            thresholds=bundle.thresholds or 0.5,
            # No intervals are needed: trials are compared by their repeats.
            draws=1,
        )
        metrics = {name: getattr(evaluation, name) for name in OBJECTIVES}
        monitor = bundle.settings.training.monitor
        return Repeat(
            metrics={name: float(x) for name, x in metrics.items() if x is not None},
            best_epoch=result.best_epoch,
            epochs=result.epochs,
            curve=finite_part(result.history[f"val_{monitor}"]),
            seconds=result.seconds,
            findings=tuple(dict.fromkeys(f.name for f in result.findings)),
        )

    def _keep(self, bundle: Bundle, outcome: Outcome) -> None:
        """Save the first repeat's classifier; the chief removes all but the best."""
        metrics = {**bundle.metrics, "search": outcome.to_dict()}
        path = self.folder.model_path(outcome.number)
        try:
            save_bundle(replace(bundle, metrics=metrics), path, overwrite=True)
        except BundleError as error:
            # The score is kept, and the weights can be trained again.
            logger.warning(
                "The classifier of trial %d is not saved: %s", outcome.number, error
            )
