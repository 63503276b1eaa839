"""keras-tuner's strategies, made safe to kill and to resume."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.oracles import (
    BayesianOptimizationOracle,
    HyperbandOracle,
    RandomSearchOracle,
)

from emoclf.errors import SearchError, setting
from emoclf.files import write_atomically

from ..folder import SearchFolder
from ..plan import SearchPlan
from ..trials.repeats import EPOCHS, trial_seed


class SafeOracle(keras_tuner.Oracle):
    """What is mended of every strategy.

    The first trial has the defaults. State appears whole or not at all (keras-tuner
    writes it in place, so that a kill leaves half a file and a search that cannot be
    opened again), and a trial that had not ended when the search was killed runs again
    under its own number.
    """

    def _random_values(self) -> dict[str, Any] | None:
        if not self.start_order and not self.trials:
            return self.default_values()
        return super()._random_values()

    def default_values(self) -> dict[str, Any]:
        """Return the values of the settings that were given."""
        found = keras_tuner.HyperParameters()
        for hp in self.hyperparameters.space:
            found.merge([hp])
            if found.is_active(hp):
                found.values[hp.name] = hp.default
        return dict(found.values)

    def save(self) -> None:
        """Write the state of the search, whole or not at all."""
        self._write(Path(self._get_oracle_fname()), self.get_state())

    def _save_trial(self, trial: Any) -> None:
        folder = Path(self._get_trial_dir(trial.trial_id))
        self._write(folder / "trial.json", trial.get_state())

    def _write(self, path: Path, state: dict[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_atomically(path, json.dumps(state).encode())
        except OSError as error:
            raise SearchError(
                f"Cannot write {path}: {error}. Make room, and the same command goes "
                "on."
            ) from error

    def reload(self) -> None:
        """Take up what was written before a stop.

        A trial that ``oracle.json`` does not know is drawn again, from the same state.
        """
        super().reload()
        self.trials: dict[str, Any] = {i: self.trials[i] for i in self.start_order}
        self.ongoing_trials: dict[str, Any] = {}
        running = [i for i in self.trials if self.trials[i].status == "RUNNING"]
        # The last one is taken first.
        self._retry_queue = running[::-1]

    def hand_back(self, trial_id: str) -> None:
        """Let another worker run a trial whose worker is gone."""
        self.ongoing_trials = {
            worker: trial
            for worker, trial in self.ongoing_trials.items()
            if trial.trial_id != trial_id
        }
        if trial_id not in self._retry_queue:
            self._retry_queue.append(trial_id)


class RandomSearch(SafeOracle, RandomSearchOracle):
    """Values at random, each one from its own seed."""


class Bayesian(SafeOracle, BayesianOptimizationOracle):
    """Values where a Gaussian process expects much, or knows little."""


class Hyperband(SafeOracle, HyperbandOracle):
    """Many short trainings, and longer ones for the best of them (Li et al., 2018).

    The defaults stand outside of its ladder and are trained to their end: whatever is
    found is compared with them.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the defaults, and then what the ladder asks for."""
        if self.start_order:
            return super().populate_space(trial_id)
        values = {**self.default_values(), EPOCHS: self.max_epochs}
        return {"status": "RUNNING", "values": values}


class Grid(SafeOracle):
    """All combinations, in the order of the space; the last setting changes first.

    keras-tuner's own grid orders trials by when others end, so that with several
    workers the same number would have other values in each run.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the next combination that was not tried."""
        if not self.trials:
            return {"status": "RUNNING", "values": self.default_values()}
        for values in self._combinations():
            if not self._duplicate(values):
                return {"status": "RUNNING", "values": values}
        return {"status": "STOPPED"}

    def _combinations(self) -> Iterator[dict[str, Any]]:
        space = self.hyperparameters.space
        for combination in itertools.product(*map(_values, space)):
            found = keras_tuner.HyperParameters()
            for hp, value in zip(space, combination, strict=True):
                found.merge([hp])
                if found.is_active(hp):
                    found.values[hp.name] = value
            yield dict(found.values)


def _values(hp: Any) -> list[Any]:
    """Return the values of a grid; keras-tuner takes ranges from a set."""
    values = list(hp.values)
    return sorted(values) if hasattr(hp, "min_value") else values


def new_oracle(plan: SearchPlan, folder: SearchFolder, *, trials: int) -> SafeOracle:
    """Return the strategy of a plan, with what it knew before a stop.

    Parameters
    ----------
    plan : SearchPlan
    folder : SearchFolder
    trials : int
        No more than so many are drawn, those before the stop counted.
    """
    space = plan.space.hyperparameters(plan.settings)
    common: dict[str, Any] = {
        "objective": keras_tuner.Objective(
            plan.objective.name, plan.objective.direction
        ),
        "hyperparameters": space,
        "allow_new_entries": False,
        "tune_new_entries": False,
        # keras-tuner counts its seed up with each value: neighbours would draw the
        # same trials. 0 means to it "draw a seed".
        "seed": trial_seed(plan.settings.seed) or 1,
        # A search goes on after failures; whether any trial succeeded is asked at its
        # end, with all the reasons.
        "max_consecutive_failed_trials": 10**9,
    }
    oracle: SafeOracle
    if plan.strategy == "hyperband":
        oracle = Hyperband(max_epochs=plan.settings.training.epochs, **common)
        oracle.max_trials = trials
    elif plan.strategy == "bayesian":
        # keras-tuner would draw three times as many before it begins to learn.
        first = len(space.space) + 1
        oracle = Bayesian(max_trials=trials, num_initial_points=first, **common)
    elif plan.strategy == "grid":
        oracle = Grid(max_trials=trials, **common)
    else:
        oracle = RandomSearch(max_trials=trials, **common)
    oracle.verbose = 0
    oracle._set_project_dir(str(folder.path), folder.oracle.name)
    if Path(oracle._get_oracle_fname()).is_file():
        try:
            oracle.reload()
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise SearchError(
                f"{folder.oracle} is damaged ({type(error).__name__}: {error}). "
                "Restore it from a copy, or start again with "
                f"{setting('new', True)}."
            ) from error
    return oracle
