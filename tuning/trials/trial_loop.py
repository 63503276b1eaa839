"""The loop of a worker: ask for a trial, run it, tell how it ended."""

from __future__ import annotations

import logging
import time

import keras

from .trial import TrialRunner
from .watch import Abandoned, AnyChief, Watch

logger = logging.getLogger("emoclf.tuning")

#: Seconds until a worker without a trial asks again.
IDLE = 0.5


def work(
    chief: AnyChief, runner: TrialRunner, name: str, *, alone: bool = False
) -> int:
    """Run trials until there are none.

    Parameters
    ----------
    chief : AnyChief
    runner : TrialRunner
    name : str
        Of this worker; no two of a search share one.
    alone : bool, default=False
        Nothing else in this process uses Keras, so that what Keras keeps of a trial
        (2 MB at least) can be let go.

    Returns
    -------
    n_trials : int
        That were run to their end here.
    """
    ended = 0
    while True:
        trial = chief.create_trial(name)
        if trial.status == "STOPPED":
            return ended
        if trial.status == "IDLE":
            time.sleep(IDLE)
            continue
        number = int(trial.trial_id) + 1
        values = dict(trial.hyperparameters.values)
        seconds = runner.plan.trial_seconds
        try:
            with Watch(chief, name, number, seconds=seconds) as watch:
                outcome = runner.run(values, watch)
        except Abandoned as error:
            logger.debug("trial %d is left: %s", number, error)
            continue
        finally:
            if alone:
                keras.utils.clear_session()
        if chief.finish(name, outcome):
            ended += 1
