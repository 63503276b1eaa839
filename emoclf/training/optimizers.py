"""Optimizers by name."""

from __future__ import annotations

from typing import Any

from emoclf.settings import TrainSettings
from emoclf.training.safe_optimizers import (
    TABLE_NAMES,
    LazyAdam,
    LazyAdamW,
    SafeAdadelta,
    SafeRMSprop,
    SafeSGD,
)
from emoclf.training.schedules import learning_rate

MOMENTUM = 0.9
# Parts of the names of variables without weight decay: biases and scales do not
# overfit, and the vectors of rare words would decay to zero.
UNDECAYED_NAMES = (*TABLE_NAMES, "bias", "gamma", "beta")


def build_optimizer(settings: TrainSettings, *, steps_per_epoch: int) -> Any:
    """Build the optimizer that the settings describe.

    Parameters
    ----------
    settings : TrainSettings
        ``optimizer`` is one of "adam", "adamw", "rmsprop", "sgd", "momentum" (SGD with
        a momentum of 0.9) and "adadelta".
    steps_per_epoch : int >= 1

    Returns
    -------
    optimizer : keras.optimizers.Optimizer
    """
    common: dict[str, Any] = {
        "embedding_rate": settings.embedding_rate,
        "clip_norm": settings.clip_norm,
        "ema": settings.ema,
    }
    kinds: dict[str, tuple[Any, dict[str, Any]]] = {
        "adam": (LazyAdam, {}),
        "adamw": (LazyAdamW, {"weight_decay": settings.weight_decay}),
        "rmsprop": (SafeRMSprop, {}),
        "sgd": (SafeSGD, {}),
        "momentum": (SafeSGD, {"momentum": MOMENTUM}),
        "adadelta": (SafeAdadelta, {}),
    }
    kind, options = kinds[settings.optimizer]
    optimizer = kind(learning_rate(settings, steps_per_epoch), **options, **common)
    if settings.optimizer == "adamw":
        optimizer.exclude_from_weight_decay(var_names=list(UNDECAYED_NAMES))
    return optimizer
