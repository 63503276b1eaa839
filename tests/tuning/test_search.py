"""A search from beginning to end, in one process."""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny import tiny_dataset, tiny_split
from tiny_search import run, scores, tiny_plan
from warm_process import WarmProcess

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split, split_dataset
from emoclf.errors import DataError, ResumeError, SearchError
from emoclf.fingerprint import RUN_FILE
from emoclf.predictor import Predictor
from emoclf.tuning.budget import Budget
from emoclf.tuning.chief.chief import Chief
from emoclf.tuning.chief.strategies import new_oracle
from emoclf.tuning.finish import SearchResult, read_result, read_trials
from emoclf.tuning.folder import SearchFolder
from emoclf.tuning.limits import Limits
from emoclf.tuning.results.objective import Objective
from emoclf.tuning.results.outcome import Outcome
from emoclf.tuning.search import Listeners, search_settings, threads_in_use
from emoclf.tuning.trials import trial_runner as trial_module
from emoclf.tuning.trials.folds_and_seeds import final_parts, parts_of, trial_seed
from emoclf.tuning.trials.trial_runner import TrialRunner


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    """A search of three trials that nobody disturbed."""
    return run(tmp_path_factory.mktemp("calm") / "search", keep=2)


@pytest.fixture(scope="module")
def of_one_trial(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    """A search of one trial; tests change copies of it."""
    return run(tmp_path_factory.mktemp("one") / "search", trials=1)


@pytest.fixture
def copied(of_one_trial: SearchResult, tmp_path: Path) -> SearchResult:
    """A copy of the search of one trial, in the folder s."""
    folder = shutil.copytree(of_one_trial.folder, tmp_path / "s")
    path = folder / of_one_trial.path.name
    return replace(of_one_trial, folder=folder, path=path)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the trials that were really run."""
    numbers: list[int] = []
    real = TrialRunner.run

    def count(self: TrialRunner, values: Any, watch: Any) -> Outcome:
        numbers.append(watch.number)
        return real(self, values, watch)

    monkeypatch.setattr(TrialRunner, "run", count)
    return numbers


@pytest.mark.slow
def test_the_first_trial_has_the_settings_that_were_given(calm: SearchResult) -> None:
    assert [one.number for one in calm.outcomes] == [1, 2, 3]
    assert calm.outcomes[0].values == {"filters": 8, "learning_rate": 0.02}
    assert len({json.dumps(one.values) for one in calm.outcomes}) == 3
    for one in calm.outcomes:
        assert one.status == "completed"
        assert set(one.repeats[0].metrics) == {
            "accuracy", "macro_f1", "micro_f1", "log_loss"
        }  # fmt: skip
        assert 0.005 <= one.values["learning_rate"] <= 0.05


@pytest.mark.slow
def test_what_a_search_leaves(calm: SearchResult) -> None:
    predictor = Predictor.load(calm.path)
    metrics = predictor.bundle.metrics
    chosen = calm.choice.chosen
    assert metrics["search"]["chosen"]["number"] == chosen.number
    assert predictor.bundle.settings.model.filters == chosen.values["filters"]
    # Trained on training and validation part, a tenth of which chose the epoch.
    split = tiny_split()
    sizes = metrics["texts"]
    assert sizes["train"] + sizes["valid"] == len(split.train) + len(split.valid)
    assert sizes["train"] > len(split.train)
    assert sizes["test"] == len(split.test or ())
    assert calm.report is not None
    assert calm.report.network.part == "test"
    table = pd.read_csv(calm.folder / "results.csv")
    assert table["trial"].tolist() == [1, 2, 3]
    text = (calm.folder / "report.txt").read_text()
    assert "macro-F1" in text
    assert "TF-IDF" in text
    # What can be made again takes no room.
    assert not (calm.folder / ".inputs").exists()


def test_only_the_best_classifiers_stay_on_disk(calm: SearchResult) -> None:
    kept = sorted(path.name for path in (calm.folder / "models").iterdir())
    best = sorted(calm.outcomes, key=lambda one: -(one.score("macro_f1") or 0))
    assert kept == sorted(f"trial-{one.number:04}.emoclf" for one in best[:2])
    bundle = Predictor.load(calm.folder / "models" / kept[0]).bundle
    assert (
        bundle.metrics["search"]["values"]["filters"] == bundle.settings.model.filters
    )


@pytest.mark.slow
def test_the_same_seed_gives_the_same_search(
    calm: SearchResult, tmp_path: Path
) -> None:
    again = run(tmp_path / "a", trials=2, train_winner=False)
    assert scores(again.outcomes) == scores(calm.outcomes[:2])
    values = []
    for seed in (0, 9):
        place, plan = SearchFolder(tmp_path / f"{seed}"), tiny_plan(flat={"seed": seed})
        place.open(new=False)
        place.begin(plan, {})
        oracle = new_oracle(plan, place, trials=2)
        oracle.create_trial("first")
        values.append(oracle.create_trial("second").hyperparameters.values)
        place.close()
    assert values[0] == calm.outcomes[1].values != values[1]


@pytest.mark.slow
def test_a_finished_search_goes_on_with_new_trials_alone(
    calm: SearchResult, copied: SearchResult, calls: list[int]
) -> None:
    bundle = copied.path / "bundle.json"
    changed = bundle.stat().st_mtime_ns
    again = run(copied.folder, trials=1)
    assert again.outcomes == copied.outcomes
    assert again.report == copied.report
    # The winner is not trained again where nothing is new.
    assert bundle.stat().st_mtime_ns == changed
    assert again.looks == 1
    longer = run(copied.folder)
    assert calls == [2, 3]
    assert scores(longer.outcomes) == scores(calm.outcomes)
    assert longer.looks == 2
    assert "evaluated on the test set 2 times" in "\n".join(longer.evaluated_lines())


@pytest.mark.slow
def test_an_interrupted_search_goes_on(
    calm: SearchResult,
    tmp_path: Path,
    calls: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = trial_module.fit_prepared

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        trained = real(*args, **kwargs)
        ended = replace(trained.result, ended="interrupted")
        return replace(trained, result=ended) if len(calls) == 2 else trained

    with monkeypatch.context() as patched:
        patched.setattr(trial_module, "fit_prepared", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "s")
    assert calls == [1, 2]
    again = run(tmp_path / "s", train_winner=False)
    assert calls == [1, 2, 2, 3]
    assert scores(again.outcomes) == scores(calm.outcomes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"flat": {"batch_size": 4}},
            r"settings.training.batch_size was 8 and is now 4",
        ),
        ({"flat": {"seed": 3}}, r"settings.seed was 0 and is now 3"),
        ({"objective": Objective("accuracy")}, "objective was 'macro_f1' and is now"),
        ({"tables": {"filters": {"choices": [4, 8]}}}, "space.learning_rate"),
        ({"strategy": "grid"}, "strategy was 'random' and is now 'grid'"),
        ({"repeats": 2}, "repeats was 1 and is now 2"),
        ({"limits": Limits(parameters=10)}, "limits.parameters was None and is now 10"),
    ],
)
def test_another_search_is_refused_with_the_difference(
    calm: SearchResult, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ResumeError, match=said) as error:
        run(calm.folder, tiny_plan(**changes))
    assert "new=True" in str(error.value)


def test_another_number_of_threads_is_refused(calm: SearchResult) -> None:
    there = threads_in_use()
    assert calm.plan.threads == there
    with pytest.raises(ResumeError, match=f"threads was {there} and is now"):
        run(calm.folder, tiny_plan(threads=there + 1), workers=1)


def test_other_texts_are_refused(calm: SearchResult) -> None:
    split = tiny_split()
    fewer = replace(split, train=split.train.take(range(len(split.train) - 1)))
    with pytest.raises(ResumeError, match="train texts differ") as error:
        run(calm.folder, split=fewer)
    n = sum(map(len, split.parts().values()))
    assert f"Texts with their labels: 1 of {n} gone, 0 new. Use" in str(error.value)
    other = Dataset.from_lists(["a new one", *split.valid.texts[1:]],
                               split.valid.labels, source="mine.csv")  # fmt: skip
    with pytest.raises(ResumeError, match="valid texts differ") as error:
        run(calm.folder, split=replace(split, valid=other))
    said = f"1 of {n} gone, 1 new (first position 0 of mine.csv: 'a new one')"
    assert said in str(error.value)
    # In the order of their places, and the later ones of what was there before.
    train, valid = split.train, split.valid
    lines = tuple(range(2, 2 + len(train)))
    more = replace(train, texts=(*train.texts[:-1], train.texts[0]), lines=lines,
                   labels=(*train.labels[:-1], train.labels[0]), unit="line",
                   source="mine.csv")  # fmt: skip
    other = replace(valid, texts=("new", *valid.texts[1:]), unit="line",
                    lines=tuple(range(100, 100 + len(valid))),
                    source="mine.csv")  # fmt: skip
    with pytest.raises(ResumeError) as error:
        run(calm.folder, split=replace(split, train=more, valid=other))
    first = f"(first line {lines[-1]} of mine.csv: {train.texts[0]!r})"
    assert f"2 of {n} gone, 2 new {first}" in str(error.value)
    turned = replace(train, texts=train.texts[::-1], labels=train.labels[::-1])
    with pytest.raises(ResumeError, match="The texts are the same, in another order"):
        run(calm.folder, split=replace(split, train=turned))
    with pytest.raises(ResumeError, match="test texts"):
        run(calm.folder, split=Split(split.train, split.valid))
    # What was refused has changed nothing.
    assert scores(run(calm.folder).outcomes) == scores(calm.outcomes)


def test_a_wrong_space_leaves_no_folder(tmp_path: Path) -> None:
    tables = {"embedding": {"choices": ["static", "non-static"]}}
    with pytest.raises(SearchError, match=r"\[embedding\]: embedding has no effect"):
        run(tmp_path / "s", tiny_plan(tables))
    assert not (tmp_path / "s").exists()


def read(folder: Path) -> SearchResult | None:
    """Read a search again."""
    place = SearchFolder(folder)
    return read_result(place, *read_trials(place))


@pytest.mark.slow
def test_a_finished_search_is_read_again(calm: SearchResult, tmp_path: Path) -> None:
    whole = tiny_split()
    split = Split(whole.train, whole.valid)
    untested = run(tmp_path / "s", trials=2, split=split, train_winner=False)
    for found in (calm, untested):
        again = read(found.folder)
        assert again is not None
        assert again.choice == found.choice
        assert again.looks == found.looks
        assert again.lines() == found.lines()
        assert again.evaluated_lines() == found.evaluated_lines()
    assert "The score on the test set, below," in " ".join(calm.lines())
    assert "Evaluate the chosen trial once on a test set" in " ".join(untested.lines())


@pytest.mark.slow
def test_a_winner_of_fewer_trials_is_not_shown_as_theirs(
    copied: SearchResult, tmp_path: Path
) -> None:
    second = replace(copied.outcomes[0], number=2)
    SearchFolder(copied.folder).write_outcome(second)
    assert read(copied.folder) is None
    with pytest.raises(SearchError, match="None of 1 trials was completed"):
        run(tmp_path / "t", tiny_plan(limits=Limits(parameters=1)), trials=1)
    assert read(tmp_path / "t") is None


@pytest.mark.slow
def test_a_search_that_cannot_begin_moves_no_other_away(copied: SearchResult) -> None:
    with pytest.raises(DataError, match=r"validation set of .* 500 folds"):
        run(copied.folder, tiny_plan(kind="folds", repeats=500), new=True)
    again = read(copied.folder)
    assert again is not None
    assert again.lines() == copied.lines()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"trials": "3"}, r"trials must be a whole number, an int. Got '3' \(str\)"),
        ({"seeds": 1.5}, "seeds must be a whole number, an int. Got 1.5"),
        ({"workers": True}, "workers must be a whole number, an int. Got True"),
        ({"space": ["filters"]}, r"space must be a Space, .* Got \['filters'\]"),
        ({"seconds": "1h"}, "seconds must be a number, an int or float. Got '1h'"),
    ],
)
def test_numbers_are_numbers(
    given: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(SearchError, match=message):
        search_settings(tiny_split(), folder=tmp_path / "s", **given)
    assert not (tmp_path / "s").exists()
    with pytest.raises(SearchError, match="parameters must be a whole number"):
        Limits(parameters="2M")  # type: ignore[arg-type]


def test_more_folds_than_texts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"too few for 500 folds\. Add texts, ask for f"
    ):
        run(tmp_path / "s", tiny_plan(kind="folds", repeats=500))


def test_a_folder_that_lost_its_description_is_left_alone(
    copied: SearchResult,
) -> None:
    (copied.folder / RUN_FILE).unlink()
    with pytest.raises(SearchError, match=r"has trials, but no run\.json"):
        run(copied.folder, trials=1)


@pytest.mark.slow
def test_a_new_search_moves_the_old_one_away(
    copied: SearchResult, tmp_path: Path
) -> None:
    again = run(copied.folder, tiny_plan(flat={"seed": 3}), trials=1, new=True)
    assert again.plan.settings.seed == 3
    away = SearchFolder(tmp_path / "s-1")
    assert scores(away.outcomes(away.plan())) == scores(copied.outcomes)
    assert Predictor.load(away.best).predict(["it was lovely"])


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(SearchError, match="not a folder of a search"):
        run(tmp_path / "mine")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(
        SearchError, match=r"cannot be used for a search .*Choose another"
    ):
        run(tmp_path / "file")
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine"


@pytest.mark.slow
def test_two_searches_in_one_folder_are_refused(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from emoclf.tuning.folder import SearchFolder\n"
        "folder = SearchFolder(sys.argv[1])\n"
        "folder.open(new=False)\n"
        "Path(sys.argv[2]).touch()\n"
        "time.sleep(600)\n"
    )
    opened = tmp_path / "opened"
    first = WarmProcess("-c", script, tmp_path / "s", opened)
    try:
        while first.poll() is None and not opened.exists():
            time.sleep(0.01)
        with pytest.raises(SearchError, match="Another process searches in"):
            run(tmp_path / "s", trials=1)
    finally:
        first.kill()
        first.wait()
    # Whoever is killed holds nothing.
    folder = SearchFolder(tmp_path / "s")
    folder.open(new=False)
    folder.close()


@pytest.mark.slow
def test_failed_trials_are_reported_as_failures(
    calm: SearchResult,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    real = trial_module.fit_prepared
    seen: list[int] = []

    def second_fails(*args: Any, **kwargs: Any) -> Any:
        seen.append(1)
        if len(seen) == 2:
            raise MemoryError("no room for 300 filters")
        return real(*args, **kwargs)

    monkeypatch.setattr(trial_module, "fit_prepared", second_fails)
    found = run(tmp_path / "s", train_winner=False)
    assert [one.status for one in found.outcomes] == [
        "completed", "failed", "completed"
    ]  # fmt: skip
    assert "no room for 300 filters" in found.outcomes[1].reason
    assert "no room for 300 filters" in "\n".join(found.lines())
    assert "Traceback" not in capfd.readouterr().err
    # One failure changes no other trial.
    assert scores(found.outcomes)[2] == scores(calm.outcomes)[2]


@pytest.mark.slow
def test_a_training_that_overflows_is_a_failed_trial(tmp_path: Path) -> None:
    wild = {"learning_rate": {"choices": [0.02, 1e30]}}
    plan = tiny_plan(wild, {"clip_norm": "none"}, strategy="grid")
    found = run(tmp_path / "s", plan, trials=2, train_winner=False)
    assert [one.status for one in found.outcomes] == ["completed", "failed"]
    assert "finite" in found.outcomes[1].reason
    assert found.choice.chosen.number == 1


@pytest.mark.slow
def test_when_all_trials_fail_so_does_the_search(tmp_path: Path) -> None:
    plan = tiny_plan(trial_seconds=1e-3)
    with pytest.raises(SearchError, match=r"None of 2 trials.*longer than 0.001 s"):
        run(tmp_path / "s", plan, trials=2)
    assert not (tmp_path / "s" / "best.emoclf").exists()
    table = pd.read_csv(tmp_path / "s" / "results.csv")
    assert table["status"].tolist() == ["failed", "failed"]


@pytest.mark.slow
def test_a_figure_that_is_no_number_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*args: Any, **kwargs: Any) -> Any:
        found = real(*args, **kwargs)
        return replace(found, log_loss=float("nan"))

    real = trial_module.evaluate_probabilities
    monkeypatch.setattr(trial_module, "evaluate_probabilities", nothing)
    with pytest.raises(SearchError, match="log_loss is nan, not a number"):
        run(tmp_path / "s", trials=1)


@pytest.mark.slow
def test_limits_hold_and_cost_no_training(tmp_path: Path, calls: list[int]) -> None:
    tables = {"filters": {"choices": [8, 64]}}
    plan = tiny_plan(tables, limits=Limits(parameters=900), strategy="grid")
    found = run(tmp_path / "s", plan, trials=2, train_winner=False)
    small, large = found.outcomes
    assert (small.values["filters"], large.values["filters"]) == (8, 64)
    assert large.status == "over-limit"
    assert "the limit is 900 weights" in large.reason
    assert not large.repeats
    assert small.status == "completed"
    assert 0 < (small.parameters or 0) <= 900


@pytest.mark.slow
def test_size_and_speed_of_the_folded_form_are_limits(tmp_path: Path) -> None:
    tables = {"dim": {"choices": [12, 400]}}
    limits = Limits(bytes=250_000, milliseconds=50.0)
    plan = tiny_plan(tables, limits=limits, strategy="grid")
    found = run(tmp_path / "s", plan, trials=2, train_winner=False)
    small, large = found.outcomes
    assert small.status == "completed"
    assert 0 < (small.milliseconds or 0) < 50
    assert 0 < (small.bytes or 0) < 250_000 < (large.bytes or 0)
    assert large.status == "over-limit"
    with pytest.raises(SearchError, match="must be above 0"):
        Limits(bytes=0)


@pytest.mark.slow
def test_when_time_is_up_the_best_so_far_is_taken(tmp_path: Path) -> None:
    ended: list[Chief] = []

    def first_ends_it(chief: Chief) -> None:
        def end(outcome: Outcome) -> None:
            chief.deadline = 0.0

        chief.listeners.ended = end
        ended.append(chief)

    found = run(
        tmp_path / "s",
        listeners=Listeners(begun=first_ends_it),
        seconds=600.0,
        train_winner=False,
    )
    assert [one.number for one in found.outcomes] == [1]
    assert found.choice.chosen.number == 1
    assert len(run(tmp_path / "s", trials=2, train_winner=False).outcomes) == 2


def test_a_search_without_any_time_says_so(tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="None of 0 trials was completed"):
        run(tmp_path / "s", seconds=1e-9)
    with pytest.raises(SearchError, match="seconds must be above 0"):
        Budget(seconds=0.0)
    with pytest.raises(SearchError, match="trials must be at least 1"):
        Budget(trials=0)
    with pytest.raises(SearchError, match="needs a worker here"):
        Budget(workers=0)
    with pytest.raises(SearchError, match="patience must be at least 15"):
        Budget(patience=3.0)


@pytest.mark.slow
def test_hyperband_gives_few_epochs_to_many(tmp_path: Path) -> None:
    plan = tiny_plan(flat={"epochs": 4, "patience": 4}, strategy="hyperband")
    # The last one trains the best of the first round again, for longer.
    found = run(tmp_path / "s", plan, trials=7, train_winner=False)
    epochs = [one.repeats[0].epochs for one in found.outcomes]
    assert min(epochs) < 4 == max(epochs)
    # Whatever is found is compared with the defaults: they are trained to their end.
    assert epochs == [4, 2, 2, 2, 2, 2, 4]
    for one in found.outcomes:
        wanted = "completed" if one.repeats[0].epochs == 4 else "pruned"
        assert one.status == wanted
    assert found.choice.chosen.repeats[0].epochs == 4


def test_folds_take_every_text_once_and_leave_the_test_part_alone() -> None:
    plan, split = tiny_plan(kind="folds", repeats=3), tiny_split()
    parts = parts_of(plan, split.train, split.valid)
    held = [text for part in parts for text in part.valid.texts]
    assert sorted(held) == sorted(split.train.texts + split.valid.texts)
    for part in parts:
        assert not {*part.train.texts} & {*part.valid.texts}
        counts = part.valid.counts().values()
        assert max(counts) - min(counts) <= 2
    assert split.test is not None
    assert not {*held} & {*split.test.texts}
    final = final_parts(plan, split.train, split.valid)
    assert len(final.train) + len(final.valid) == len(held)
    assert not {*final.train.texts} & {*final.valid.texts}
    # With seeds the two parts stay as they are.
    seeds = parts_of(tiny_plan(repeats=2), split.train, split.valid)
    assert [part.valid for part in seeds] == [split.valid] * 2


@pytest.mark.slow
def test_every_training_over_folds_has_a_seed_of_its_own(tmp_path: Path) -> None:
    """Also where a class has two rows."""
    data = tiny_dataset()
    texts = [*data.texts, "how strange", "it was odd"]
    rare = Dataset.from_lists(texts, [*data.labels, "odd", "odd"])
    plan = tiny_plan(flat={"epochs": 1}, kind="folds", repeats=2)
    split = split_dataset(rare, plan.settings.data)
    found = run(tmp_path / "s", plan, split=split, trials=2)
    assert Predictor.load(found.path).label_names[-1] == "odd"
    assert "over 2 folds" in "\n".join(found.lines())
    losses = [r.metrics["log_loss"] for one in found.outcomes for r in one.repeats]
    assert len({*losses}) == 4
    seeds = {trial_seed(0, number, repeat) for number in (1, 2) for repeat in (0, 1)}
    assert len(seeds) == 4
    kept = Predictor.load(tmp_path / "s" / "models" / "trial-0002.emoclf")
    assert kept.bundle.settings.seed == trial_seed(0, 2, 0)


@pytest.mark.slow
def test_the_short_way_in(tmp_path: Path) -> None:
    split = tiny_split()
    settings = tiny_plan().settings
    space = tmp_path / "space.toml"
    space.write_text("[filters]\nchoices = [4, 8]\n")
    # The same tables in a dictionary and in a file are one search.
    for trials, given in enumerate(({"filters": {"choices": [4, 8]}}, space), start=1):
        found = search_settings(
            split, settings, folder=tmp_path / "s", space=given, trials=trials, seeds=1
        )
        assert len(found.outcomes) == trials
    assert {one.values["filters"] for one in found.outcomes} == {4, 8}
    with pytest.raises(SearchError, match=r"'filtres'.* Did you mean 'filters'"):
        search_settings(
            split, folder=tmp_path / "t", space={"filtres": {"choices": [4]}}
        )
    with pytest.raises(SearchError, match="give one of them"):
        search_settings(split, settings, folder=tmp_path / "t", folds=3, seeds=2)
    with pytest.raises(SearchError, match="at least 2 folds"):
        search_settings(split, settings, folder=tmp_path / "t", folds=1)
    with pytest.raises(SearchError, match="Did you mean"):
        search_settings(split, settings, folder=tmp_path / "t", objective="macro-f1")
    with pytest.raises(SearchError, match="multilabel data"):
        search_settings(
            split, settings, folder=tmp_path / "t", objective="average_precision"
        )
    assert not (tmp_path / "t").exists()


@pytest.mark.slow
def test_damaged_files_are_named_and_trials_run_again(
    copied: SearchResult, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "s" / "oracle" / "oracle.json"
    whole = state.read_bytes()
    state.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SearchError, match="oracle is damaged"):
        run(tmp_path / "s")
    state.write_bytes(whole)
    outcome = tmp_path / "s" / "trials" / "0001.json"
    whole = outcome.read_bytes()
    digit = re.sub(rb'("macro_f1": 0\.)(\d)', rb"\g<1>9", whole)
    letter = whole.replace(b'"status"', b'"statvs"')
    for damage in (whole[:50], digit, letter, b"[]"):
        assert damage != whole
        outcome.write_bytes(damage)
        caplog.clear()
        with caplog.at_level("WARNING"):
            assert not SearchFolder(tmp_path / "s").outcomes(copied.plan)
        assert "0001.json is damaged" in caplog.text
        assert "Its trial is left out, and runs again" in caplog.text
    again = run(tmp_path / "s", trials=1, train_winner=False)
    assert scores(again.outcomes) == scores(copied.outcomes)


@pytest.mark.slow
def test_a_damaged_winner_is_named_and_trained_again(
    copied: SearchResult, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    figures = copied.path / "figures.json"
    figures.write_bytes(figures.read_bytes().replace(b"0", b"1", 1))
    with caplog.at_level("WARNING"):
        again = run(tmp_path / "s", trials=1)
    assert "The classifier of the winner cannot be read" in caplog.text
    assert "figures.json is damaged" in caplog.text
    assert again.report.network.macro_f1 == copied.report.network.macro_f1


def test_inputs_from_disk_are_those_that_were_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emoclf.tuning.trials import shared_inputs

    plan = tiny_plan(kind="folds", repeats=2)
    split = tiny_split()
    parts = parts_of(plan, split.train, split.valid)
    made = shared_inputs.SharedInputs(parts, tmp_path / "i").prepared(1, plan.settings)
    with monkeypatch.context() as patched:
        patched.setattr(shared_inputs, "encode_parts", None)
        read = shared_inputs.SharedInputs(parts, tmp_path / "i").prepared(
            1, plan.settings
        )
    np.testing.assert_array_equal(read.matrix, made.matrix)
    for part in ("train", "valid"):
        ours, theirs = getattr(read, part), getattr(made, part)
        assert [ids.tolist() for ids in ours.token_ids] == [
            ids.tolist() for ids in theirs.token_ids
        ]
        np.testing.assert_array_equal(ours.targets, theirs.targets)
    assert read.encoder.encode(["it was lovely"])[0].tolist() == (
        made.encoder.encode(["it was lovely"])[0].tolist()
    )
    # Other text settings, other texts and another seed are other inputs.
    other = plan.settings.override(max_size=3)
    shorter = shared_inputs.SharedInputs(parts, tmp_path / "i").prepared(1, other)
    assert len(shorter.encoder.vocabulary) < len(made.encoder.vocabulary)
    seeded = shared_inputs.SharedInputs(parts, tmp_path / "i").prepared(
        1, plan.settings.override(seed=5)
    )
    assert not np.array_equal(seeded.matrix, made.matrix)
    # Cut short, as by a power cut: made again.
    for path in (tmp_path / "i").glob("*/arrays.npz"):
        path.write_bytes(path.read_bytes()[:100])
    mended = shared_inputs.SharedInputs(parts, tmp_path / "i").prepared(
        1, plan.settings
    )
    assert len(mended.train) == len(made.train)
