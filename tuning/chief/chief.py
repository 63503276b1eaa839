"""The chief of a search: hands out trials, receives reports, stores outcomes.

It runs in the process of the search. Workers in other processes call it by
:mod:`emoclf.tuning.chief.grpc_service`.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..folder import SearchFolder
from ..plan import SearchPlan
from ..results.outcome import (
    COMPLETED,
    DEFAULTS,
    FAILED,
    OVER_LIMIT,
    PRUNED,
    Outcome,
    Repeat,
    finite_part,
)
from ..results.pruning import cannot_win, curves_at, extrapolated_score, is_hopeless
from ..results.ranking import rank
from ..trials.folds_and_seeds import EPOCHS
from ..trials.trial_reporter import Reply, TrialOffer
from .strategies import ResumableOracle

#: Seconds without a report after which a worker counts as dead.
PATIENCE_SECONDS = 60.0
#: Workers that may die in a trial before it counts as failed.
ALLOWED_DEATHS = 2


@dataclass
class RunningTrial:
    """A trial that a worker is running."""

    trial_id: str
    values: Mapping[str, Any]
    heard: float
    began: float
    since: float = field(default_factory=time.monotonic)
    repeats: tuple[Repeat, ...] = ()
    curve: tuple[float, ...] = ()

    @property
    def number(self) -> int:
        """Number of the trial, from 1."""
        return int(self.trial_id) + 1


@dataclass
class TrialListeners:
    """Functions that the chief calls, one at a time, to report on its trials."""

    progressed: Callable[[RunningTrial], None] = lambda running: None
    ended: Callable[[Outcome], None] = lambda outcome: None
    lost: Callable[[int, str], None] = lambda number, reason: None


@dataclass
class Chief:
    """Hand out trials and store their outcomes; safe to call from several threads.

    Parameters
    ----------
    plan : SearchPlan
    folder : SearchFolder
    oracle : ResumableOracle
    keep : int
        Number of best trials whose classifiers stay on disk.
    deadline : float or None
        Time of ``time.monotonic`` after which no trial begins and running ones stop.
    patience : float
        Seconds without a report after which a worker counts as dead.
    listeners : TrialListeners
    """

    plan: SearchPlan
    folder: SearchFolder
    oracle: ResumableOracle
    keep: int = 3
    deadline: float | None = None
    patience: float = PATIENCE_SECONDS
    listeners: TrialListeners = field(default_factory=TrialListeners)

    def __post_init__(self) -> None:
        #: Running trials by worker.
        self.running: dict[str, RunningTrial] = {}
        self.outcomes: dict[int, Outcome] = {}
        self.exhausted = False
        self.failure: Exception | None = None
        self.asked = time.monotonic()
        #: Workers that do not know yet that no trial is left.
        self.present: set[str] = set()
        self._lock = threading.RLock()
        self._origin = float(self.folder.about()["began"])
        self._deaths: dict[str, int] = self.folder.read_deaths()
        for outcome in self.folder.outcomes(self.plan):
            self._restore(outcome)
        for trial_id, trial in self.oracle.trials.items():
            # The file of its outcome was removed, perhaps because it was damaged.
            if int(trial_id) + 1 not in self.outcomes and trial.status != "RUNNING":
                self.oracle.hand_back(trial_id)

    def _restore(self, outcome: Outcome) -> None:
        """Restore an outcome from before a stop, and close its trial if necessary."""
        ids = [i for i in self.oracle.trials if int(i) + 1 == outcome.number]
        if not ids:
            # The oracle's state is older: the trial is drawn and run again.
            self.folder.outcome_path(outcome.number).unlink()
            return
        self.outcomes[outcome.number] = outcome
        if ids[0] in self.oracle.waiting:
            self.oracle.waiting.remove(ids[0])
            self._close(ids[0], outcome)

    @property
    def over(self) -> bool:
        """Whether no trial runs and none is left."""
        with self._lock:
            return (self.exhausted or self.stopping) and not self.running

    @property
    def stopping(self) -> bool:
        """Whether no trial begins any more and running ones stop."""
        late = self.deadline is not None and time.monotonic() >= self.deadline
        return late or self.failure is not None

    def create_trial(self, worker: str) -> TrialOffer:
        """Return a trial for a worker, or why there is none."""
        with self._lock:
            self.asked = time.monotonic()
            self.present.add(worker)
            if worker in self.running:
                self._take_back(worker)
            offer = TrialOffer("STOPPED") if self.stopping else self._draw(worker)
            if offer.status == "STOPPED":
                self.present.discard(worker)
            return offer

    def _take_back(self, worker: str) -> None:
        self.oracle.hand_back(self.running.pop(worker).trial_id)
        self.exhausted = False

    def _draw(self, worker: str) -> TrialOffer:
        try:
            trial = self.oracle.create_trial(worker)
        except Exception as error:
            # keras-tuner's locks stay locked after an error, so the search must end.
            self.failure = error
            raise
        if trial.status == "RUNNING":
            values = dict(trial.hyperparameters.values)
            running = RunningTrial(
                trial.trial_id, values, time.monotonic(), time.time() - self._origin
            )
            self.running[worker] = running
            return TrialOffer("RUNNING", running.number, values)
        if trial.status == "STOPPED":
            self.exhausted = True
            # A worker that runs a trial may die, and its trial come back.
            return TrialOffer("IDLE" if self.running else "STOPPED")
        return TrialOffer("IDLE")

    def report(
        self,
        worker: str,
        number: int,
        repeats: Sequence[Repeat] = (),
        curve: Sequence[float] = (),
    ) -> Reply:
        """Receive a report of a worker, and reply whether its trial continues.

        Parameters
        ----------
        worker : str
        number : int
            Number of the trial.
        repeats : sequence of Repeat
            Complete trainings.
        curve : sequence of float
            Validation metric of each epoch of the current training.
        """
        with self._lock:
            running = self.running.get(worker)
            if running is None or running.number != number:
                return Reply("abandon", "the trial was given to another worker")
            running.heard = self.asked = time.monotonic()
            if self.stopping:
                return Reply("abandon", "the search is being stopped")
            progress = (tuple(repeats), finite_part(curve))
            if progress == (running.repeats, running.curve):
                return Reply()
            running.repeats, running.curve = progress
            self.listeners.progressed(running)
            # Every result is compared with the defaults, so these run to the end.
            prunable = self.plan.prunes and number != DEFAULTS
            reason = self._pruning_reason(running) if prunable else None
            return Reply("prune", reason) if reason else Reply()

    def _pruning_reason(self, running: RunningTrial) -> str | None:
        outcomes, objective = list(self.outcomes.values()), self.plan.objective
        if not running.curve:
            scores = [repeat.metrics[objective.name] for repeat in running.repeats]
            return cannot_win(scores, outcomes, objective, repeats=self.plan.repeats)
        if running.repeats:
            # After the first training only whole trainings are compared.
            return None
        rivals = curves_at(outcomes, epoch=len(running.curve))
        sign = -1 if self.plan.settings.training.monitor == "loss" else 1
        return is_hopeless(running.curve, rivals, sign=sign)

    def finish(self, worker: str, outcome: Outcome) -> bool:
        """Store the outcome of a trial; return False if the trial was reassigned."""
        with self._lock:
            if self.failure is not None:
                # keras-tuner's locks stay locked after an error: a call would hang.
                return False
            self.asked = time.monotonic()
            running = self.running.get(worker)
            if running is None or running.number != outcome.number:
                return False
            outcome = replace(
                outcome,
                values=self.plan.space.decode(running.values),
                began=running.began,
                worker=worker,
            )
            epochs = running.values.get(EPOCHS)
            max_epochs = self.plan.settings.training.epochs
            if outcome.status == COMPLETED and epochs and epochs < max_epochs:
                # Hyperband's short trainings compete for a longer one only.
                reason = f"trained for {epochs} of {max_epochs} epochs"
                outcome = replace(outcome, status=PRUNED, reason=reason)
            try:
                # First, so that _restore() closes the trial after a kill in between.
                self.folder.write_outcome(outcome)
                self._close(running.trial_id, outcome)
            except Exception as error:
                self.failure = error
                raise
            del self.running[worker]
            self.outcomes[outcome.number] = outcome
            self._remove_models()
            self.listeners.ended(outcome)
            return True

    def _close(self, trial_id: str, outcome: Outcome) -> None:
        objective = self.plan.objective
        score = outcome.score(objective.name)
        if score is not None and outcome.status == PRUNED:
            outcomes = list(self.outcomes.values())
            scores = outcome.scores(objective.name)
            score = extrapolated_score(scores, outcomes, objective)
        elif outcome.status in (FAILED, OVER_LIMIT):
            score = None
        self.oracle.close_trial(trial_id, score, outcome.reason)

    def lost(self, worker: str, reason: str) -> None:
        """Give the trial of a dead worker to another one, or fail it."""
        with self._lock:
            running = self.running.get(worker)
            if running is None:
                return
            if self.stopping:
                self._take_back(worker)
                return
            deaths = self._deaths.get(running.trial_id, 0) + 1
            self._deaths[running.trial_id] = deaths
            # Written, since the cause may kill this process, too.
            self.folder.write_deaths(self._deaths)
            if deaths <= ALLOWED_DEATHS:
                self._take_back(worker)
                self.listeners.lost(running.number, reason)
                return
            self._fail(worker, f"{deaths} workers ended in it, the last one: {reason}")

    def _fail(self, worker: str, reason: str) -> None:
        running = self.running[worker]
        values = self.plan.space.decode(running.values)
        self.finish(worker, Outcome(running.number, values, FAILED, reason=reason))

    def expire(self) -> list[str]:
        """Take back the trials of silent workers, and fail those that hang.

        Returns
        -------
        stuck : list of str
            Workers that still report, but exceed ``trial_seconds``.
        """
        with self._lock:
            now, stuck = time.monotonic(), []
            limit = self.plan.trial_seconds
            for worker, running in list(self.running.items()):
                silence = now - running.heard
                if silence > self.patience:
                    self.lost(worker, f"no report for {silence:.0f} s")
                elif limit and now - running.since > limit + self.patience:
                    self._fail(worker, f"it took longer than {limit:g} s, and hung")
                    stuck.append(worker)
            return stuck

    def release(self) -> None:
        """Hand back every running trial, when all workers have ended."""
        with self._lock:
            for running in self.running.values():
                self.oracle.hand_back(running.trial_id)
            self.running.clear()

    def _remove_models(self) -> None:
        """Remove all classifiers but those of the best trials."""
        best = rank(list(self.outcomes.values()), self.plan.objective)[: self.keep]
        kept_paths = {self.folder.model_path(outcome.number) for outcome in best}
        # Running trials write their classifiers before they end.
        names = [
            self.folder.model_path(running.number).name
            for running in self.running.values()
        ]
        for path in self.folder.models.iterdir():
            if path not in kept_paths and not any(name in path.name for name in names):
                shutil.rmtree(path, ignore_errors=True)
