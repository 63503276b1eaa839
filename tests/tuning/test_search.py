"""A search that can be stopped, resumed, and believed about its failures."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tiny import tiny_settings, tiny_split

from emoclf.errors import ResumeError, SearchError
from emoclf.predictor import Predictor
from emoclf.tuning import trial as trial_module
from emoclf.tuning.search import search
from emoclf.tuning.space import declare_space, settings_for
from emoclf.tuning.trial import TrialRunner, trial_seed

SPLIT = tiny_split()
SETTINGS = tiny_settings(epochs=2)


def run(folder: Path, trials: int = 3, **flat: object):
    settings = tiny_settings(epochs=2, **flat)
    return search(SPLIT.train, SPLIT.valid, settings, folder=folder, trials=trials)


def test_the_defaults_come_first_and_the_best_is_kept(tmp_path: Path) -> None:
    found = run(tmp_path / "search")
    assert len(found.trials) == 3
    assert found.trials[0].values["filters"] == 8
    assert found.trials[0].values["kernel_sizes"] == "1-2"
    assert found.best.score == max(trial.score for trial in found.trials)
    bundle = Predictor.load(found.path).bundle
    assert bundle.figures["search"]["trial"] == found.best.number
    assert bundle.figures["search"]["score"] == found.best.score
    table = pd.read_csv(tmp_path / "search" / "results.csv")
    assert table["trial"].tolist() == [1, 2, 3]
    assert "validation macro_f1" in found.lines()[0]


def test_the_same_seed_gives_the_same_search(tmp_path: Path) -> None:
    first, second = run(tmp_path / "a"), run(tmp_path / "b")
    assert first.trials == second.trials
    other = run(tmp_path / "c", seed=9)
    assert [t.values for t in other.trials[1:]] != [t.values for t in first.trials[1:]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the trials that were really run."""
    numbers: list[int] = []
    real = TrialRunner.__call__

    def count(self: TrialRunner, number: int, values: dict) -> float:
        numbers.append(number)
        return real(self, number, values)

    monkeypatch.setattr(TrialRunner, "__call__", count)
    return numbers


def test_a_finished_search_goes_on_with_new_trials_alone(
    tmp_path: Path, calls: list[int]
) -> None:
    first = run(tmp_path / "s", trials=2)
    assert run(tmp_path / "s", trials=2).trials == first.trials
    assert calls == [0, 1]
    longer = run(tmp_path / "s", trials=11)
    assert calls == list(range(11))
    assert longer.trials[:2] == first.trials
    assert [trial.number for trial in longer.trials] == list(range(1, 12))


def test_an_interrupted_search_stops_and_goes_on(
    tmp_path: Path, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = run(tmp_path / "calm")
    calls.clear()
    real = trial_module.fit_prepared

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        trained = real(*args, **kwargs)
        ended = replace(trained.result, ended="interrupted")
        return replace(trained, result=ended) if len(calls) == 2 else trained

    with monkeypatch.context() as patched:
        patched.setattr(trial_module, "fit_prepared", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "s")
    assert calls == [0, 1]
    again = run(tmp_path / "s")
    assert calls == [0, 1, 1, 2]
    assert again.trials == calm.trials


def test_another_search_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "s", trials=1)
    with pytest.raises(ResumeError, match=r"settings.training.batch_size was 8 and is"):
        run(tmp_path / "s", batch_size=4)
    with pytest.raises(ResumeError, match="training texts differs"):
        search(SPLIT.valid, SPLIT.valid, SETTINGS, folder=tmp_path / "s", trials=1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(SearchError, match="not a folder of a search"):
        run(tmp_path / "mine")


def test_failed_trials_are_reported_as_failures(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    real = TrialRunner.__call__

    def second_fails(self: TrialRunner, number: int, values: dict) -> float:
        if number == 1:
            raise MemoryError("no room for 300 filters")
        return real(self, number, values)

    monkeypatch.setattr(TrialRunner, "__call__", second_fails)
    found = run(tmp_path / "s")
    assert [trial.status for trial in found.trials] == [
        "completed",
        "failed",
        "completed",
    ]
    assert "no room for 300 filters" in found.trials[1].reason
    assert any("1 of 3 trials failed" in line for line in found.lines())
    assert "Traceback" not in capfd.readouterr().err


def test_when_all_trials_fail_so_does_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrialRunner, "__call__", lambda *_: float("nan"))
    with pytest.raises(SearchError, match=r"All 4 trials failed.*not a number"):
        run(tmp_path / "s", trials=4)


def test_values_become_ordinary_settings() -> None:
    space = declare_space(SETTINGS)
    own = settings_for(SETTINGS, dict(space.values), seed=3)
    assert own.model == SETTINGS.model
    assert own.training == SETTINGS.training
    assert own.seed == 3
    assert trial_seed(0, 1) != trial_seed(0, 2) != trial_seed(1, 2)


SEARCHER = """
import sys
sys.path.insert(0, sys.argv[2])
from test_search import run
run(sys.argv[1], trials=4)
"""


@pytest.mark.slow
def test_a_killed_search_ends_as_if_undisturbed(
    tmp_path: Path, calls: list[int]
) -> None:
    folder = tmp_path / "killed"
    for wanted in (1, 2):
        process = subprocess.Popen(
            [sys.executable, "-c", SEARCHER, str(folder), str(Path(__file__).parent)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": str(Path(__file__).parent.parent)},
        )
        while process.poll() is None:
            if len(list(folder.glob("trials/trial_*"))) > wanted:
                break
            time.sleep(0.01)
        time.sleep(0.3 * wanted)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.returncode == -signal.SIGKILL
    assert not calls
    killed = run(folder, trials=4)
    assert calls[-1] == 3
    assert 0 not in calls
    calm = run(tmp_path / "calm", trials=4)
    assert killed.trials == calm.trials
    assert killed.best == calm.best
