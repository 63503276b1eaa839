"""The loop of a worker: ask for a trial, run it, report its outcome."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import keras

from .trial_reporter import TrialAbandoned, TrialReporter
from .trial_runner import TrialRunner

if TYPE_CHECKING:
    from .trial_reporter import AnyChief

logger = logging.getLogger("emoclf.tuning")

#: Seconds until a worker without a trial asks again.
IDLE_SECONDS = 0.5


def run_trials(
    chief: AnyChief, runner: TrialRunner, name: str, *, own_process: bool = False
) -> int:
    """Run trials until none is left.

    Parameters
    ----------
    chief : Chief or RemoteChief
    runner : TrialRunner
    name : str
        Name of this worker, unique in the search.
    own_process : bool, default=False
        Whether nothing else in this process uses Keras, so that Keras' global state of
        each trial (at least 2 MB) can be cleared.

    Returns
    -------
    n_trials : int
        Number of trials that ended here.
    """
    n_trials = 0
    while True:
        offer = chief.create_trial(name)
        if offer.status == "STOPPED":
            return n_trials
        if offer.status == "IDLE":
            time.sleep(IDLE_SECONDS)
            continue
        try:
            with TrialReporter(chief, name, offer.number, runner.plan) as reporter:
                outcome = runner.run(offer.values, reporter)
        except TrialAbandoned as error:
            logger.debug("trial %d is abandoned: %s", offer.number, error)
            continue
        finally:
            if own_process:
                keras.utils.clear_session()
        if chief.finish(name, outcome):
            n_trials += 1
