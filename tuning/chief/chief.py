"""Who hands out trials, hears how they go, and remembers how they ended.

One chief serves one search: in the process of the search itself, and by way of
:mod:`emoclf.tuning.chief.wire` processes here and elsewhere.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial

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
)
from ..results.pruning import cannot_win, curves_at, is_hopeless, levelled
from ..results.ranking import rank
from ..trials.repeats import EPOCHS
from ..trials.watch import Reply
from .oracles import SafeOracle

#: Seconds without a word after which a worker is taken for dead.
PATIENCE = 60.0
#: Workers that a trial may outlive; one that kills more is the trial's own fault.
DEATHS = 2


@dataclass
class Lease:
    """A trial in the hands of a worker."""

    trial: Any
    heard: float
    began: float
    since: float = field(default_factory=time.monotonic)
    repeats: tuple[Repeat, ...] = ()
    curve: tuple[float, ...] = ()

    @property
    def number(self) -> int:
        """The trial's number, from 1."""
        return int(self.trial.trial_id) + 1


@dataclass
class Events:
    """Whom to tell what happens; all calls come one at a time."""

    progressed: Callable[[Lease], None] = lambda lease: None
    ended: Callable[[Outcome], None] = lambda outcome: None
    lost: Callable[[int, str], None] = lambda number, why: None


@dataclass
class Chief:
    """Hand out trials and keep their outcomes; safe to call from several threads.

    Parameters
    ----------
    plan : SearchPlan
    folder : SearchFolder
    oracle : SafeOracle
    keep : int
        Classifiers of so many of the best trials stay on disk.
    deadline : float or None
        Of ``time.monotonic``; no trial begins later, and those that run are left.
    patience : float
        Seconds without a word from a worker.
    """

    plan: SearchPlan
    folder: SearchFolder
    oracle: SafeOracle
    keep: int = 3
    deadline: float | None = None
    patience: float = PATIENCE
    events: Events = field(default_factory=Events)

    def __post_init__(self) -> None:
        self.leases: dict[str, Lease] = {}
        self.outcomes: dict[int, Outcome] = {}
        self.exhausted = False
        self.failure: Exception | None = None
        self.asked = time.monotonic()
        #: Workers that asked for a trial and were not yet told that there is none.
        self.present: set[str] = set()
        self._lock = threading.RLock()
        self._origin = float(self.folder.about()["began"])
        self._deaths: dict[str, int] = self.folder.read_deaths()
        for outcome in self.folder.outcomes():
            self._take_up(outcome)
        for trial_id, trial in self.oracle.trials.items():
            # Somebody took the outcome away, perhaps since it was damaged.
            if int(trial_id) + 1 not in self.outcomes and trial.status != "RUNNING":
                self.oracle.hand_back(trial_id)

    def _take_up(self, outcome: Outcome) -> None:
        """Take an outcome from before a stop; tell the oracle if it has not heard."""
        found = [i for i in self.oracle.trials if int(i) + 1 == outcome.number]
        if not found:
            # Its draw was never written down: it is drawn again, and runs again.
            self.folder.outcome_path(outcome.number).unlink()
            return
        self.outcomes[outcome.number] = outcome
        trial = self.oracle.trials[found[0]]
        if trial.status == "RUNNING":
            self.oracle._retry_queue.remove(found[0])
            self._tell_oracle(trial, outcome)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to wait for."""
        with self._lock:
            return (self.exhausted or self.stopping) and not self.leases

    @property
    def stopping(self) -> bool:
        """Whether no trial begins any more, and those that run are left."""
        late = self.deadline is not None and time.monotonic() >= self.deadline
        return late or self.failure is not None

    def create_trial(self, worker: str) -> Any:
        """Return keras-tuner's trial for a worker.

        Its status is RUNNING, IDLE (ask again in a while) or STOPPED (there is no
        trial any more).
        """
        with self._lock:
            self.asked = time.monotonic()
            self.present.add(worker)
            if worker in self.leases:
                self._take_back(worker)
            trial = _no_trial("STOPPED") if self.stopping else self._draw(worker)
            if trial.status == "STOPPED":
                self.present.discard(worker)
            return trial

    def _take_back(self, worker: str) -> None:
        lease = self.leases.pop(worker)
        self.oracle.hand_back(lease.trial.trial_id)
        # Whoever heard that there is no trial left may ask again.
        self.exhausted = False

    def _draw(self, worker: str) -> Any:
        try:
            trial = self.oracle.create_trial(worker)
        except Exception as error:
            # keras-tuner's locks stay locked after an error: nothing goes on.
            self.failure = error
            raise
        if trial.status == "STOPPED":
            self.exhausted = True
            # A trial may still come back from a worker that dies.
            return _no_trial("IDLE" if self.leases else "STOPPED")
        if trial.status == "RUNNING":
            began = time.time() - self._origin
            self.leases[worker] = Lease(trial, time.monotonic(), began)
        return trial

    def report(
        self,
        worker: str,
        number: int,
        repeats: Sequence[Repeat] = (),
        curve: Sequence[float] = (),
    ) -> Reply:
        """Hear from a worker, and say whether its trial goes on.

        Parameters
        ----------
        worker : str
        number : int
            Of the trial.
        repeats : sequence of Repeat
            Trainings that are done.
        curve : sequence of float
            Validation figure of each epoch of the training that runs.
        """
        with self._lock:
            lease = self.leases.get(worker)
            if lease is None or lease.number != number:
                return Reply("abandon", "the trial was given to another worker")
            lease.heard = self.asked = time.monotonic()
            if self.stopping:
                return Reply("abandon", "the search is being stopped")
            news = (tuple(repeats), tuple(curve))
            if news == (lease.repeats, lease.curve):
                return Reply()
            lease.repeats, lease.curve = news
            self.events.progressed(lease)
            # The defaults are what everything is compared with.
            may_end = self.plan.prunes and number != DEFAULTS
            reason = self._prune(lease) if may_end else None
            return Reply("prune", reason) if reason else Reply()

    def _prune(self, lease: Lease) -> str | None:
        outcomes = list(self.outcomes.values())
        if not lease.curve:
            scores = [one.metrics[self.plan.objective.name] for one in lease.repeats]
            return cannot_win(
                scores, outcomes, self.plan.objective, repeats=self.plan.repeats
            )
        if lease.repeats:
            # Who came so far is judged by whole trainings.
            return None
        others = curves_at(outcomes, epoch=len(lease.curve))
        sign = -1 if self.plan.settings.training.monitor == "loss" else 1
        return is_hopeless(lease.curve, others, sign=sign)

    def finish(self, worker: str, outcome: Outcome) -> bool:
        """Keep the outcome of a worker's trial; False if nobody waits for it."""
        with self._lock:
            if self.failure is not None:
                # keras-tuner's locks stay locked after an error: whoever asks it now
                # would wait for ever.
                return False
            self.asked = time.monotonic()
            lease = self.leases.get(worker)
            if lease is None or lease.number != outcome.number:
                return False
            outcome = replace(outcome, began=lease.began, worker=worker)
            rung = dict(lease.trial.hyperparameters.values).get(EPOCHS)
            if outcome.status == COMPLETED and rung is not None:
                outcome = self._on_rung(outcome, int(rung))
            try:
                # The outcome first: a kill between the two leaves it to be taken up.
                self.folder.write_outcome(outcome)
                self._tell_oracle(lease.trial, outcome)
            except Exception as error:
                self.failure = error
                raise
            del self.leases[worker]
            self.outcomes[outcome.number] = outcome
            self.sweep_models()
            self.events.ended(outcome)
            return True

    def _on_rung(self, outcome: Outcome, epochs: int) -> Outcome:
        """Hyperband's short trainings compete for a longer one, not for the end."""
        most = self.plan.settings.training.epochs
        if epochs >= most:
            return outcome
        reason = f"trained for {epochs} of {most} epochs"
        return replace(outcome, status=PRUNED, reason=reason)

    def _tell_oracle(self, trial: Any, outcome: Outcome) -> None:
        trial = self.oracle.get_trial(trial.trial_id)
        score = outcome.score(self.plan.objective.name)
        if score is not None and outcome.status == PRUNED:
            known = list(self.outcomes.values())
            scores = outcome.scores(self.plan.objective.name)
            score = levelled(scores, known, self.plan.objective)
        if score is None or outcome.status in (FAILED, OVER_LIMIT):
            trial.status, trial.message = "FAILED", outcome.reason
        else:
            self.oracle.update_trial(trial.trial_id, {self.plan.objective.name: score})
            trial.status = "COMPLETED"
        self.oracle.end_trial(trial)

    def lost(self, worker: str, why: str) -> None:
        """Give a worker's trial to another one."""
        with self._lock:
            lease = self.leases.get(worker)
            if lease is None:
                return
            if self.stopping:
                self._take_back(worker)
                return
            trial_id = lease.trial.trial_id
            deaths = self._deaths.get(trial_id, 0) + 1
            self._deaths[trial_id] = deaths
            # Kept, since what ends a worker may end this process with it.
            self.folder.write_deaths(self._deaths)
            if deaths <= DEATHS:
                self._take_back(worker)
                self.events.lost(lease.number, why)
                return
            self._fail(worker, f"{deaths} workers ended in it, the last one: {why}")

    def _fail(self, worker: str, reason: str) -> None:
        lease = self.leases[worker]
        values = self.plan.space.decode(lease.trial.hyperparameters.values)
        self.finish(worker, Outcome(lease.number, values, FAILED, reason=reason))

    def expire(self) -> list[str]:
        """Give up workers that are silent, or stuck in a trial that is out of time.

        Returns
        -------
        stuck : list of str
            Workers that still talk, but do not end what they should have ended.
        """
        with self._lock:
            now, stuck = time.monotonic(), []
            limit = self.plan.trial_seconds
            for worker, lease in list(self.leases.items()):
                if now - lease.heard > self.patience:
                    self.lost(worker, f"not heard of for {now - lease.heard:.0f} s")
                elif limit and now - lease.since > limit + self.patience:
                    self._fail(worker, f"it took longer than {limit:g} s, and hung")
                    stuck.append(worker)
            return stuck

    def release(self) -> None:
        """Hand every trial that runs back: nobody is at it any more."""
        with self._lock:
            for lease in self.leases.values():
                self.oracle.hand_back(lease.trial.trial_id)
            self.leases.clear()

    def sweep_models(self) -> None:
        """Remove the classifiers of all but the best trials, and what kills left."""
        ranked = rank(list(self.outcomes.values()), self.plan.objective)
        kept = {self.folder.model_path(one.number) for one in ranked[: self.keep]}
        busy = {
            self.folder.model_path(lease.number).name for lease in self.leases.values()
        }
        for path in self.folder.models.iterdir():
            # A worker writes its classifier beside its place before it ends.
            if path not in kept and not any(name in path.name for name in busy):
                shutil.rmtree(path, ignore_errors=True)


def _no_trial(status: str) -> Any:
    return Trial(keras_tuner.HyperParameters(), trial_id="", status=status)
