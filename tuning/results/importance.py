"""Which of the searched settings the scores depend on, as far as trials can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .objective import Objective
from .outcome import COMPLETED, Outcome
from .ranking import scored

FEWEST_TRIALS = 8
RESAMPLES = 50
TREES = 25
# Values that each left-out trial is tried with, for each setting.
SWAPS = 16
INTERVAL = (5, 95)
# No setting's value, and it has a repr that never changes.
_MISSING = ...


@dataclass(frozen=True)
class Importance:
    """What share of the scores' variation goes with one setting.

    Parameters
    ----------
    name : str
        The setting.
    value : float
        About 0 where it does not matter, 1 where nothing else does. Shares of settings
        that work together overlap, so they can sum to more than 1; what no setting
        explains is in none of them. Below 0 by chance.
    low, high : float
        90 % of resampled searches lie between.
    """

    name: str
    value: float
    low: float
    high: float

    @property
    def visible(self) -> bool:
        """Whether the trials show that the setting matters at all."""
        return self.low > 0


def importances(
    outcomes: Sequence[Outcome], objective: Objective, *, seed: int = 0
) -> list[Importance]:
    """Return how much the scores depend on each setting, the most important first.

    A random forest learns the scores of trials drawn with replacement (Efron's
    bootstrap) and is judged on the trials that were not drawn, about 37 %, never on its
    own: with a few dozen trials a forest knows by heart what it was fitted on, and
    would find importance in pure noise. On those trials one setting is replaced by
    values of other trials, and what matters is by how much the squared error grows
    (Breiman, 2001, "Random Forests", Machine Learning 45). Half of that growth over the
    scores' variance is Jansen's (1999) estimate of the setting's total effect,
    interactions included. The value is the mean over resamples, the interval their
    middle 90 %. Each resample judges on a third of the trials only, so the interval is
    wide rather than narrow: what it shows is there.

    Functional ANOVA (Hutter, Hoos and Leyton-Brown, 2014, "An efficient approach for
    assessing hyperparameter importance") takes the same forest apart exactly, but says
    what the forest believes, right or wrong; left-out trials say what holds.

    Pruned trials count: without them nothing would be known of the bad regions. Their
    mean over few repeats is first freed of those repeats' own level (an easy fold is
    easy for all), as the completed trials show it.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Failed trials have no score and are left out.
    objective : Objective
    seed : int, default=0
        The same seed gives the same figures.

    Returns
    -------
    found : list of Importance
        Only settings that differ between trials. Empty for fewer than 8 scored trials,
        for equal scores and where no setting differs.
    """
    trials = scored(outcomes)
    names = varied(trials)
    if len(trials) < FEWEST_TRIALS or not names:
        return []
    y = _levelled_scores(trials, objective)
    variance = float(y.var())
    if variance < 1e-18:
        return []
    X = np.column_stack([_encode([t.values.get(n, _MISSING) for t in trials])
                         for n in names])  # fmt: skip
    rng = np.random.default_rng(seed)
    shares = np.array([_shares(X, y, rng) for _ in range(RESAMPLES)]) / (2 * variance)
    lows, highs = np.percentile(shares, INTERVAL, axis=0)
    found = [
        Importance(name, float(value), float(low), float(high))
        for name, value, low, high in zip(
            names, shares.mean(0), lows, highs, strict=True
        )
    ]
    return sorted(found, key=lambda one: -one.value)


def varied(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the settings that differ between trials, in order of appearance.

    A setting that is in force in some trials only differs.
    """
    names = dict.fromkeys(name for o in outcomes for name in o.values)
    return [
        name
        for name in names
        if len({repr(o.values.get(name, _MISSING)) for o in outcomes}) > 1
    ]


def _levelled_scores(trials: Sequence[Outcome], objective: Objective) -> np.ndarray:
    """Return each trial's mean score, without the levels of the repeats it had."""
    complete = [t.scores(objective.name) for t in trials if t.status == COMPLETED]
    size = max(len(t.repeats) for t in trials)
    complete = [scores for scores in complete if len(scores) == size]
    levels = np.zeros(size)
    if complete:
        levels = np.mean(complete, axis=0) - np.mean(complete)
    return np.array(
        [np.mean(t.scores(objective.name) - levels[: len(t.repeats)]) for t in trials]
    )


def _encode(values: Sequence[Any]) -> np.ndarray:
    """Return a column of numbers; scale does not matter to trees, only order does.

    What is no number (lists, texts, switches, None, not in force) gets a number of its
    own below all numbers, in the order of its text, which puts ``[3, 4, 5]`` beside
    ``[3, 4, 5, 6]``.
    """
    numbers = [v for v in values if is_number(v)]
    order = sorted({repr(v) for v in values if not is_number(v)})
    below = min(numbers, default=0.0)
    codes = {text: below - len(order) + place for place, text in enumerate(order)}
    return np.array(
        [float(v) if is_number(v) else codes[repr(v)] for v in values], dtype=float
    )


def is_number(value: Any) -> bool:
    """Return whether a value has a place on a scale; True and False have none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shares(X: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return how much the squared error of left-out trials grows, per setting."""
    from sklearn.ensemble import RandomForestRegressor

    n, n_names = X.shape
    drawn = rng.integers(n, size=n)
    left_out = np.setdiff1d(np.arange(n), drawn)
    if not len(left_out):
        # One in millions for eight trials; it says nothing.
        return np.zeros(n_names)
    forest = RandomForestRegressor(
        TREES, min_samples_leaf=2, random_state=int(rng.integers(2**31))
    )
    forest.fit(X[drawn], y[drawn])
    rows = np.repeat(left_out, SWAPS)
    swapped = np.repeat(X[rows][None], n_names, axis=0)
    for place in range(n_names):
        swapped[place, :, place] = X[rng.integers(n, size=len(rows)), place]
    # One call for all, as calls are what costs.
    every = np.concatenate([swapped.reshape(-1, n_names), X[left_out]])
    predicted = forest.predict(every)
    after, before = predicted[: -len(left_out)], predicted[-len(left_out) :]
    errors = (after.reshape(n_names, -1) - y[rows]) ** 2
    return errors.mean(1) - np.mean((before - y[left_out]) ** 2)
