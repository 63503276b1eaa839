"""Importance: how much the scores depend on each searched setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .objective import Objective
from .outcome import COMPLETED, Outcome
from .ranking import scored

MIN_TRIALS = 8
RESAMPLES = 50
TREES = 25
# Replacement values for each left-out trial and setting.
SWAPS = 16
INTERVAL = (5, 95)
# Not the value of any setting, and its repr never changes.
_MISSING = ...


@dataclass(frozen=True)
class Importance:
    """Share of the scores' variance that depends on one setting.

    Parameters
    ----------
    name : str
        Name of the setting.
    value : float
        About 0 where the setting does not matter, 1 where nothing else does. Shares of
        settings that interact overlap, so they can sum to more than 1; variance that no
        setting explains is in none of them. It can be below 0 by chance.
    low, high : float
        Interval that contains 90 % of the resampled searches.
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

    A random forest is fitted on the scores of trials drawn with replacement (Efron's
    bootstrap) and evaluated on the trials that were not drawn, about 37 %, never on its
    training set: with a few dozen trials a forest memorizes its training set, and would
    find importance in pure noise. In the left-out trials one setting is replaced by
    values of other trials, and the growth of the squared error is measured (Breiman,
    2001, "Random Forests", Machine Learning 45). Half of that growth over the variance
    of the scores is Jansen's (1999) estimate of the setting's total effect,
    interactions included. The value is the mean over resamples, the interval their
    middle 90 %. Each resample is evaluated on a third of the trials only, so the
    interval is too wide rather than too narrow.

    Functional ANOVA (Hutter, Hoos and Leyton-Brown, 2014, "An efficient approach for
    assessing hyperparameter importance") decomposes the same forest exactly, but it
    describes the forest, right or wrong; left-out trials check it.

    Pruned trials count, because without them nothing is known of the bad regions. Their
    mean over few repeats is first corrected for the level of those repeats (an easy
    fold is easy for all trials), which the completed trials show.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Trials; failed ones have no score and are left out.
    objective : Objective
    seed : int, default=0
        Seed of the resampling; the same seed gives the same numbers.

    Returns
    -------
    importances : list of Importance
        Settings that differ between trials. Empty for fewer than 8 scored trials, for
        equal scores, and if no setting differs.
    """
    trials = scored(outcomes)
    names = varying_settings(trials)
    if len(trials) < MIN_TRIALS or not names:
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
    results = [
        Importance(name, float(value), float(low), float(high))
        for name, value, low, high in zip(
            names, shares.mean(0), lows, highs, strict=True
        )
    ]
    return sorted(results, key=lambda result: -result.value)


def varying_settings(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the settings that differ between trials, in order of appearance.

    A conditional setting that only some trials have differs, too.
    """
    names = dict.fromkeys(name for o in outcomes for name in o.values)
    return [
        name
        for name in names
        if len({repr(o.values.get(name, _MISSING)) for o in outcomes}) > 1
    ]


def _levelled_scores(trials: Sequence[Outcome], objective: Objective) -> np.ndarray:
    """Return each trial's mean score, corrected for the levels of its repeats."""
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
    """Return the values of a setting as a column of numbers.

    Values that are not numbers (lists, texts, booleans, None, missing) get numbers
    below all others, in the order of their texts, so that ``[3, 4, 5]`` is next to
    ``[3, 4, 5, 6]``.
    """
    numbers = [v for v in values if is_number(v)]
    order = sorted({repr(v) for v in values if not is_number(v)})
    below = min(numbers, default=0.0)
    codes = {text: below - len(order) + index for index, text in enumerate(order)}
    return np.array(
        [float(v) if is_number(v) else codes[repr(v)] for v in values], dtype=float
    )


def is_number(value: Any) -> bool:
    """Return whether a value is a number; True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shares(X: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the growth of the left-out trials' squared error for each setting."""
    from sklearn.ensemble import RandomForestRegressor

    n, n_names = X.shape
    drawn = rng.integers(n, size=n)
    left_out = np.setdiff1d(np.arange(n), drawn)
    if not len(left_out):
        # Every trial was drawn, which is rare, and none is left to evaluate on.
        return np.zeros(n_names)
    forest = RandomForestRegressor(
        TREES, min_samples_leaf=2, random_state=int(rng.integers(2**31))
    )
    forest.fit(X[drawn], y[drawn])
    rows = np.repeat(left_out, SWAPS)
    swapped = np.repeat(X[rows][None], n_names, axis=0)
    for index in range(n_names):
        swapped[index, :, index] = X[rng.integers(n, size=len(rows)), index]
    # One call for all rows, because each call is slow.
    rows_to_predict = np.concatenate([swapped.reshape(-1, n_names), X[left_out]])
    predicted = forest.predict(rows_to_predict)
    after, before = predicted[: -len(left_out)], predicted[-len(left_out) :]
    errors = (after.reshape(n_names, -1) - y[rows]) ** 2
    return errors.mean(1) - np.mean((before - y[left_out]) ** 2)
