"""keras-tuner's random search, made safe to kill and to resume."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.oracles import RandomSearchOracle

from emoclf.files import write_atomically


class SafeRandomOracle(RandomSearchOracle):
    """Draw trials at random; the defaults come first, and files appear whole.

    keras-tuner writes its state in place, so that a kill in the middle leaves half a
    file and a search that cannot be opened again.
    """

    def __init__(
        self,
        *,
        space: keras_tuner.HyperParameters,
        objective: keras_tuner.Objective,
        trials: int,
        seed: int,
    ) -> None:
        super().__init__(
            objective=objective,
            max_trials=trials,
            hyperparameters=space,
            allow_new_entries=False,
            tune_new_entries=False,
            # keras-tuner takes 0 for "draw a seed".
            seed=seed + 1,
            # A search goes on after failures; whether any trial succeeded is asked at
            # its end, with all the reasons.
            max_consecutive_failed_trials=trials + 1,
        )
        self.verbose = 0

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Answer the first trial with the defaults, and later ones at random."""
        if not self.start_order and not self.trials:
            values = {hp.name: hp.default for hp in self.hyperparameters.space}
            self._tried_so_far.add(self._compute_values_hash(values))
            return {"status": "RUNNING", "values": values}
        return super().populate_space(trial_id)

    def save(self) -> None:
        """Write the search's state, whole or not at all."""
        state = json.dumps(self.get_state())
        write_atomically(Path(self._get_oracle_fname()), state.encode())

    def reload(self) -> None:
        """Take up what was written before a stop.

        A trial that ``oracle.json`` does not know is drawn again, from the same state;
        one that had not ended runs again.
        """
        super().reload()
        known: dict[str, Any] = {i: self.trials[i] for i in self.start_order}
        self.trials: dict[str, Any] = known
        self.ongoing_trials: dict[str, Any] = {}
        self._retry_queue = [i for i in known if known[i].status == "RUNNING"]

    def _save_trial(self, trial: Any) -> None:
        folder = Path(self._get_trial_dir(trial.trial_id))
        folder.mkdir(parents=True, exist_ok=True)
        state = json.dumps(trial.get_state())
        write_atomically(folder / "trial.json", state.encode())
