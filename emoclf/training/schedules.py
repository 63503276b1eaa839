"""Learning rates by name."""

from __future__ import annotations

from typing import Any

import keras

from emoclf.settings import TrainSettings

DECAY_FACTOR = 0.5
WARM_UP_SHARE = 0.1


def learning_rate(settings: TrainSettings, steps_per_epoch: int) -> Any:
    """Return the learning rate that the settings describe: a number or a schedule.

    Parameters
    ----------
    settings : TrainSettings
        ``schedule`` is one of: "constant"; "cosine", which rises over the first tenth
        of all steps and falls to zero along a cosine (Loshchilov and Hutter, 2017);
        "exponential", which halves the rate every two epochs; "plateau", which halves
        it when the monitored metric does not improve for two epochs.
    steps_per_epoch : int >= 1
    """
    rate, steps = settings.rate, settings.epochs * steps_per_epoch
    if settings.schedule == "cosine":
        warm_up = max(1, int(WARM_UP_SHARE * steps))
        return keras.optimizers.schedules.CosineDecay(
            0.0, max(1, steps - warm_up), warmup_target=rate, warmup_steps=warm_up
        )
    if settings.schedule == "exponential":
        return keras.optimizers.schedules.ExponentialDecay(
            rate, 2 * steps_per_epoch, DECAY_FACTOR
        )
    return rate


class PlateauRate(keras.callbacks.ReduceLROnPlateau):
    """Keras' ReduceLROnPlateau with a state that can be saved and restored."""

    def __init__(self, monitor: str, mode: str) -> None:
        super().__init__(
            monitor, factor=DECAY_FACTOR, patience=2, mode=mode, min_delta=0
        )

    def get_state(self) -> dict[str, Any]:
        """Return the state that a resumed training needs."""
        return {"best": self.best, "wait": self.wait}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of :meth:`get_state`."""
        self.best, self.wait = state["best"], state["wait"]
