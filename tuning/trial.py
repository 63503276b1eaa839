"""One trial: train, score on the validation part, keep the best classifier."""

from __future__ import annotations

import gc
import hashlib
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras_tuner

from emoclf.bundle import Bundle
from emoclf.bundle_folder import read_figures, save_bundle
from emoclf.datasets.dataset import Dataset
from emoclf.inputs import Prepared
from emoclf.pipeline import fit_prepared
from emoclf.settings import RunSettings

from .result import short, sign
from .space import settings_for

logger = logging.getLogger("emoclf.tuning")

BEST = "best.emoclf"


class TrialLoop(keras_tuner.Tuner):
    """keras-tuner's loop around one function of ours."""

    def __init__(self, oracle: Any, folder: Path, trial: Callable[..., float]) -> None:
        self._trial = trial
        self._reason: str | None = None
        super().__init__(oracle=oracle, directory=str(folder), project_name="trials")
        # keras-tuner reloads only beside a file of its own, and says so on standard
        # output.
        if Path(oracle._get_oracle_fname()).is_file():
            oracle.reload()

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        number, values = int(trial.trial_id), dict(trial.hyperparameters.values)
        try:
            score = self._trial(number, values)
            self._reason = None
            if not math.isfinite(score):
                self._reason = f"the score is {score}, not a number"
        except Exception as error:
            # Caught here, since keras-tuner prints the traceback of every failure.
            self._reason = f"{type(error).__name__}: {error}"
            logger.debug("trial %d", number + 1, exc_info=True)
            score = math.nan
        finally:
            # Keras' models hold themselves in circles; a search makes many.
            gc.collect()
        objective = self.oracle.objective
        if self._reason is not None:
            logger.warning("trial %d failed: %s", number + 1, self._reason)
            # keras-tuner wants a number that it can compare; on_trial_end fails it.
            score = math.inf if objective.direction == "min" else -math.inf
        return {objective.name: score}

    # The bundles are the models; keras-tuner keeps none.
    def save_model(self, trial_id: str, model: Any, step: int = 0) -> None:
        """Keep nothing."""

    def on_trial_end(self, trial: Any) -> None:
        """Tell the oracle how it went."""
        if self._reason is not None:
            trial.status, trial.message = "INVALID", self._reason
        self.oracle.end_trial(trial)


class TrialRunner:
    """Train one trial; keep its classifier if none was better."""

    def __init__(
        self, train: Dataset, settings: RunSettings, prepared: Prepared, root: Path
    ) -> None:
        self.train = train
        self.settings = settings
        # Vocabulary, ids and matrix are the same for all trials.
        self.prepared = prepared
        self.root = root

    def __call__(self, number: int, values: dict[str, Any]) -> float:
        own = settings_for(
            self.settings, values, seed=trial_seed(self.settings.seed, number)
        )
        trained = fit_prepared(self.prepared, self.train, own)
        result = trained.result
        if result.ended == "interrupted":
            # Half a trial is no trial, and who interrupts means the search.
            raise KeyboardInterrupt
        score = result.history[f"val_{own.training.monitor}"][result.best_epoch - 1]
        logger.info(
            "trial %d: validation %s %.4f after %d epochs (%.0f s): %s",
            number + 1,
            own.training.monitor,
            score,
            result.epochs,
            result.seconds,
            "  ".join(f"{name}={short(value)}" for name, value in values.items()),
        )
        found = {"trial": number + 1, "score": score, "values": values}
        figures = {**trained.bundle.figures, "search": found}
        self._keep_if_best(replace(trained.bundle, figures=figures), score)
        return score

    def _keep_if_best(self, bundle: Bundle, score: float) -> None:
        """Save before the score is written down: a killed trial runs again."""
        path, better = self.root / BEST, sign(self.settings.training.monitor)
        before = read_figures(path)["search"] if path.exists() else None
        if before is not None:
            gain = better * (score - before["score"])
            again = before["trial"] == bundle.figures["search"]["trial"]
            if gain < 0 or (gain == 0 and not again):
                return
        save_bundle(bundle, path, overwrite=True)


def trial_seed(seed: int, number: int) -> int:
    """Derive the seed of a trial from the search's seed and the trial's number."""
    text = f"{seed} {number}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "little")
