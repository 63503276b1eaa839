"""The search strategies: keras-tuner's oracles, made safe to kill and to resume."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial
from keras_tuner.oracles import (
    BayesianOptimizationOracle,
    HyperbandOracle,
    RandomSearchOracle,
)

from emoclf.bundle.json_values import read_json
from emoclf.errors import SearchError, setting

from ..folder import SearchFolder, write_json
from ..plan import SearchPlan
from ..trials.folds_and_seeds import EPOCHS, trial_seed

STATE_FILE = "oracle.json"


class ResumableOracle(keras_tuner.Oracle):
    """Oracle whose first trial has the defaults, and that survives ``kill -9``.

    Its files are written atomically (keras-tuner overwrites them, so that a kill leaves
    half a file and a search that cannot be opened again). A trial that was running when
    the search was killed runs again under its own number.

    Parameters
    ----------
    folder : Path
        Folder for the state.
    options
        Options of keras-tuner's oracle.
    """

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(**options)
        self.folder = folder
        #: Trials that run again; the last one is taken first.
        self.waiting: list[str] = []
        self.verbose = 0

    def create_trial(self, tuner_id: str) -> Any:
        """Return a waiting trial, or else a new one."""
        if not self.waiting:
            return super().create_trial(tuner_id)
        trial = self.trials[self.waiting.pop()]
        trial.status = "RUNNING"
        self.ongoing_trials[tuner_id] = trial
        self.save()
        return trial

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the defaults first, and then the values of the strategy."""
        if not self.start_order:
            return {"status": "RUNNING", "values": self.default_values()}
        return super().populate_space(trial_id)

    def default_values(self) -> dict[str, Any]:
        """Return the values of the settings that were given."""
        return self._active({hp.name: hp.default for hp in self.hyperparameters.space})

    def _active(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values whose conditions hold."""
        hps = keras_tuner.HyperParameters()
        for hp in self.hyperparameters.space:
            hps.merge([hp])
            if hps.is_active(hp):
                hps.values[hp.name] = values[hp.name]
        return dict(hps.values)

    def close_trial(self, trial_id: str, score: float | None, reason: str) -> None:
        """End a trial; None means that it failed."""
        trial = self.get_trial(trial_id)
        if score is None:
            trial.status, trial.message = "FAILED", reason
        else:
            self.update_trial(trial_id, {self.objective.name: score})
            trial.status = "COMPLETED"
        self.end_trial(trial)

    def hand_back(self, trial_id: str) -> None:
        """Let another worker run a trial."""
        self.ongoing_trials: dict[str, Any] = {
            worker: trial
            for worker, trial in self.ongoing_trials.items()
            if trial.trial_id != trial_id
        }
        if trial_id not in self.waiting:
            self.waiting.append(trial_id)

    def save(self) -> None:
        """Write the state of the strategy atomically."""
        self._write(self.folder / STATE_FILE, self.get_state())

    def _save_trial(self, trial: Any) -> None:
        path = self.folder / f"trial_{trial.trial_id}" / "trial.json"
        self._write(path, trial.get_state())

    def _write(self, path: Path, state: dict[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, state)

    def reload(self) -> None:
        """Read the state before a stop.

        A trial that is missing in ``oracle.json`` is drawn again, with the same values.
        """
        paths = self.folder.glob("trial_*/trial.json")
        trials = [Trial.from_state(read_json(path)) for path in paths]
        by_id = {trial.trial_id: trial for trial in trials}
        state = read_json(self.folder / STATE_FILE)
        self.set_state({**state, "ongoing_trials": {}, "retry_queue": []})
        self.trials: dict[str, Any] = {i: by_id[i] for i in self.start_order}
        running = [i for i in self.trials if self.trials[i].status == "RUNNING"]
        self.waiting = running[::-1]


class RandomSearch(ResumableOracle, RandomSearchOracle):
    """Random values, each with a seed of its own."""


class Bayesian(ResumableOracle, BayesianOptimizationOracle):
    """Values for which a Gaussian process expects a good or an uncertain score."""


class Hyperband(ResumableOracle, HyperbandOracle):
    """Many short trainings, and longer ones for the best of them (Li et al., 2018).

    The defaults are not part of its brackets and are trained to the end, because every
    result is compared with them.
    """

    def default_values(self) -> dict[str, Any]:
        """Return the defaults, with the maximum number of epochs."""
        return {**super().default_values(), EPOCHS: self.max_epochs}


class Grid(ResumableOracle):
    """All combinations, in the order of the space; the last setting changes first.

    keras-tuner's own grid search depends on the order in which trials end, so that with
    several workers the same number would have other values in each run.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the defaults first, and then the next new combination."""
        if not self.start_order:
            return {"status": "RUNNING", "values": self.default_values()}
        tried = [trial.hyperparameters.values for trial in self.trials.values()]
        for values in self._combinations():
            if values not in tried:
                return {"status": "RUNNING", "values": values}
        return {"status": "STOPPED"}

    def _combinations(self) -> Iterator[dict[str, Any]]:
        space = self.hyperparameters.space
        # keras-tuner gives the values of an Int or a Float in the order of a set.
        values = [
            sorted(hp.values) if hasattr(hp, "min_value") else hp.values for hp in space
        ]
        for combination in itertools.product(*values):
            names = (hp.name for hp in space)
            yield self._active(dict(zip(names, combination, strict=True)))


ORACLES: dict[str, Callable[..., ResumableOracle]] = {
    "random": RandomSearch,
    "grid": Grid,
    "bayesian": Bayesian,
    "hyperband": Hyperband,
}


def new_oracle(
    plan: SearchPlan, folder: SearchFolder, *, trials: int
) -> ResumableOracle:
    """Return the oracle of a plan, with its state before a stop.

    Parameters
    ----------
    plan : SearchPlan
    folder : SearchFolder
    trials : int
        Maximum number of trials, including those before the stop.
    """
    space = plan.space.hyperparameters(plan.settings)
    options: dict[str, Any] = {
        "folder": folder.oracle,
        "objective": keras_tuner.Objective(
            plan.objective.name, plan.objective.direction
        ),
        "hyperparameters": space,
        "allow_new_entries": False,
        "tune_new_entries": False,
        # keras-tuner increments its seed with each value, so that neighbouring seeds
        # would draw the same trials. It takes 0 for "no seed".
        "seed": trial_seed(plan.settings.seed) or 1,
        # A search continues after failures; finish() checks that a trial succeeded.
        "max_consecutive_failed_trials": 10**9,
    }
    if plan.strategy == "hyperband":
        options["max_epochs"] = plan.settings.training.epochs
    elif plan.strategy == "bayesian":
        # keras-tuner's default is three times as many random trials.
        options["num_initial_points"] = len(space.space) + 1
    oracle = ORACLES[plan.strategy](**options)
    # Set afterwards, because keras-tuner's Hyperband does not take it.
    oracle.max_trials = trials
    if (folder.oracle / STATE_FILE).is_file():
        try:
            oracle.reload()
        except Exception as error:
            # keras-tuner checks nothing of what it reads.
            raise SearchError(
                f"{folder.oracle} is damaged ({type(error).__name__}: {error}). "
                "Restore it from a copy, or start again with "
                f"{setting('new', True)}."
            ) from error
    return oracle
