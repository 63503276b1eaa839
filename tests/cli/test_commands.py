"""The command line, as a process: streams, exit codes, errors that read well."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tiny import tiny_dataset, tiny_folded, tiny_trained
from warm_process import run

from emoclf.cli import build_parser, main
from emoclf.cli.bulk_runs import continued_with_resume
from emoclf.cli.commands import COMMANDS
from emoclf.datasets.readers import read_dataset
from emoclf.errors import DataError
from emoclf.export.folded import export_folded
from emoclf.predictor import Predictor

SMALL = (
    "--filters=8 --kernel-sizes=1,2 --dim=12 --no-ngrams --epochs=6 --batch-size=8 "
    "--learning-rate=0.02 --near-duplicates=1"
).split()


def emoclf(*args: object, stdin: str = "") -> subprocess.CompletedProcess:
    return run("-m", "emoclf", *args, stdin=stdin)


def fresh_emoclf(*args: object, stdin: str = "") -> subprocess.CompletedProcess:
    """Run a command in a process that imports TensorFlow itself."""
    return subprocess.run(
        [sys.executable, "-m", "emoclf", *map(str, args)],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("a folder") / "tiny data.csv"
    data = tiny_dataset()
    rows = [f'"{t}",{x}' for t, x in zip(data.texts, data.labels, strict=True)]
    path.write_text("\n".join(["text,emotion", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "tiny.emoclf"
    return tiny_trained().predictor.save(path)


@pytest.mark.slow
def test_train_then_evaluate(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out put.emoclf"
    done = fresh_emoclf("train", csv, "-o", output, *SMALL)
    assert done.returncode == 0, done.stderr
    assert "TF-IDF + linear SVM" in done.stdout
    assert f"Predictor.load({output.as_posix()!r})" in done.stdout
    assert "epoch" in done.stderr
    assert "Vocabulary" in done.stderr
    assert "TensorFlow" not in done.stderr
    assert not (tmp_path / "out put.emoclf.checkpoint").exists()
    assert Predictor.load(output).bundle.settings.model.filters == 8

    code, error = call(["train", csv, "-o", output, *SMALL], capsys)
    assert (code, "--overwrite" in error) == (1, True)
    code, error = call(["train", csv, "-o", output, "--resume", *SMALL], capsys)
    assert (code, "is finished" in error) == (1, True)

    assert main(["evaluate", str(output), str(csv), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 60


@pytest.mark.slow
def test_predict_prints_a_label_before_the_next_line_arrives(bundle: Path) -> None:
    predict = subprocess.Popen(
        [sys.executable, "-m", "emoclf", "predict", str(bundle)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    lines = []
    with predict:
        assert predict.stdin
        assert predict.stdout
        assert predict.stderr
        for text in ("what a lovely gift", ""):
            predict.stdin.write(text + "\n")
            # The next line is written after this label was read.
            lines.append(predict.stdout.readline())
        # The last line has no end.
        predict.stdin.write("alone in the dark")
        predict.stdin.close()
        lines += predict.stdout.readlines()
        assert predict.stderr.read().startswith("1 text without words")
    assert predict.returncode == 0
    predictions = [line.split("\t") for line in lines]
    assert [label for label, _ in predictions][::2] == ["joy", "fear"]
    assert len(predictions) == 3
    assert all(0 <= float(probability) <= 1 for _, probability in predictions)


@pytest.mark.slow
def test_a_reader_of_a_file_may_leave(tmp_path: Path) -> None:
    file = tmp_path / "many.txt"
    file.write_text("it was lovely at home\n" * 60_000)
    export = tiny_folded(tmp_path)
    predict = shlex.join(
        [sys.executable, "-m", "emoclf", "predict", str(export), str(file)]
    )
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {predict} | head -1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("joy")
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_standard_streams(closed: str, tmp_path: Path) -> None:
    program = f"{shlex.quote(sys.executable)} -m"
    folded = tiny_folded(tmp_path)
    lines = tmp_path / "lines.txt"
    lines.write_text("a lovely gift\n")
    commands = [
        ("emoclf predict tiny.folded --text dark", 0),
        ("emoclf predict tiny.folded", 0),
        ("emoclf predict tiny.folded lines.txt -o out.csv --overwrite --workers 2", 0),
        ("emoclf.folded tiny.folded dark", 0),
        ("emoclf.folded tiny.folded", 0),
    ]
    # A traceback, which has the exit code 1 too, is seen only while stderr is open.
    if closed in (">&-", "<&- >&- 2>&-"):
        commands += [
            ("emoclf --help", 0),
            ("emoclf predict tiny.folded lines.txt -o out.csv --overwrite", 0),
            ("emoclf show nowhere", 1),
        ]
    for arguments, code in commands:
        done = subprocess.run(
            ["bash", "-c", f"{program} {arguments} {closed}"],
            input="",
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, (arguments, done.stderr)
        assert "Traceback" not in done.stderr
        if "out.csv" in arguments:
            # Nothing that is printed lands in a file.
            out = (tmp_path / "out.csv").read_text().splitlines()
            assert [line.split(",")[:2] for line in out] == [
                ["text", "label"],
                ["a lovely gift", "joy"],
            ]
    assert folded.is_dir()


@pytest.mark.slow
def test_a_training_outlives_its_readers(csv: Path, tmp_path: Path) -> None:
    command = ["train", str(csv), "-o", "x.emoclf", *SMALL, "--epochs=2"]
    train = shlex.join([sys.executable, "-m", "emoclf", *command])
    subprocess.run(
        ["bash", "-c", f"{train} 2>&1 | head -1"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert Predictor.load(tmp_path / "x.emoclf").label_names


@pytest.mark.slow
def test_data_from_standard_input(csv: Path, bundle: Path) -> None:
    evaluated = emoclf("evaluate", bundle, "-", "--json", stdin=csv.read_text())
    assert evaluated.returncode == 0, evaluated.stderr
    assert json.loads(evaluated.stdout)["n"] == 60


@pytest.mark.slow
def test_evaluate_reads_as_the_training_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tiny_dataset()
    names = dict(enumerate(data.label_names))
    ids = {name: number for number, name in names.items()}
    rows = [f"{t},{ids[str(x)]}" for t, x in zip(data.texts, data.labels, strict=True)]
    path, output = tmp_path / "ids.csv", tmp_path / "ids.emoclf"
    path.write_text("\n".join(["sentence,mood", *rows, ",1"]) + "\n")
    options = ["--text-column=sentence", "--label-column=mood", "--skip-bad-rows"]
    named = "--label-names=" + ",".join(f"{k}={v}" for k, v in names.items())
    done = emoclf("train", path, "-o", output, *SMALL, *options, named)
    assert done.returncode == 0, done.stderr
    # Leaving out rows is an option of each command, not of the bundle.
    assert call(["evaluate", output, path], capsys)[0] == 1
    assert main(["evaluate", str(output), str(path), "--skip-bad-rows", "--json"]) == 0
    evaluated = capsys.readouterr()
    result = json.loads(evaluated.out)
    assert (result["n"], result["skipped"]) == (60, 1)
    assert "1" in evaluated.err

    # An export is read and evaluated as the bundle is.
    export = export_folded(Predictor.load(output), tmp_path / "ids.folded")
    assert main(["evaluate", str(export), str(path), "--skip-bad-rows", "--json"]) == 0
    exported = json.loads(capsys.readouterr().out)
    for name in ("log_loss", "calibration_error"):
        assert exported.pop(name) == pytest.approx(result.pop(name), abs=1e-5)
    # Only a bundle knows its training texts.
    assert result.pop("training_texts") == 42
    assert exported.pop("training_texts") is None
    segments = [x for x in result["segments"] if x["column"] != "training text"]
    assert exported == result | {"segments": segments}


@pytest.mark.slow
def test_predict_as_json(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("an unfair insult\n")
    assert main(["predict", str(bundle), str(file), "--json"]) == 0
    prediction = json.loads(capsys.readouterr().out)
    assert prediction["text"] == "an unfair insult"
    assert prediction["label"] == "anger"
    assert sum(prediction["probabilities"].values()) == pytest.approx(1, abs=1e-4)


@pytest.mark.slow
def test_a_reader_may_leave(tmp_path: Path) -> None:
    export = tiny_folded(tmp_path)
    predict = shlex.join([sys.executable, "-m", "emoclf", "predict", str(export)])
    done = subprocess.run(
        ["bash", "-c", f"yes 'a lovely day' | head -9000 | {predict} | head -2"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) == 2
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_settings_from_a_file_and_options(csv: Path, tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text(
        "seed = 5\n[model]\nfilters = 6\nkernel_sizes = [1]\n[embedding]\ndim = 7\n"
        "[training]\nepochs = 1\n[data]\nnear_duplicates = 1.0\n"
    )
    output = tmp_path / "x.emoclf"
    done = emoclf(
        "train",
        csv,
        "-o",
        output,
        "--config",
        config,
        "--filters=4",
        "--json",
        "--quiet",
    )
    assert done.returncode == 0, done.stderr
    # No progress; what the doctor finds after one epoch is no progress.
    assert "epoch 1/1" not in done.stderr
    assert json.loads(done.stdout)["bundle"] == str(output)
    settings = Predictor.load(output).bundle.settings
    assert (settings.seed, settings.model.filters, settings.embedding.dim) == (5, 4, 7)


def call(args: Sequence[object], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    try:
        code = main([str(arg) for arg in args])
    except SystemExit as end:
        code = int(end.code or 0)
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["train", "no.csv", "-o", "x"], 1, "no.csv"),
        (["train", "CSV", "-o", "x", "--text-column", "txt"], 1, "Did you mean 'text'"),
        (["train", "CSV", "-o", "x", "--architecture", "cnn"], 1, "no architecture"),
        (["train", "CSV", "-o", "x", "--filters", "0"], 1, "--filters must be"),
        (["train", "GAPS", "-o", "x"], 1, "--skip-bad-rows"),
        (["train", "CSV", "-o", "x", "--filters", "many"], 2, "must be a whole number"),
        (["train", "CSV", "-o", "CSV/x"], 1, "Cannot write"),
        (["train", "CSV", "-o", "x", "--config", "BAD"], 1, "Known: tokenizer"),
        (["export", "BUNDLE", "--to", "saved-model", "-o", "CSV"], 1, "Cannot write"),
        (
            ["train", "CSV", "-o", "x", "--valid", "CSV", "--split-column", "p"],
            1,
            "Give either --split-column, or --valid",
        ),
        (
            ["train", "CSV", "-o", "x", "--vectors", "v.bin"],
            1,
            "There is no file v.bin",
        ),
        (
            ["train", "CSV", "-o", "x", "--vectors=none", "--embedding=static"],
            1,
            "needs word vectors",
        ),
        (["train", "CSV", "-o", "x", "--config", "no.toml"], 1, "no.toml"),
        (["train", "CSV"], 2, "--output"),
        (
            ["train", "CSV", "-o", "x", "--tensorboard", "CSV"],
            1,
            "--tensorboard takes a folder",
        ),
        (["predict", "nowhere.emoclf"], 1, "does not exist"),
        (["predict", "BUNDLE", "no.txt"], 1, "There is no file no.txt"),
        (["evaluate", "BUNDLE", "CSV", "--label-column", "text"], 1, "text"),
        (["export", "BUNDLE", "--to", "tflite", "-o", "x"], 2, "saved-model"),
        (["vectors", "coverage", "CSV", "--vectors=none"], 1, "--vectors FILE"),
        (["vectors", "coverage", "CSV", "--encoder=x"], 1, "no coverage to measure"),
        (["vectors", "train", "no.txt", "-o", "x.bin"], 1, "There is no file no.txt"),
        (["tune", "CSV", "-o", "x", "--trials", "0"], 1, "trials must be at least 1"),
        (["dance"], 2, "invalid choice"),
    ],
)
def test_mistakes_are_reported_on_one_line(
    args: list[str],
    code: int,
    message: str,
    csv: Path,
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    gaps = tmp_path / "gaps.csv"
    gaps.write_text("text,label\nsome words,joy\n,joy\nother words,fear\n")
    bad = tmp_path / "bad.toml"
    bad.write_text("[text]\nmax_lenght = 3\n")
    places = {"CSV": csv, "BUNDLE": bundle, "GAPS": gaps, "BAD": bad}
    places["CSV/x"] = csv / "x"
    result, error = call([places.get(arg, arg) for arg in args], capsys)
    assert result == code, error
    assert message in error
    assert "Traceback" not in error


#: Commands that have commands of their own.
ACTIONS = {
    "vectors": ("train", "coverage", "distil"),
    "aspects": ("train", "predict", "evaluate"),
}


@pytest.mark.slow
def test_every_command_has_help_and_an_example(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = build_parser()
    names = next(
        a.choices for a in parser._actions if a.dest == "==SUPPRESS==" or a.choices
    )
    assert names is not None
    assert len(names) == len(COMMANDS)
    for name in names:
        for action in ACTIONS.get(name, ("",)):
            with pytest.raises(SystemExit, match="0"):
                main([part for part in (name, action, "--help") if part])
            shown = capsys.readouterr().out
            assert "example:\n  " in shown
            assert "emoclf " + name in shown.split("example:")[1]


@pytest.mark.slow
def test_vectors_are_trained_and_read(tmp_path: Path, csv: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("it was lovely at home\nit was dark in the street\n" * 40)
    done = emoclf("vectors", "train", texts, "-o", tmp_path / "v.bin", "--dim=8")
    assert done.returncode == 0, done.stderr
    assert "words, 8 dimensions" in done.stdout
    covered = emoclf("vectors", "coverage", csv, "--vectors", tmp_path / "v.bin")
    assert covered.returncode == 0, covered.stderr
    assert "of all tokens" in covered.stdout


def test_messages_name_options_on_the_command_line_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, config = tmp_path / "old.csv", tmp_path / "run.toml"
    path.write_bytes("text,label\ndéjà vu,joy\n".encode("cp1252"))
    config.write_text("filters = 0\n")
    for args, message in (
        ([], "set --encoding cp1252."),
        (["--filters=0"], "--filters must be at least 1. Got 0 instead."),
        (["--config", config], "The setting 'filters' of TextCNNSettings must be"),
    ):
        assert message in call(["train", path, "-o", tmp_path / "x", *args], capsys)[1]
    with pytest.raises(DataError, match=r"set encoding='cp1252'\."):
        read_dataset(path)


def test_texts_of_one_label_for_a_multilabel_classifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("new.csv").write_text("text,label\nI am glad,joy\nI am sad,sadness\n")
    args = ["evaluate", "emotions-en", "new.csv"]
    assert "With --label-separator , one label for each" in call(args, capsys)[1]
    assert main([*args, "--label-separator", ","]) == 0
    assert capsys.readouterr().out.startswith("new.csv, 2 texts\n")


@pytest.mark.parametrize("kept", [True, False])
def test_an_interruption_says_what_is_kept(
    kept: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(args: object) -> None:
        options = argparse.Namespace(resume=False, overwrite=False)
        with continued_with_resume(options, lambda: kept):
            raise KeyboardInterrupt

    monkeypatch.setattr("emoclf.cli.show.run", run)
    assert main(["show", "x"]) == 130
    advice = "The same command with --resume continues the run.\n" * kept
    assert capsys.readouterr().err == f"{advice}emoclf: interrupted.\n"
