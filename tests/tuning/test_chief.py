"""The chief: which worker gets which trial, and what happens to lost ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_search import TABLES, tiny_plan

from emoclf.errors import SearchError
from emoclf.tuning.budget import Budget
from emoclf.tuning.chief.chief import Chief
from emoclf.tuning.chief.grpc_service import RemoteChief, serve
from emoclf.tuning.chief.strategies import new_oracle
from emoclf.tuning.folder import SearchFolder
from emoclf.tuning.plan import SearchPlan
from emoclf.tuning.results.outcome import Outcome, Repeat


def repeat(score: float) -> Repeat:
    return Repeat({"macro_f1": score}, 1, 1, (score,), 1.0)


@contextmanager
def new_chief(folder: Path, plan: SearchPlan, *, trials: int) -> Iterator[Chief]:
    """Give the chief of a search that has begun."""
    place = SearchFolder(folder)
    place.open(new=False)
    place.begin(plan, {})
    yield Chief(plan, place, new_oracle(plan, place, trials=trials))
    place.close()


@pytest.fixture
def chief(tmp_path: Path) -> Iterator[Chief]:
    """The chief of a search whose first trial is done."""
    with new_chief(tmp_path / "s", tiny_plan(), trials=1) as chief:
        first = chief.create_trial("first")
        assert chief.finish("first", Outcome(1, {}, "completed", (repeat(0.5),)))
        assert (first.number, chief.create_trial("first").status) == (1, "STOPPED")
        yield chief


def test_a_grid_has_the_same_numbers_whichever_worker_is_faster(
    tmp_path: Path,
) -> None:
    plan = tiny_plan({"filters": {"choices": [4, 8, 12, 16]}}, strategy="grid")
    with new_chief(tmp_path / "s", plan, trials=9) as chief:
        slow = chief.create_trial("slow")
        offers = [slow]
        while (offer := chief.create_trial("fast")).status == "RUNNING":
            offers.append(offer)
            outcome = Outcome(offer.number, {}, "completed", (repeat(0.5),))
            assert chief.finish("fast", outcome)
        assert offer.status == "IDLE"
        outcome = Outcome(slow.number, {}, "completed", (repeat(0.9),))
        assert chief.finish("slow", outcome)
        assert chief.create_trial("slow").status == "STOPPED"
    by_number = {offer.number: offer.values["filters"] for offer in offers}
    assert by_number == {1: 8, 2: 4, 3: 12, 4: 16}


def draw(folder: Path, plan: SearchPlan, *, trials: int) -> list[dict[str, Any]]:
    """Return the values of all trials of a search whose scores are made up."""
    with new_chief(folder, plan, trials=trials) as chief:
        while (offer := chief.create_trial("only")).status == "RUNNING":
            values = plan.space.decode(offer.values)
            score = values.get("filters", 0) / 100 + values.get("learning_rate", 0)
            repeats = (repeat(score),) * plan.repeats
            assert chief.finish(
                "only", Outcome(offer.number, values, "completed", repeats)
            )
        drawn = chief.oracle.trials.values()
        return [trial.hyperparameters.values for trial in drawn]


# A Gaussian process takes seconds for each trial after the first four.
BAYESIAN = pytest.param("bayesian", 5, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("strategy", "trials"), [("random", 7), ("grid", 7), ("hyperband", 7), BAYESIAN]
)
def test_every_strategy_begins_with_the_defaults_and_goes_on(
    strategy: str, trials: int, tmp_path: Path
) -> None:
    tables = {**TABLES, "dropout": {"choices": [0.1, 0.5]}}
    plan = tiny_plan(tables, strategy=strategy)
    whole = draw(tmp_path / "a", plan, trials=trials)
    assert whole[0]["filters"] == 8
    assert whole[0]["dropout"] == 0.5
    assert len(whole) == trials
    assert len(draw(tmp_path / "b", plan, trials=3)) == 3
    parts = draw(tmp_path / "b", plan, trials=trials)
    if strategy == "bayesian":
        # Its Gaussian process draws from a state that keras-tuner does not keep.
        assert parts[:3] == whole[:3]
    else:
        assert parts == whole


def test_a_grid_has_every_combination_once_and_ends(tmp_path: Path) -> None:
    tables = {
        "optimizer": {"choices": ["adam", "adamw"]},
        "weight_decay": {"choices": [0.01, 0.1], "when": {"optimizer": ["adamw"]}},
    }
    plan = tiny_plan(tables, strategy="grid")
    assert draw(tmp_path / "s", plan, trials=99) == [
        {"optimizer": "adam"},
        # The value of the settings was none of the choices, and is added.
        {"optimizer": "adamw", "weight_decay": 0.004},
        {"optimizer": "adamw", "weight_decay": 0.01},
        {"optimizer": "adamw", "weight_decay": 0.1},
    ]


def test_who_was_taken_for_dead_is_not_waited_for(chief: Chief) -> None:
    server, port = serve(chief, "127.0.0.1:0")
    address = f"127.0.0.1:{port}"
    chief.exhausted = False
    chief.oracle.max_trials = 3
    worker = RemoteChief(address, "slow")
    trial = worker.create_trial("slow")
    number = trial.number
    assert worker.report("slow", number).stop == ""
    chief.patience = 0.05
    time.sleep(0.1)
    chief.expire()
    assert not chief.running
    assert worker.report("slow", number).stop == "abandon"
    # Another one gets the same trial.
    again = RemoteChief(address, "quick").create_trial("quick")
    assert again == trial
    server.stop(grace=None)


def test_the_last_trial_is_not_lost_with_its_worker(chief: Chief) -> None:
    chief.oracle.max_trials = 2
    last = chief.create_trial("first")
    assert chief.create_trial("second").status == "IDLE"
    chief.lost("first", "it was killed")
    assert not chief.over
    again = chief.create_trial("second")
    assert (again.status, again.number) == ("RUNNING", last.number)


def test_after_a_failure_nobody_waits(
    chief: Chief, monkeypatch: pytest.MonkeyPatch
) -> None:
    """keras-tuner's locks stay locked when an error passes through them."""
    chief.oracle.max_trials = 9
    trial = chief.create_trial("first")

    def full(*args: Any) -> None:
        raise SearchError("Cannot write: No space left on device")

    monkeypatch.setattr(chief.oracle, "_write", full)
    with (
        ThreadPoolExecutor(1, "a") as pool,
        pytest.raises(SearchError, match="No space"),
    ):
        pool.submit(chief.create_trial, "second").result(timeout=20)
    number = trial.number
    outcome = Outcome(number, {}, "failed", reason="whatever")
    with ThreadPoolExecutor(1, "b") as pool:
        assert pool.submit(chief.finish, "first", outcome).result(timeout=20) is False
        assert pool.submit(chief.create_trial, "first").result(timeout=20).status == (
            "STOPPED"
        )
    assert chief.over


def test_a_trial_that_hangs_is_given_up(chief: Chief) -> None:
    chief.oracle.max_trials = 2
    chief.plan = replace(chief.plan, trial_seconds=0.01)
    chief.patience = 0.2
    trial = chief.create_trial("first")
    number = trial.number
    time.sleep(0.25)
    # It still talks.
    assert chief.report("first", number).stop == ""
    assert chief.expire() == ["first"]
    assert chief.outcomes[number].status == "failed"
    assert "and hung" in chief.outcomes[number].reason


def test_the_defaults_are_never_ended_early(tmp_path: Path) -> None:
    """Also where four others were complete before them."""
    plan = tiny_plan(prune=True, repeats=2)
    with new_chief(tmp_path / "s", plan, trials=9) as chief:
        workers = [f"w{number}" for number in range(7)]
        trials = {name: chief.create_trial(name) for name in workers}
        for name in workers[1:6]:
            number = trials[name].number
            good = tuple(repeat(0.9 + number / 1000 + i / 100) for i in range(2))
            assert chief.finish(name, Outcome(number, {}, "completed", good))
        assert chief.report("w6", 7, [repeat(0.1)]).stop == "prune"
        assert chief.report("w0", 1, [repeat(0.1)]).stop == ""
        # Only the first training is compared while it runs.
        assert chief.create_trial("w7").status == "RUNNING"
        assert chief.report("w7", 8, [repeat(0.91)], [0.0] * 5).stop == ""
        chief.create_trial("w8")
        assert chief.report("w8", 9, [], [0.0] * 5).stop == "prune"
        # Without pruning the same reports end nothing.
        chief.plan = replace(plan, prune=False)
        for name, number in (("w6", 7), ("w8", 9)):
            assert chief.report(name, number, [repeat(0.1)], [0.0]).stop == ""
            assert chief.report(name, number, [repeat(0.1)]).stop == ""
            assert chief.report(name, number, [], [0.0] * 5).stop == ""


def test_a_budget_is_checked() -> None:
    with pytest.raises(SearchError, match="an address for workers elsewhere"):
        Budget(workers=0)
