"""A worker's reports on a running trial, and the chief's replies, which may end it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import keras

from emoclf.errors import SearchError

from ..plan import SearchPlan
from ..results.outcome import Repeat

if TYPE_CHECKING:
    from ..chief.chief import Chief
    from ..chief.grpc_service import RemoteChief

    AnyChief: TypeAlias = Chief | RemoteChief

logger = logging.getLogger("emoclf.tuning")

#: Seconds between two reports to the chief.
REPORT_SECONDS = 5.0


@dataclass(frozen=True)
class TrialOffer:
    """Reply of a chief to a worker that asks for a trial.

    Parameters
    ----------
    status : {"RUNNING", "IDLE", "STOPPED"}
        'RUNNING': run this trial; 'IDLE': ask again later; 'STOPPED': no trial is left.
    number : int
        Number of the trial, from 1.
    values : dict
        Values of keras-tuner's hyperparameters.
    """

    status: str
    number: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """Reply of a chief to a report.

    Parameters
    ----------
    stop : {"", "prune", "abandon"}
        '': continue; 'prune': stop and report what is done; 'abandon': discard, the
        trial was reassigned.
    reason : str
    """

    stop: str = ""
    reason: str = ""


class TrialAbandoned(Exception):
    """The trial was given to another worker, or the search is stopping."""


class TrialTimeout(Exception):
    """The trial takes longer than ``trial_seconds``."""


class TrialReporter(keras.callbacks.Callback):
    """Report on a trial after every epoch, and from a thread during long steps.

    As a callback of its trainings it ends one whose trial is pruned or must be left.

    Parameters
    ----------
    chief : Chief or RemoteChief
    worker : str
    number : int
        Number of the trial.
    plan : SearchPlan
    """

    def __init__(
        self, chief: AnyChief, worker: str, number: int, plan: SearchPlan
    ) -> None:
        super().__init__()
        self.chief = chief
        self.worker = worker
        self.number = number
        self.plan = plan
        self.repeats: list[Repeat] = []
        self.curve: list[float] = []
        #: Reason for pruning; empty if the trial is not pruned.
        self.pruned = ""
        #: Whether pruning ended a training.
        self.cut_short = False
        self._abandoned = ""
        self._began = time.monotonic()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._report_regularly, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _report_regularly(self) -> None:
        while not self._over.wait(REPORT_SECONDS):
            # The main thread raises the errors of its own reports.
            with suppress(SearchError):
                self._report()

    def _report(self) -> None:
        with self._lock:
            try:
                reply = self.chief.report(
                    self.worker, self.number, list(self.repeats), list(self.curve)
                )
            except ConnectionError as error:
                # RemoteChief.watch decides when the chief is gone.
                logger.debug("%s", error)
                return
            # Inside the lock: a repeated report gets an empty reply.
            if reply.stop == "abandon":
                self._abandoned = reply.reason
            elif reply.stop == "prune":
                self.pruned = reply.reason

    def check(self) -> None:
        """Raise an exception if the trial must be left.

        Raises
        ------
        TrialAbandoned, TrialTimeout
        """
        if self._abandoned:
            raise TrialAbandoned(self._abandoned)
        limit = self.plan.trial_seconds
        if limit is not None and self.elapsed() > limit:
            raise TrialTimeout(f"it took longer than {limit:g} s")

    def elapsed(self) -> float:
        """Return the seconds since the trial began."""
        return time.monotonic() - self._began

    def report_repeat(self, repeat: Repeat) -> bool:
        """Report a complete training; return True if the trial is pruned after it."""
        with self._lock:
            self.repeats.append(repeat)
            self.curve = []
        if not self.pruned:
            self._report()
        self.check()
        return bool(self.pruned)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.check()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Report the validation metric that chooses the epoch."""
        monitor = self.plan.settings.training.monitor
        with self._lock:
            self.curve.append(float((logs or {})[f"val_{monitor}"]))
        self._report()
        self.check()
        if self.pruned:
            self.cut_short = True
            # The best epoch so far is then evaluated.
            self.model.stop_training = True

    def on_finding(self, finding: Any) -> None:
        """Print nothing, because the outcome contains the findings."""
