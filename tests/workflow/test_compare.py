"""Comparisons of networks: the table, the saved runs, and resuming.

Covers emoclf.workflow.compare, emoclf.evaluation.network_comparison,
emoclf.plots.network_plots and emoclf.cli.compare.
"""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tiny import tiny_dataset, tiny_settings, tiny_split
from warm_process import WarmProcess, run

from emoclf.cli import main
from emoclf.errors import ResumeError, SettingsError
from emoclf.evaluation.network_comparison import NetworkComparison, RunMetrics
from emoclf.workflow.compare import compare_networks
from emoclf.workflow.train import train_classifier

pytestmark = pytest.mark.slow

QUICK = {"epochs": 2, "filters": 4}


def networks(**flat: Any) -> dict[str, Any]:
    return {
        "text_cnn": tiny_settings(**{**QUICK, **flat}),
        "one filter": tiny_settings(**{**QUICK, "filters": 1, **flat}),
    }


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("a comparison") / "runs here"
    return folder, compare_networks(tiny_split(), networks(), seeds=2, folder=folder)


def test_baselines_come_first_and_each_seed_is_a_run(compared: Any) -> None:
    _, comparison = compared
    names = ["majority class", "TF-IDF + linear SVM", "text_cnn", "one filter"]
    assert comparison.names() == names
    assert comparison.part == "test"
    assert [run.seed for run in comparison.of("text_cnn")] == [0, 1]
    table = "\n".join(comparison.lines())
    assert "±" in table
    assert "under-fitting (" in table
    for one in comparison.runs:
        assert 0 <= one.macro_f1 <= 1
        assert one.texts_per_second > 0


def test_saved_runs_are_not_repeated(compared: Any) -> None:
    folder, comparison = compared
    files = {p: p.stat().st_mtime_ns for p in (folder / "runs").iterdir()}
    more = {**networks(), "two filters": tiny_settings(**{**QUICK, "filters": 2})}
    again = compare_networks(tiny_split(), more, seeds=2, folder=folder)
    for name in ("text_cnn", "one filter"):
        assert again.of(name) == comparison.of(name)
    assert len(again.of("two filters")) == 2
    assert {p: p.stat().st_mtime_ns for p in files} == files
    saved = json.loads((folder / "results.json").read_text())
    assert saved["table"] == again.lines()
    assert (folder / "report.txt").read_text().splitlines() == again.lines()


def test_other_settings_other_data_and_damage_are_refused(compared: Any) -> None:
    folder, _ = compared
    split = tiny_split()
    with pytest.raises(ResumeError, match="'text_cnn' with other settings"):
        compare_networks(split, networks(epochs=3), seeds=1, folder=folder)
    other = type(split)(train=split.valid, valid=split.train, test=split.test)
    with pytest.raises(ResumeError, match="train texts"):
        compare_networks(other, networks(), seeds=1, folder=folder)
    foreign = folder.parent / "foreign"
    foreign.mkdir()
    (foreign / "notes.txt").write_text("mine")
    with pytest.raises(ResumeError, match="not a folder of a comparison"):
        compare_networks(split, networks(), folder=foreign)
    with pytest.raises(SettingsError, match=r"one network and one seed\. Got 2 and 0"):
        compare_networks(split, networks(), seeds=0)


def test_a_damaged_run_is_named(tmp_path: Path) -> None:
    one = {"text_cnn": tiny_settings(**{**QUICK, "epochs": 1})}
    compare_networks(tiny_split(), one, seeds=1, folder=tmp_path / "c")
    (run,) = (tmp_path / "c" / "runs").iterdir()
    run.write_text(run.read_text()[:40])
    with pytest.raises(ResumeError, match=r"seed-0.json is damaged"):
        compare_networks(tiny_split(), one, seeds=1, folder=tmp_path / "c")


def test_one_that_diverges_is_a_row(tmp_path: Path) -> None:
    rows = {
        "bad": tiny_settings(learning_rate=1e30, clip_norm=None, max_norm=None),
        "good": tiny_settings(**QUICK),
    }
    folder = tmp_path / "c"
    found = compare_networks(tiny_split(), rows, seeds=1, folder=folder)
    assert found.of("bad")[0].findings == ("failed",)
    assert found.of("good")[0].accuracy is not None
    assert "bad: failed (1 of 1)" in found.lines()
    again = compare_networks(tiny_split(), rows, seeds=1, folder=folder)
    assert again.of("bad") == found.of("bad")


def test_a_row_is_what_the_same_training_gives(compared: Any) -> None:
    _, found = compared
    split, settings = tiny_split(), networks()["text_cnn"].replace(seed=1)
    alone = train_classifier(split.train, split.valid, settings)
    assert split.test is not None
    chosen = alone.predictor.predict_proba(split.test.texts).argmax(1)
    expected = (chosen == split.test.label_ids).mean()
    assert found.of("text_cnn")[1].accuracy == expected


def row(name: str, seed: int | None, **values: Any) -> RunMetrics:
    common: dict[str, Any] = {"accuracy": 0.5, "macro_f1": 0.4, "parameters": 1234}
    common |= {"epochs": 3, "seconds_per_epoch": 0.5, "seconds": 2.0}
    return RunMetrics(
        name=name, seed=seed, texts_per_second=1000.0, **{**common, **values}
    )


def test_the_table() -> None:
    runs = (
        row("majority class", None, parameters=None, epochs=None,
            seconds_per_epoch=None),
        row("text_cnn", 0, accuracy=0.6, findings=("dead-units",)),
        row("text_cnn", 1, accuracy=0.7),
    )  # fmt: skip
    lines = NetworkComparison("valid", 90, runs).lines()
    assert lines[0].startswith("On 90 validation texts, which also chose")
    by_name = [line for line in lines if line.startswith("text_cnn ")]
    assert "0.650 ± 0.071" in by_name[0]
    assert "1,234" in by_name[1]
    assert lines[-1] == "text_cnn: dead-units (1 of 2)"


def test_the_validation_set_ranks_and_the_test_set_is_beside_it() -> None:
    runs = (
        row("chosen", 0, valid_macro_f1=0.6, macro_f1=0.41),
        row("lucky on the test set", 0, valid_macro_f1=0.5, macro_f1=0.9),
        row("failed", 0, macro_f1=None, accuracy=None),
        row("best", 0, valid_macro_f1=0.7, macro_f1=0.3),
    )
    comparison = NetworkComparison("test", 90, runs)
    ranked = ["best", "chosen", "lucky on the test set", "failed"]
    assert comparison.ranked() == ranked
    lines = comparison.lines()
    assert max(map(len, lines)) <= 80
    place = next(i for i, line in enumerate(lines) if line.startswith("best"))
    assert lines[place].split()[-3:] == ["0.700", "0.300", "0.500"]
    assert [line.split("  ")[0] for line in lines[place : place + 4]] == ranked


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "some texts.csv"
    tiny = tiny_dataset()
    rows = [f"{text},{label}" for text, label in zip(tiny.texts, tiny.labels,
                                                     strict=True)]  # fmt: skip
    path.write_text("\n".join(["text,label", *rows]) + "\n")
    return path


OPTIONS = ["--near-duplicates", "1", "--dim", "8", "--epochs", "2", "--quiet"]


def test_from_the_shell(data: Path, tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip("matplotlib")
    folder = tmp_path / "compared"
    code = main(
        ["compare", str(data), "-o", str(folder), "--seeds", "1", *OPTIONS,
         "--vary", "optimizer=adam,sgd", "--vary", "kernel-sizes=1;1,2"]
    )  # fmt: skip
    assert code == 0
    shown = capsys.readouterr().out
    for name in ("optimizer=adam kernel_sizes=1 ", "optimizer=sgd kernel_sizes=1,2"):
        assert name in shown
    assert (folder / "accuracy-against-time.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--architectures", "text_cnn,bilsm"], "Did you mean 'bilstm'?"),
        (["--vary", "optimiser=adam"], "Did you mean 'optimizer'?"),
        (["--vary", "optimizer=adem"], "one of adam, adamw"),
        (["--vary", "batch_size=ten"], "must be a whole number. Got 'ten'"),
        (["--vary", "batch_size"], "SETTING=A,B,…"),
        (["--vary", "seed=1,2"], "Use --seeds N"),
        (["--vary", "valid_fraction=0.1,0.2"], "compared on one split"),
    ],
)
def test_wrong_names_are_answered(
    given: list[str], said: str, data: Path, tmp_path: Path, capsys: Any
) -> None:
    code = main(["compare", str(data), "-o", str(tmp_path / "c"), *given, *OPTIONS])
    assert code == 1
    assert said in capsys.readouterr().err


def test_a_comparison_that_was_killed_goes_on(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    command = ["-m", "emoclf", "compare", data, "-o", folder, "--seeds", 3, *OPTIONS]
    process = WarmProcess(*command)
    runs = folder / "runs"
    deadline = time.monotonic() + 120
    while not (runs.is_dir() and any(runs.glob("text_cnn*.json"))):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {path: path.read_bytes() for path in runs.glob("*.json")}
    again = run(*command)
    assert again.returncode == 0, again.stderr
    assert len(list(runs.glob("*.json"))) == 3
    assert all(path.read_bytes() == before for path, before in done.items())
    assert "text_cnn" in again.stdout
