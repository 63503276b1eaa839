"""``emoclf tune`` as a process: the search, what it prints, and ``show``."""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

import pytest
from tiny import tiny_dataset
from warm_process import run

from emoclf.cli import amounts, build_parser, main
from emoclf.predictor import Predictor
from emoclf.tuning.search import default_folder

pytestmark = pytest.mark.slow

OPTIONS = (
    "--trials=2 --seeds=1 --workers=1 --kernel-sizes=1,2 --dim=12 --no-ngrams "
    "--epochs=2 --batch-size=8 --filters=8 --near-duplicates=1 --space=space.toml"
).split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of texts and a space."""
    folder = tmp_path_factory.mktemp("a place")
    data = tiny_dataset()
    rows = [f'"{t}",{x}' for t, x in zip(data.texts, data.labels, strict=True)]
    (folder / "sentences.csv").write_text("\n".join(["text,emotion", *rows]) + "\n")
    (folder / "space.toml").write_text("[filters]\nchoices = [4, 8]\n")
    return folder


def tune(folder: Path, *args: object) -> subprocess.CompletedProcess:
    return run("-m", "emoclf", "tune", *args, cwd=folder)


@pytest.fixture(scope="module")
def done(folder: Path) -> subprocess.CompletedProcess:
    """A search of two trials."""
    return tune(folder, "sentences.csv", *OPTIONS, "--report=search.html")


def test_a_search_evaluates_its_winner_once(
    folder: Path, done: subprocess.CompletedProcess
) -> None:
    assert done.returncode == 0, done.stderr
    assert "2 trials. macro-F1, over 1 seed" in done.stdout
    assert "filters" in done.stdout
    assert "\nTest set, 9 texts\n" in done.stdout
    assert "Saved: sentences.search/best.emoclf" in done.stdout
    for number in (1, 2):
        assert f"trial   {number}/2  macro-F1 0." in done.stderr
    assert "Report: search.html" in done.stdout
    page = (folder / "search.html").read_text(encoding="utf-8")
    assert "Search for text_cnn" in page
    assert str(folder) not in page
    assert "TensorFlow" not in done.stderr
    assert "Traceback" not in done.stderr
    best = Predictor.load(folder / "sentences.search" / "best.emoclf")
    assert best.bundle.metrics["search"]["trials"] == 2


def test_the_same_command_continues_and_prints_json(
    folder: Path,
    done: subprocess.CompletedProcess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    assert main(["tune", "sentences.csv", *OPTIONS, "--json", "--quiet"]) == 0
    again = capsys.readouterr()
    assert again.err == ""
    result = json.loads(again.out)
    assert [trial["number"] for trial in result["trials"]] == [1, 2]
    assert result["evaluations"][-1]["part"] == "test"
    assert main(["tune", "sentences.csv", *OPTIONS, "--epochs=3"]) == 1
    error = capsys.readouterr().err
    assert "settings.training.epochs was 2 and is now 3" in error
    assert "or --new, which moves" in error


def test_show(
    folder: Path,
    done: subprocess.CompletedProcess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("matplotlib")
    shown = tune(
        folder, "show", "sentences.search", "--plots", "plots", "--tensorboard", "board"
    )
    assert shown.returncode == 0, shown.stderr
    # Everything that the search itself printed, then the plots.
    output, _, _ = done.stdout.partition("Report: ")
    assert shown.stdout.startswith(output)
    assert "\nTest set, 9 texts\n" in output
    assert list((folder / "plots").glob("*.png"))
    assert f"Plots: {Path('plots', 'scores.png')}" in shown.stdout
    assert list((folder / "board").rglob("*tfevents*"))
    monkeypatch.chdir(folder)
    assert main(["tune", "show", "sentences.search", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["plan"]["objective"] == "macro_f1"
    assert len(result["trials"]) == 2
    assert result["chosen"]["number"] in (1, 2)
    assert result["evaluations"][-1]["part"] == "test"
    assert result["looks"] == 1
    assert main(["tune", "show", "plots"]) == 1
    assert "plots is not a folder of a search" in capsys.readouterr().err


def test_show_names_what_it_cannot_use(
    folder: Path, done: subprocess.CompletedProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    data, search = str(folder / "sentences.csv"), str(folder / "sentences.search")
    for args, message in [
        ([data], "the folder of its search is sentences.search"),
        ([search, "--plots", data], "--plots takes a folder"),
        ([search, "--tensorboard", data], "--tensorboard takes a folder"),
    ]:
        assert main(["tune", "show", *args]) == 1
        output = capsys.readouterr().err
        assert message in output
        assert output.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--folds=3", "--seeds=2"], "Got --folds 3 and --seeds 2; give one of them"),
        (["--folds=1"], "at least 2 folds"),
        (["--objective=f1"], "no objective 'f1'"),
        (["--strategy=rando"], "Did you mean 'random'?"),
        (["--trials=0"], "trials must be at least 1"),
        (["--workers=0"], "a worker here"),
        (["--space=nowhere.toml"], "Cannot read the search space nowhere.toml"),
        (["--max-parameters=0"], "above 0"),
        (["--time=0"], "seconds must be above 0"),
        (["--threads=0"], "threads must be at least 1"),
        (["--tensorboard", __file__], "--tensorboard takes a folder"),
    ],
)
def test_mistakes_are_reported_on_one_line(
    args: list[str],
    message: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = str(folder / "sentences.csv")
    assert main(["tune", data, "-o", str(tmp_path / "s"), *args]) == 1
    output = capsys.readouterr().err
    assert message in output
    assert output.count("\n") == 1
    assert not (tmp_path / "s").exists()


def test_unknown_arguments_are_reported_by_their_command(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tune", "shw", str(folder / "sentences.search")])
    assert ended.value.code == 2
    assert "See: emoclf tune --help" in capsys.readouterr().err
    assert main(["tune", "worker", "--oracle=127.0.0.1:1", "--threads=0"]) == 1
    assert "at least one thread. Got --threads 0" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["chief", "worker", "show"])
def test_the_other_commands_have_help(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tune", word, "--help"])
    assert ended.value.code == 0
    assert f"emoclf tune {word}" in capsys.readouterr().out


def test_a_file_may_have_the_name_of_a_command() -> None:
    args = build_parser(["tune", "./show"]).parse_args(["tune", "./show"])
    assert args.data == "./show"
    assert str(default_folder("a/b.csv.gz")) == "b.search"
    assert str(default_folder("-")) == "emoclf.search"


def test_amounts_as_people_write_them() -> None:
    assert [amounts.seconds(x) for x in ("90", "2m", "1.5h", "1d")] == [
        90, 120, 5400, 86400
    ]  # fmt: skip
    assert [amounts.n_bytes(x) for x in ("5MB", "800 kB", "12")] == [5e6, 8e5, 12]
    assert [amounts.count(x) for x in ("2M", "1,500", "1_000k")] == [2e6, 1500, 1e6]
    for wrong in ("", "h", "5 apples", "-3", "1.2.3", "k"):
        for read in (amounts.seconds, amounts.n_bytes, amounts.count):
            with pytest.raises(argparse.ArgumentTypeError, match="is not a"):
                read(wrong)
