"""A worker's side of a trial that runs: it reports, and hears when to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, Self

import keras

from emoclf.errors import SearchError

from ..results.outcome import Outcome, Repeat

logger = logging.getLogger("emoclf.tuning")

#: Seconds between two words to the chief.
PULSE = 5.0


@dataclass(frozen=True)
class Reply:
    """The answer of a chief to a report.

    Parameters
    ----------
    stop : {"", "prune", "abandon"}
        '': continue; 'prune': stop and report what is done; 'abandon': discard, the
        trial was reassigned.
    reason : str
    """

    stop: str = ""
    reason: str = ""


class AnyChief(Protocol):
    """A chief, in this process or behind a wire."""

    def create_trial(self, worker: str) -> Any:
        """Return a trial, or say that there is none."""

    def report(
        self,
        worker: str,
        number: int,
        repeats: Sequence[Repeat] = (),
        curve: Sequence[float] = (),
    ) -> Reply:
        """Hear how a trial goes."""

    def finish(self, worker: str, outcome: Outcome) -> bool:
        """Keep an outcome."""


class Abandoned(Exception):
    """Nobody waits for the trial any more."""


class OutOfTime(Exception):
    """The trial took longer than a trial may."""


class Watch:
    """Report on a trial, from a thread of its own while a step takes long.

    Parameters
    ----------
    chief : AnyChief
    worker : str
    number : int
        Of the trial.
    seconds : float or None
        That the trial may take.
    """

    def __init__(
        self, chief: AnyChief, worker: str, number: int, *, seconds: float | None
    ) -> None:
        self.chief = chief
        self.worker = worker
        self.number = number
        self.seconds = seconds
        self.repeats: list[Repeat] = []
        self.curve: list[float] = []
        self.pruned = ""
        #: Whether a training was ended before its own end.
        self.cut_short = False
        self._abandoned = ""
        self._began = time.monotonic()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._pulse, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _pulse(self) -> None:
        while not self._over.wait(PULSE):
            # What went wrong at the chief is raised where the trial itself reports.
            with suppress(SearchError):
                self._report()

    def _report(self) -> None:
        with self._lock:
            try:
                reply = self.chief.report(
                    self.worker, self.number, list(self.repeats), list(self.curve)
                )
            except ConnectionError as error:
                # Whoever keeps the connection decides when the chief is gone.
                logger.debug("%s", error)
                return
            # Within the lock: who reports the same again gets no such answer.
            if reply.stop == "abandon":
                self._abandoned = reply.reason
            elif reply.stop == "prune":
                self.pruned = reply.reason

    def check(self) -> None:
        """Leave the trial if it has to be left.

        Raises
        ------
        Abandoned, OutOfTime
        """
        if self._abandoned:
            raise Abandoned(self._abandoned)
        if self.seconds is not None and self.elapsed() > self.seconds:
            raise OutOfTime(f"it took longer than {self.seconds:g} s")

    def elapsed(self) -> float:
        """Return the seconds since the trial began."""
        return time.monotonic() - self._began

    def trained(self, repeat: Repeat) -> bool:
        """Report a training that is done; True if the trial ends with it."""
        with self._lock:
            self.repeats.append(repeat)
            self.curve = []
        if not self.pruned:
            self._report()
        self.check()
        return bool(self.pruned)

    def validated(self, figure: float) -> bool:
        """Report an epoch's validation figure; True if the training ends with it."""
        with self._lock:
            self.curve.append(figure)
        self._report()
        self.check()
        self.cut_short = bool(self.pruned)
        return self.cut_short


class WatchTraining(keras.callbacks.Callback):
    """Let a watch look into a training.

    Parameters
    ----------
    watch : Watch
    monitor : str
        The validation figure that chooses the epoch.
    """

    def __init__(self, watch: Watch, monitor: str) -> None:
        super().__init__()
        self.watch = watch
        self.monitor = monitor

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.watch.check()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # With what it has: the best epoch so far is judged.
        if self.watch.validated(float((logs or {})[f"val_{self.monitor}"])):
            self.model.stop_training = True

    def on_finding(self, finding: Any) -> None:
        """Keep quiet: the outcome names what was found."""
