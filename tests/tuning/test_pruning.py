"""The rules by which trials end early."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_search import run, tiny_plan

from emoclf.tuning.results.objective import Objective
from emoclf.tuning.results.outcome import Outcome, Repeat
from emoclf.tuning.results.pruning import (
    FIRST_EPOCH,
    MIN_TRIALS,
    cannot_win,
    curves_at,
    extrapolated_score,
    is_hopeless,
)

F1 = Objective("macro_f1")


def outcome(number: int, scores: list[float], name: str = "macro_f1") -> Outcome:
    repeats = tuple(Repeat({name: s}, 1, 1, (s,), 1.0) for s in scores)
    return Outcome(number, {}, "completed", repeats)


def four(shift: float = 0.0) -> list[Outcome]:
    """Four trials over three folds; the third fold is an easy one for all."""
    rows = [
        [0.60, 0.61, 0.70],
        [0.58, 0.60, 0.67],
        [0.59, 0.58, 0.68],
        [0.5, 0.53, 0.6],
    ]
    return [outcome(i + 1, [x + shift for x in row]) for i, row in enumerate(rows)]


def test_far_behind_is_ended_and_near_is_not() -> None:
    said = cannot_win([0.40], four(), F1, repeats=3)
    assert said is not None
    assert "after 1 of 3 repeats it is 0.200 behind" in said
    assert cannot_win([0.59], four(), F1, repeats=3) is None
    assert cannot_win([0.65], four(), F1, repeats=3) is None
    # What would do after one fold does not after two.
    assert cannot_win([0.59, 0.57], four(), F1, repeats=3) is not None


def test_folds_are_compared_with_themselves() -> None:
    easy_first = [outcome(one.number, one.scores("macro_f1")[::-1]) for one in four()]
    # 0.66 is much on a hard fold, and little on the easy one.
    assert cannot_win([0.60], four(), F1, repeats=3) is None
    assert cannot_win([0.60], easy_first, F1, repeats=3) is not None


def test_less_is_better_for_a_loss() -> None:
    loss = Objective("log_loss")
    rows = [[1.0, 1.1], [1.05, 1.12], [1.2, 1.33], [1.3, 1.42]]
    outcomes = [outcome(i, row, "log_loss") for i, row in enumerate(rows)]
    assert cannot_win([3.0], outcomes, loss, repeats=2) is not None
    assert cannot_win([0.5], outcomes, loss, repeats=2) is None


def test_nobody_is_ended_before_enough_is_known() -> None:
    assert cannot_win([0.1], four()[: MIN_TRIALS - 1], F1, repeats=3) is None
    assert cannot_win([], four(), F1, repeats=3) is None
    assert cannot_win([0.1, 0.1, 0.1], four(), F1, repeats=3) is None
    # Trials that were ended early themselves say nothing of chance.
    short = [outcome(i, [0.6]) for i in range(9)]
    assert cannot_win([0.1], short, F1, repeats=3) is None


def test_who_would_have_won_is_rarely_ended() -> None:
    """Of trials that would be first in the end, about one in forty may be lost."""
    rng = np.random.default_rng(0)
    lost = winners = 0
    for _ in range(3000):
        folds = rng.normal(0, 0.02, 3)
        level = rng.normal(0.6, 0.01, (9, 1))
        table = level + folds + rng.normal(0, 0.01, (9, 3))
        known = [outcome(i, list(row)) for i, row in enumerate(table[:8])]
        new = table[8]
        if new.mean() <= table[:8].mean(1).max():
            continue
        winners += 1
        lost += any(
            cannot_win(list(new[:done]), known, F1, repeats=3) for done in (1, 2)
        )
    assert winners > 200
    assert lost / winners < 0.04


def test_what_was_ended_is_told_as_if_it_had_had_all_repeats() -> None:
    easy_first = [outcome(1, [0.70, 0.60, 0.60]), outcome(2, [0.66, 0.6, 0.6])]
    # 0.65 on the easy fold is worse than the best, whose mean is 0.633.
    assert extrapolated_score([0.65], easy_first, F1) == pytest.approx(
        0.6333 - 0.05, abs=1e-3
    )
    loss = Objective("log_loss")
    losses = [outcome(1, [1.0, 2.0], "log_loss")]
    assert extrapolated_score([1.5], losses, loss) == pytest.approx(2.0)
    assert extrapolated_score([0.4], [], F1) == 0.4


def test_a_training_below_three_quarters_of_the_others_is_hopeless() -> None:
    others = [[0.1, 0.3, 0.4, 0.5 + i / 100, 0.6] for i in range(4)]
    assert is_hopeless([0.1, 0.2, 0.3, 0.49], others, sign=1) is not None
    assert is_hopeless([0.1, 0.2, 0.3, 0.51], others, sign=1) is None
    # Its best counts, not its last.
    assert is_hopeless([0.1, 0.6, 0.3, 0.2], others, sign=1) is None
    assert is_hopeless([0.1] * (FIRST_EPOCH - 1), others, sign=1) is None
    assert is_hopeless([0.1] * 9, others[:3], sign=1) is None
    falling = [[-x for x in other] for other in others]
    said = is_hopeless([-0.1, -0.2, -0.3, -0.2], falling, sign=-1)
    assert said is not None
    assert "less than -0.50" in said


def test_trials_that_were_ended_count_as_far_as_they_came() -> None:
    def trained(status: str, *curves: tuple[float, ...]) -> Outcome:
        repeats = tuple(Repeat({}, 1, len(c), c, 1.0) for c in curves)
        return Outcome(1, {}, status, repeats)

    long, short, ended = (0.1, 0.2, 0.3), (0.4, 0.5), (0.0, 0.1)
    outcomes = [
        trained("completed", long, short),
        trained("pruned", long, ended),
        trained("pruned", ended),
        trained("failed"),
        trained("completed", short),
    ]
    assert curves_at(outcomes, epoch=2) == [long, long, ended, short]
    assert curves_at(outcomes, epoch=3) == [long, long, short]
    # A training that was over is at its best; one that was ended is not known.
    assert curves_at(outcomes, epoch=9) == [long, long, short]


@pytest.mark.slow
def test_a_hopeless_trial_is_ended_and_cannot_win(tmp_path: Path) -> None:
    """Four trials that learn, and one whose steps are far too small."""
    tables = {"learning_rate": {"choices": [0.02, 0.03, 0.04, 0.025, 1e-6]}}
    flat = {"epochs": FIRST_EPOCH + 1, "patience": FIRST_EPOCH + 1}
    plan = tiny_plan(tables, flat, strategy="grid", prune=True, repeats=2)
    found = run(tmp_path / "s", plan, trials=5, train_winner=False)
    last = found.outcomes[-1]
    assert last.values == {"learning_rate": 1e-6}
    assert last.status == "pruned"
    assert "three quarters of the trials" in last.reason
    assert last.repeats[0].epochs == FIRST_EPOCH
    assert last.number not in {one.number for one in found.choice.equals}
    assert not (tmp_path / "s" / "models" / "trial-0005.emoclf").exists()
