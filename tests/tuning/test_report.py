"""The report of a search: text, CSV table, plots and TensorBoard."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from outcomes import flat, hill, noisy_scores, outcome, random_search
from tiny_search import tiny_plan

from emoclf.errors import SearchError
from emoclf.settings import RunSettings
from emoclf.tuning.plan import SearchPlan
from emoclf.tuning.report.formatting import (
    format_numbers,
    format_parameters,
    format_value,
)
from emoclf.tuning.report.search_plots import (
    plot_effects,
    plot_parallel,
    plot_scores,
    plot_time,
    save_plots,
)
from emoclf.tuning.report.search_report import (
    COSTS,
    FIRST_COLUMNS,
    range_hints,
    report_lines,
    write_results,
)
from emoclf.tuning.report.tensorboard_hparams import write_hparams
from emoclf.tuning.results import importance
from emoclf.tuning.results.noise import noise
from emoclf.tuning.results.objective import Objective
from emoclf.tuning.results.outcome import FAILED, OVER_LIMIT, PRUNED, Outcome
from emoclf.tuning.results.ranking import rank

F1, LOSS = Objective("macro_f1"), Objective("log_loss")


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importances have tests of their own; here it is the words that count."""
    monkeypatch.setattr(importance, "RESAMPLES", 15)


@pytest.fixture(scope="module")
def searched() -> list[Outcome]:
    """Return a search with every way to end, and one setting that never differs."""
    found = random_search(20, hill, seed=1, prune_below=0.62)
    for number in (5, 9):
        message = "OOM when allocating\n a tensor"
        found[number - 1] = lost(found[number - 1], FAILED, message)
    found[6] = lost(found[6], OVER_LIMIT, "3.2 MB, of at most 2 MB")
    return [replace(o, values={**o.values, "batch_size": 32}) for o in found]


def lost(o: Outcome, status: str, reason: str) -> Outcome:
    return replace(o, status=status, reason=reason, repeats=())


def plan_of(**fields) -> SearchPlan:
    """Return a plan without ranges, whose ends would be named as well."""
    return tiny_plan({"filters": {"choices": [4, 8]}}, **fields)


def told(outcomes, objective=F1, *, repeats=3, kind="folds") -> str:
    plan = plan_of(objective=objective, repeats=repeats, kind=kind)
    lines = report_lines(plan, outcomes)
    return " ".join(" ".join(lines).split())


def duel(gain: float, n: int = 4, sizes: tuple[int, int] = (100, 200)) -> list[Outcome]:
    """Make defaults, a trial that is better by ``gain``, and others below both."""
    rng = np.random.default_rng(0)
    means = np.array([0.7, 0.7, *np.full(n - 2, 0.6)])
    scores = noisy_scores(means, 5, rng)
    scores[1] += scores[0].mean() - scores[1].mean() + gain
    small, large = sizes
    return [
        outcome(i + 1, row, {"filters": i}, parameters=large if i == 1 else small)
        for i, row in enumerate(scores)
    ]


def test_the_table_is_best_first_and_says_once_what_all_share(searched) -> None:
    lines = report_lines(plan_of(repeats=3, kind="folds"), searched)
    head = next(n for n, line in enumerate(lines) if "macro-F1  param" in line)
    ranked = rank(searched, F1)
    assert [int(line[1:8]) for line in lines[head + 1 : head + 1 + len(ranked)]] == [
        o.number for o in ranked
    ]
    assert "learning_rate" in lines[head]
    assert sum("batch_size" in line for line in lines) == 1
    assert "In all trials: batch_size=32" in lines
    assert max(map(len, lines)) <= 100


def test_trials_without_a_result_say_why_once(searched) -> None:
    text = told(searched)
    assert text.count("OOM when allocating a tensor") == 1
    assert "OOM when allocating a tensor (2 times, trials 5, 9)" in text
    assert "1 trial over a limit: 3.2 MB, of at most 2 MB (trial 7)" in text
    n_pruned = sum(o.status == PRUNED for o in searched)
    assert n_pruned > 1
    assert f"{n_pruned} trials ended early" in text
    assert text.count("1 of 3") == n_pruned


def test_long_settings_wrap_and_long_values_are_cut() -> None:
    found = [
        outcome(n, [0.5, 0.6 + n / 100],
                {f"a_long_name_{i}": n + i for i in range(12)} | {"path": "x" * 300})
        for n in (1, 2, 3)
    ]  # fmt: skip
    found = [*found, outcome(4, [0.1, 0.2], {"path": "a b"})]
    lines = report_lines(plan_of(repeats=2, kind="seeds"), found)
    assert max(map(len, lines)) <= 100
    assert sum("a_long_name_11=" in line for line in lines) == 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([3, 4, 5], "3-4-5"),
        ([0.1, 0.2], "[0.1, 0.2]"),
        (0.00012345, "0.000123"),
        (300, "300"),
        (None, "None"),
        (True, "True"),
        ("", "''"),
        ("a" * 41, "a" * 39 + "…"),
    ],
)
def test_values_are_shown_briefly(value: object, text: str) -> None:
    assert format_value(value) == text


def test_sizes_are_in_thousands_and_millions() -> None:
    sizes = [None, 999, 1000, 999_499, 999_500, 1_234_567]
    assert [format_parameters(n) for n in sizes] == [
        "–",
        "999",
        "1 k",
        "999 k",
        "1.00 M",
        "1.23 M",
    ]


def test_many_numbers_are_cut() -> None:
    assert format_numbers([1, 2, 3], limit=3) == "1, 2, 3"
    assert format_numbers([1, 2, 3, 4], limit=2) == "1, 2 and 2 more"


def test_a_lead_within_noise_says_nothing() -> None:
    text = told(duel(0.001), repeats=5)
    assert "Trial 2 is the best" in text
    assert "Trial 1 is second, 0.0010 behind, which is within the noise" in text
    assert "their order means nothing" in text
    # The defaults are the smaller of the two.
    assert "The smallest of them is chosen: trial 1 (100 parameters)" in text
    assert "These are the defaults (trial 1): no trial beats them by more" in text


def test_a_lead_beyond_noise_is_a_gain() -> None:
    text = told(duel(0.1), repeats=5)
    assert "0.1000 behind, which is more than the noise" in text
    assert "No other trial is within one standard error" in text
    assert "It beats the defaults (trial 1): +0.1000 ±" in text
    assert "The score of the best of 4 trials is too optimistic" in text
    assert "Different seeds on one split" not in text


def test_a_gain_that_luck_explains_asks_for_proof() -> None:
    found = duel(0.0, n=30)
    margin = noise(found, F1, kind="folds")
    assert margin is not None
    text = told(duel(1.1 * margin.margin, n=30), repeats=5)
    assert "It is ahead of the defaults (trial 1) by" in text
    assert "the best of 30 equally good trials can gain" in text
    text = told(duel(0.9 * margin.margin, n=30), repeats=5)
    assert "It does not beat the defaults (trial 1) by more than the noise" in text


def test_unknown_noise_is_said_to_be_unknown() -> None:
    one = told([outcome(1, [0.6]), outcome(2, [0.7])], repeats=1, kind="seeds")
    assert "each trial has only one seed" in one
    assert "within the noise" not in one
    assert "Its gain over the defaults (trial 1) is +0.1000; how much" in one
    assert "Different seeds on one split show the noise of training only" in one
    alone = told([outcome(2, [0.6, 0.7])], repeats=2)
    assert "No other trial was completed" in alone
    assert "unknown until two trials are completed" in alone
    assert "It is unknown whether it beats the defaults (trial 1)" in alone
    assert "too optimistic" not in alone


def test_less_log_loss_is_better() -> None:
    text = told(duel(0.1), LOSS, repeats=5)
    assert "log loss, over 5 folds" in text
    assert "less is better" in text
    assert "It beats the defaults (trial 1): +0.1000" in text


def test_importances_are_told_or_why_not() -> None:
    text = told(random_search(30, hill))
    assert "Importance of the settings" in text
    assert text.index("learning_rate", text.index("Importance of")) < text.index(
        "not visible"
    )
    assert "influence is visible in 20 trials" in told(random_search(20, flat))
    assert "takes 8 trials with a score, and there are 4" in told(
        random_search(4, hill)
    )
    same = [outcome(n, [0.5, 0.6, 0.7], {"filters": n}) for n in range(1, 10)]
    assert "all trials have the same score" in told(same)
    alike = [outcome(n, [0.5, 0.6, n / 10], {"filters": 1}) for n in range(1, 10)]
    assert "no setting differs" in told(alike)


def test_without_a_completed_trial_there_is_no_verdict() -> None:
    assert told([]) == "There are no trials yet."
    text = told([outcome(1, [], status=FAILED, reason="no memory")])
    assert "No trial was completed" in text
    assert "no memory (trial 1)" in text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"filters": 300}, "filters=300 of the best trial is at the upper end"),
        ({"filters": 50}, "filters=50 of the best trial is at the lower end"),
        ({"filters": 200}, None),
        ({"learning_rate": 1.02e-4}, "at the lower end of its range (0.0001 to 0.01)"),
        # Near on a scale of sums, far on one of ratios.
        ({"learning_rate": 2e-4}, None),
        ({"learning_rate": 0.0099}, "at the upper end"),
        ({"dropout": 0.0}, None),
        ({"dropout": 0.5}, "dropout=0.5 of the best trial is at the upper end"),
        ({"filters": None}, None),
        ({"filters": 298}, "filters=298 of the best trial is at the upper end"),
    ],
)
def test_a_best_value_at_an_end_is_a_hint(values: dict, said: str | None) -> None:
    ranges = {"filters": (50, 300), "learning_rate": (1e-4, 1e-2), "dropout": (0, 0.5)}
    found = range_hints(outcome(1, [0.5], values), ranges)
    assert len(found) == (said is not None)
    if said:
        assert said in found[0]
        tables = {n: {"low": low, "high": high} for n, (low, high) in ranges.items()}
        inside = {"filters": 200, "learning_rate": 1e-3, "dropout": 0.1}
        plan = tiny_plan(tables, inside)
        assert found[0] in " ".join(report_lines(plan, [outcome(1, [0.5], values)]))


def test_the_csv_holds_every_trial(searched, tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    write_results(path, searched, F1)
    table = pd.read_csv(path).set_index("trial")
    assert table.index.tolist() == list(range(1, 21))
    best = rank(searched, F1)[0]
    row = table.loc[best.number]
    assert row["score"] == best.score("macro_f1") == row["macro_f1"]
    assert row["sd"] == best.spread("macro_f1")
    assert [row[f"score_{n}"] for n in (1, 2, 3)] == best.scores("macro_f1")
    assert row["log_loss"] == best.score("log_loss")
    assert json.loads(row["kernel_sizes"]) == best.values["kernel_sizes"]
    assert row["learning_rate"] == best.values["learning_rate"]
    assert table.loc[5, "status"] == "failed"
    assert table.loc[5, "reason"] == "OOM when allocating a tensor"
    assert np.isnan(table.loc[5, "score"])
    assert [p.name for p in tmp_path.iterdir()] == ["results.csv"]


def test_no_setting_has_the_name_of_another_column() -> None:
    fixed = {*FIRST_COLUMNS, *COSTS, "reason"}
    assert not fixed & set(RunSettings().flat())


def test_a_csv_without_trials_has_its_head(tmp_path: Path) -> None:
    write_results(tmp_path / "r.csv", [], F1)
    assert pd.read_csv(tmp_path / "r.csv").columns[0] == "trial"


@pytest.mark.parametrize("objective", [F1, LOSS], ids=lambda o: o.name)
def test_scores_and_the_best_so_far_are_drawn(searched, objective) -> None:
    from matplotlib import pyplot

    ax = plot_scores(searched, objective)
    labels = ax.get_legend_handles_labels()[1]
    assert labels == [
        "best so far", "failed or over a limit", "completed", "ended early"
    ]  # fmt: skip
    steps = next(line for line in ax.lines if line.get_label() == "best so far")
    gains = np.diff(steps.get_ydata()) * objective.sign
    assert (gains >= 0).all()
    best = rank(searched, objective)[0]
    assert steps.get_ydata()[-1] == pytest.approx(best.score(objective.name))
    lost_ones = next(li for li in ax.lines if li.get_label().startswith("failed"))
    assert list(lost_ones.get_xdata()) == [5, 7, 9]
    pyplot.close("all")


def test_effects_have_a_panel_each_and_ratios_where_wanted(searched) -> None:
    from matplotlib import pyplot

    axes = plot_effects(searched, F1)
    assert {ax.get_xlabel(): ax.get_xscale() for ax in axes} == {
        "learning_rate": "log",
        "filters": "linear",
        "kernel_sizes": "linear",
        "optimizer": "linear",
    }
    ticks = [tick.get_text() for tick in axes[3].get_xticklabels()]
    assert ticks == ["adam", "adamw", "sgd"]
    pyplot.close("all")


def test_the_front_is_what_nothing_faster_equals() -> None:
    from matplotlib import pyplot

    times = {1: (0.5, 10), 2: (0.7, 30), 3: (0.6, 40), 4: (0.8, 50), 5: (0.4, 10)}
    found = [
        outcome(number, [score], seconds=seconds)
        for number, (score, seconds) in times.items()
    ]
    ax = plot_time(found, F1)
    assert [text.get_text() for text in ax.texts] == ["1", "2", "4"]
    ax = plot_time(found, LOSS)
    assert [text.get_text() for text in ax.texts] == ["1", "2", "4"]
    pyplot.close("all")


def test_parallel_lines_end_at_the_score(searched) -> None:
    from matplotlib import pyplot

    ax = plot_parallel(searched, LOSS)
    ends = [line.get_ydata()[-1] for line in ax.lines if len(line.get_xdata()) == 5]
    n_scored = sum(bool(o.repeats) for o in searched)
    assert len(ends) == n_scored
    # The best is drawn last, above the others; in log loss it is the lowest.
    assert ends == sorted(ends, reverse=True)
    assert (ends[0], ends[-1]) == (1, 0)
    with pytest.raises(SearchError, match="No setting differs between 1 trials"):
        plot_parallel(searched[:1], F1)
    pyplot.close("all")


def test_the_chosen_trial_is_marked_and_not_the_best(searched) -> None:
    from matplotlib import pyplot

    trials = [o for o in rank(searched, F1) if o.status == "completed"]
    chosen = trials[1]
    panels = [
        (plot_scores(searched, F1, chosen=chosen.number), chosen.number),
        (plot_time(searched, F1, chosen=chosen.number), chosen.seconds),
        (plot_effects(searched, F1, chosen=chosen.number)[0], None),
    ]
    score = chosen.score("macro_f1")
    for ax, x in panels:
        (star,) = (line for line in ax.lines if line.get_label() == "chosen")
        assert list(star.get_ydata()) == [pytest.approx(score)]
        assert x is None or list(star.get_xdata()) == [x]
    ax = plot_parallel(searched, F1, chosen=chosen.number)
    (line,) = (line for line in ax.lines if line.get_label() == "chosen")
    low, high = (f([o.score("macro_f1") for o in searched if o.repeats])
                 for f in (min, max))  # fmt: skip
    assert line.get_ydata()[-1] == pytest.approx((score - low) / (high - low))
    pyplot.close("all")


def test_what_was_searched_by_ratios_is_drawn_so() -> None:
    from matplotlib import pyplot

    found = [outcome(n, [0.5 + n / 50], {"learning_rate": n / 1000})
             for n in range(1, 6)]  # fmt: skip
    (linear,) = plot_effects(found, F1)
    (ratios,) = plot_effects(found, F1, log=["learning_rate"])
    assert (linear.get_xscale(), ratios.get_xscale()) == ("linear", "log")
    # The middle of 1 and 5 by ratios is 2.2, so that 3 lies above it.
    for log, at in (([], 0.5), (["learning_rate"], np.log(3) / np.log(5))):
        ax = plot_parallel(found, F1, log=log)
        heights = sorted(x.get_ydata()[0] for x in ax.lines if len(x.get_ydata()) == 2
                         and list(x.get_xdata()) == [0, 1])  # fmt: skip
        assert heights[2] == pytest.approx(at)
    pyplot.close("all")


@pytest.mark.slow
def test_plots_are_saved_where_there_is_something_to_draw(searched, tmp_path) -> None:
    from matplotlib import pyplot

    paths = save_plots(searched, F1, tmp_path / "plots")
    assert [p.name for p in paths] == [
        "scores.png", "time.png", "effects.png", "parallel.png"
    ]  # fmt: skip
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in paths)
    assert len(save_plots(searched[:1], F1, tmp_path)) == 2
    assert save_plots([searched[4]], F1, tmp_path) == []
    odd = [
        outcome(n, [0.5 + n / 50], {"momentum": n / 20, "cell": "gru"} if n % 2 else {})
        for n in range(1, 20)
    ]
    assert len(save_plots(odd, F1, tmp_path)) == 4
    assert pyplot.get_fignums() == []


def test_tensorboard_reads_settings_and_figures(searched, tmp_path: Path) -> None:
    runs = write_hparams(searched, F1, tmp_path)
    again = write_hparams(searched, F1, tmp_path)
    assert runs == again == sorted(tmp_path.iterdir())
    assert [run.name for run in runs][:2] == ["trial-001", "trial-002"]
    best = rank(searched, F1)[0]
    settings, metrics = read_run(tmp_path / f"trial-{best.number:03d}")
    assert settings["kernel_sizes"] == format_value(best.values["kernel_sizes"])
    assert settings["learning_rate"] == best.values["learning_rate"]
    assert settings["status"] == "completed"
    assert metrics == {
        "macro_f1": pytest.approx(best.score("macro_f1")),
        "seconds": pytest.approx(best.seconds),
    }
    assert set(read_run(tmp_path / "trial-005")[1]) == {"seconds"}


def read_run(run: Path) -> tuple[dict, dict]:
    """Read settings and figures of the one event file of a run."""
    import tensorflow as tf
    from tensorboard.plugins.hparams import plugin_data_pb2
    from tensorflow.core.util import event_pb2

    (path,) = run.iterdir()
    settings, metrics = {}, {}
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        for value in event_pb2.Event.FromString(record).summary.value:
            plugin = value.metadata.plugin_data
            if plugin.plugin_name == "hparams":
                data = plugin_data_pb2.HParamsPluginData.FromString(plugin.content)
                for name, held in data.session_start_info.hparams.items():
                    settings[name] = getattr(held, held.WhichOneof("kind"))
            else:
                metrics[value.tag] = float(tf.make_ndarray(value.tensor))
    return settings, metrics
