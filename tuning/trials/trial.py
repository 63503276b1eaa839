"""One trial: trained on every fold, or with every seed, and judged on what it left."""

from __future__ import annotations

import gc
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from emoclf.bundle.bundle import Bundle
from emoclf.bundle.bundle_folder import save_bundle
from emoclf.datasets.dataset import Dataset
from emoclf.errors import BundleError, SearchError
from emoclf.evaluation.metric_names import OBJECTIVES
from emoclf.evaluation.metrics import evaluate_probabilities
from emoclf.models.build import build_model
from emoclf.models.inference import BatchedModel
from emoclf.predictor import Predictor
from emoclf.settings import RunSettings
from emoclf.workflow.train import TrainedClassifier, fit_prepared

from ..folder import SearchFolder
from ..limits import Cost, measure
from ..plan import SearchPlan
from ..results.outcome import COMPLETED, FAILED, OVER_LIMIT, PRUNED, Outcome, Repeat
from .repeats import EPOCHS, Parts, final_parts, parts_of, trial_seed
from .shared_inputs import SharedInputs
from .watch import Abandoned, OutOfTime, Watch, WatchTraining

logger = logging.getLogger("emoclf.tuning")


@dataclass(frozen=True)
class TrialRunner:
    """Run the trials of a plan.

    Parameters
    ----------
    plan : SearchPlan
    parts : sequence of Parts
        Of each repeat.
    inputs : SharedInputs
    folder : SearchFolder
    """

    plan: SearchPlan
    parts: Sequence[Parts]
    inputs: SharedInputs
    folder: SearchFolder

    @classmethod
    def new(
        cls,
        plan: SearchPlan,
        folder: SearchFolder,
        train: Dataset,
        valid: Dataset,
        *,
        vectors: str,
    ) -> Self:
        """Return a runner of a plan on its training and validation part.

        Parameters
        ----------
        plan : SearchPlan
        folder : SearchFolder
        train, valid : Dataset
        vectors : str
            :func:`~emoclf.tuning.trials.shared_inputs.identity` of the word vectors.
        """
        parts = parts_of(plan, train, valid)
        # Limits hold for what is delivered in the end.
        others = [final_parts(plan, train, valid)] if plan.limits.any else []
        inputs = SharedInputs([*parts, *others], folder.inputs, vectors=vectors)
        return cls(plan, parts, inputs, folder)

    def run(self, values: Mapping[str, Any], watch: Watch) -> Outcome:
        """Run a trial; whatever it raises is its outcome.

        Parameters
        ----------
        values : mapping
            What keras-tuner drew.
        watch : Watch

        Raises
        ------
        Abandoned
            If nobody waits for it.
        KeyboardInterrupt
        """
        outcome = Outcome(watch.number, self.plan.space.decode(values), FAILED)
        try:
            outcome = self._run(values, outcome, watch)
        except (Abandoned, SearchError):
            # Of the search, not of the trial: nobody waits for it, or a disk is full.
            raise
        except OutOfTime as error:
            outcome = replace(outcome, reason=str(error))
        except Exception as error:
            logger.debug("trial %d", watch.number, exc_info=True)
            said = " ".join(str(error).split())
            outcome = replace(outcome, reason=f"{type(error).__name__}: {said}")
        finally:
            # Keras' models hold themselves in circles; a search makes many.
            gc.collect()
        return replace(outcome, seconds=watch.elapsed())

    def _run(
        self, values: Mapping[str, Any], outcome: Outcome, watch: Watch
    ) -> Outcome:
        settings = [
            self._settings(values, watch.number, repeat)
            for repeat in range(self.plan.repeats)
        ]
        if self.plan.limits.any:
            cost = self._cost(settings[0])
            outcome = replace(outcome, **vars(cost))
            excess = cost.excess(self.plan.limits)
            if excess:
                return replace(outcome, status=OVER_LIMIT, reason=excess)
        first: TrainedClassifier | None = None
        for repeat, own in enumerate(settings):
            trained = self._fit(repeat, own, watch)
            first = first or trained
            if watch.trained(self._judged(trained, repeat)):
                break
        assert first is not None  # a plan has at least one repeat
        done = tuple(watch.repeats)
        if outcome.parameters is None:
            parameters = first.bundle.model.count_params()
            outcome = replace(outcome, parameters=parameters)
        outcome = replace(outcome, repeats=done)
        for one in done:
            wrong = [name for name, x in one.metrics.items() if not math.isfinite(x)]
            if wrong:
                reason = f"{wrong[0]} is {one.metrics[wrong[0]]}, not a number"
                return replace(outcome, repeats=(), reason=reason)
        if watch.pruned and (len(done) < len(settings) or watch.cut_short):
            return replace(outcome, status=PRUNED, reason=watch.pruned)
        outcome = replace(outcome, status=COMPLETED)
        self._keep(first.bundle, outcome)
        return outcome

    def _settings(
        self, values: Mapping[str, Any], number: int, repeat: int
    ) -> RunSettings:
        seed = trial_seed(self.plan.settings.seed, number, repeat)
        own = self.plan.space.settings(self.plan.settings, values, seed=seed)
        if EPOCHS in values:
            own = own.override(epochs=int(values[EPOCHS]))
        return own

    def _cost(self, settings: RunSettings) -> Cost:
        """Return what the network costs; it is not trained yet."""
        # On what the winner would be trained on: its vocabulary is the largest.
        final = len(self.parts)
        parts = self.inputs.parts[final]
        train = parts.train
        prepared = self.inputs.prepared(final, settings)
        model = build_model(
            settings,
            n_classes=len(train.label_names),
            multilabel=train.multilabel,
            matrix=prepared.matrix,
        )
        bundle = Bundle(
            model=model,
            encoder=prepared.encoder,
            label_names=train.label_names,
            multilabel=train.multilabel,
            settings=settings,
        )
        return measure(Predictor(bundle), self.plan.limits, parts.valid.texts)

    def _fit(
        self, repeat: int, settings: RunSettings, watch: Watch
    ) -> TrainedClassifier:
        watch.check()
        trained = fit_prepared(
            self.inputs.prepared(repeat, settings),
            self.parts[repeat].train,
            settings,
            callbacks=[WatchTraining(watch, settings.training.monitor)],
        )
        if trained.result.ended == "interrupted":
            # Half a trial is no trial, and who interrupts means the search.
            raise KeyboardInterrupt
        return trained

    def _judged(self, trained: TrainedClassifier, repeat: int) -> Repeat:
        valid = self.parts[repeat].valid
        bundle, result = trained.bundle, trained.result
        answers = BatchedModel(bundle.model)(trained.prepared.valid.token_ids)
        found = evaluate_probabilities(
            answers,
            valid.label_ids,
            valid.label_names,
            name=bundle.settings.architecture,
            part="valid",
            chose_epoch=True,
            thresholds=bundle.thresholds or 0.5,
            # No interval is asked for: trials are compared by their repeats.
            draws=1,
        )
        metrics = {name: getattr(found, name) for name in OBJECTIVES}
        monitor = bundle.settings.training.monitor
        return Repeat(
            metrics={name: float(x) for name, x in metrics.items() if x is not None},
            best_epoch=result.best_epoch,
            epochs=result.epochs,
            curve=tuple(result.history[f"val_{monitor}"]),
            seconds=result.seconds,
            findings=tuple(dict.fromkeys(one.name for one in result.findings)),
        )

    def _keep(self, bundle: Bundle, outcome: Outcome) -> None:
        """Save the first repeat's classifier; the chief removes all but the best."""
        metrics = {**bundle.metrics, "search": outcome.to_dict()}
        path = self.folder.model_path(outcome.number)
        try:
            save_bundle(replace(bundle, metrics=metrics), path, overwrite=True)
        except BundleError as error:
            # The score is what a night was spent for; the weights can be made again.
            logger.warning(
                "The classifier of trial %d is not kept: %s", outcome.number, error
            )
