"""Importances show what matters, and claim nothing where nothing does."""

from __future__ import annotations

import numpy as np
import pytest
from outcomes import flat, hill, outcome, random_search

from emoclf.tuning.results import importance
from emoclf.tuning.results.importance import importances, varying_settings
from emoclf.tuning.results.objective import Objective
from emoclf.tuning.results.outcome import PRUNED

F1, LOSS = Objective("macro_f1"), Objective("log_loss")


def mixed(values: dict) -> float:
    """Score by the optimizer, and by whether one list of sizes is taken."""
    return (
        0.7
        - 0.1 * (values["optimizer"] == "adamw")
        - 0.05 * (values["kernel_sizes"] == [3, 4, 5])
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("objective", "seed"), [(F1, 0), (LOSS, 1)], ids=["macro_f1", "log_loss"]
)
def test_the_setting_that_matters_stands_apart(objective: Objective, seed: int) -> None:
    found = importances(random_search(40, hill, seed=seed), objective)
    first, *others = found
    assert first.name == "learning_rate"
    assert first.visible
    assert first.low > max(one.high for one in others)
    assert first.value > 0.5
    assert all(one.low <= one.value <= one.high for one in found)


@pytest.mark.slow
def test_choices_and_lists_count_as_one_setting_each() -> None:
    found = importances(random_search(60, mixed, seed=1), F1)
    assert [one.name for one in found][:2] == ["optimizer", "kernel_sizes"]
    assert len(found) == 4
    # Shares of a sum of two effects: 0.1² · 2/9 against 0.05² · 3/16.
    assert found[0].value == pytest.approx(0.8, abs=0.25)


@pytest.mark.slow
def test_nothing_is_claimed_where_nothing_matters() -> None:
    """Of four settings in 40 such searches two were claimed; here none or one."""
    claims = sum(
        one.visible
        for seed in range(6)
        for one in importances(random_search(24, flat, seed=seed), F1, seed=seed)
    )
    assert claims <= 1


@pytest.mark.slow
def test_pruned_trials_count_and_an_easy_fold_does_not_lift_them() -> None:
    found = random_search(40, hill, seed=2, prune_below=0.65)
    n_pruned = sum(o.status == PRUNED for o in found)
    assert 8 < n_pruned < 30
    first, *others = importances(found, F1)
    assert first.name == "learning_rate"
    assert first.low > max(one.high for one in others)
    # The same search where every first fold is far easier says nearly the same.
    easier = [
        outcome(o.number, np.add(o.scores("macro_f1"), [0.3, 0, 0][: len(o.repeats)]),
                o.values, status=o.status)
        for o in found
    ]  # fmt: skip
    assert importances(easier, F1)[0].value == pytest.approx(first.value, abs=0.02)


def test_the_same_seed_gives_the_same_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "RESAMPLES", 5)
    found = random_search(12, hill)
    first, again, other = (importances(found, F1, seed=seed) for seed in (3, 3, 4))
    assert first == again != other


def test_there_is_nothing_to_say_of_few_or_equal_trials() -> None:
    assert importances(random_search(7, hill), F1) == []
    same = [outcome(n, [0.5, 0.6], {"filters": n}) for n in range(1, 12)]
    assert importances(same, F1) == []
    alike = [outcome(n, [0.5 + n / 100], {"filters": 5}) for n in range(1, 12)]
    assert importances(alike, F1) == []


@pytest.mark.slow
def test_a_setting_that_is_not_always_in_force_has_a_value_of_its_own() -> None:
    rng = np.random.default_rng(0)
    found = []
    for number in range(1, 41):
        values = {"filters": int(rng.integers(1, 9)), "patience": None}
        if number % 2:
            values["momentum"] = float(rng.uniform(0.8, 0.99))
        score = 0.7 + 0.1 * (number % 2) + rng.normal(0, 0.005)
        found.append(outcome(number, [score, score], values))
    assert varying_settings(found) == ["filters", "momentum"]
    first, second = importances(found, F1)
    assert (first.name, first.visible, second.visible) == ("momentum", True, False)
