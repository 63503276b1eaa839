"""The search space: from keras-tuner's hyper-parameters to ordinary settings."""

from __future__ import annotations

from typing import Any

import keras_tuner

from emoclf.settings import RunSettings

# Zhang and Wallace (2015): look for the best single size first, then combine sizes
# near it. keras-tuner's choices are scalars, so a set of sizes is written "3-4-5".
KERNEL_SIZES = ("1", "3", "5", "7", "1-2", "1-2-3", "2-3-4", "3-4-5", "4-5-6", "6-7-8")
FILTERS = (50, 300, 50)
LEARNING_RATES = (2e-4, 5e-3)


def declare_space(settings: RunSettings) -> keras_tuner.HyperParameters:
    """Declare what is searched; the settings given are the defaults of the space.

    A default that is not in the space is added to it, so that a search never ends
    worse than no search.
    """
    hp = keras_tuner.HyperParameters()
    model, training = settings.model, settings.training
    searched = model.names()
    if "kernel_sizes" in searched:
        sizes = "-".join(map(str, model.kernel_sizes))
        choices = list(dict.fromkeys([*KERNEL_SIZES, sizes]))
        hp.Choice("kernel_sizes", choices, default=sizes, ordered=False)
    for name in ("filters", "units"):
        if name in searched:
            low, high, step = FILTERS
            width = getattr(model, name)
            widths = sorted({*range(low, high + 1, step), width})
            hp.Choice(name, widths, default=width, ordered=True)
    rate = training.rate
    low_rate, high_rate = LEARNING_RATES
    hp.Float(
        "learning_rate",
        min(low_rate, rate),
        max(high_rate, rate),
        sampling="log",
        default=rate,
    )
    return hp


def settings_for(
    settings: RunSettings, values: dict[str, Any], *, seed: int
) -> RunSettings:
    """Return the settings of one trial."""
    if "kernel_sizes" in values:
        sizes = tuple(int(size) for size in str(values["kernel_sizes"]).split("-"))
        values = {**values, "kernel_sizes": sizes}
    return settings.override(**{**values, "seed": seed})
