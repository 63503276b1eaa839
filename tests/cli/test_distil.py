"""``emoclf distil``: from a labelled file, a teacher and texts to a student."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny import tiny_dataset, tiny_trained

from emoclf.cli import main
from emoclf.predictor import Predictor

SMALL = (
    "--filters=8 --kernel-sizes=1,2 --dim=12 --epochs=5 --last-epochs=3 --batch-size=8 "
    "--learning-rate=0.02 --near-duplicates=1 --quiet"
).split()


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("a folder") / "tiny data.csv"
    data = tiny_dataset()
    rows = [f'"{t}",{x}' for t, x in zip(data.texts, data.labels, strict=True)]
    path.write_text("\n".join(["text,emotion", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_trained().predictor.save(tmp_path_factory.mktemp("t") / "t.emoclf")


def lines(folder: Path, name: str, *texts: str) -> Path:
    path = folder / name
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


@pytest.mark.slow
def test_distil_then_predict(
    csv: Path, teacher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = lines(tmp_path, "more.txt", "a splendid gift", "a spooky threat", "it was")
    table = lines(tmp_path, "reviews.csv", "id,text", "1,a furious man", "2,a gift")
    output, kept = tmp_path / "student.emoclf", tmp_path / "predictions"
    command = ["distil", str(csv), "--teacher", str(teacher), "-o", str(output)]
    command += ["--unlabelled", str(more), "--unlabelled", str(table), *SMALL]
    command += ["--predictions", str(kept), "--json"]
    assert main(command) == 0
    result = json.loads(capsys.readouterr().out)
    facts = result["distillation"]
    assert result["bundle"] == str(output)
    assert facts["teachers"] == ["t.emoclf"]
    assert facts["unlabelled"] == ["more.txt", "reviews.csv"]
    assert facts["texts"]["kept"] == 5
    assert [stage["epochs"] for stage in facts["stages"]] == [5, 3]
    assert list(kept.glob("*/probabilities.f16"))
    assert not output.with_name("student.emoclf.checkpoint").exists()
    student = Predictor.load(output)
    assert student.label_names == ("anger", "fear", "joy")
    assert "evaluations" in student.bundle.metrics
    assert main(command) == 1
    assert "exists. Choose another name" in capsys.readouterr().err
    assert main(["show", str(output)]) == 0


def test_settings_of_the_distillation_in_a_file(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = lines(tmp_path, "c.toml", "epochs = 3", "[distillation]", "true_share = 2")
    command = ["distil", str(csv), "--teacher", "x", "-o", str(tmp_path / "s")]
    assert main([*command, "--config", str(config)]) == 1
    assert "'true_share' of DistillationSettings must be at" in capsys.readouterr().err
    config = lines(tmp_path, "number.toml", "distillation = 3")
    assert main([*command, "--config", str(config)]) == 1
    assert "must be a table of settings" in capsys.readouterr().err
    assert main([*command, "--true-share", "3"]) == 1
    assert "--true-share must be at most 1. Got 3.0" in capsys.readouterr().err
    assert main([*command, "--filters", "0"]) == 1
    assert "--filters must be at least 1" in capsys.readouterr().err


@pytest.mark.slow
def test_what_cannot_teach_is_refused_before_any_work(
    csv: Path, teacher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "s.emoclf"
    command = ["distil", str(csv), "-o", str(output), *SMALL]

    def error(*more: object) -> str:
        assert main([*command, *map(str, more)]) == 1
        return " ".join(capsys.readouterr().err.split())

    assert "There is no teacher" in error()
    assert "--teacher" in error()
    assert "missing does not exist" in error("--teacher", "missing")
    other = "The teacher sentiment-en lacks the labels 'anger', 'fear', 'joy' and has"
    assert other in error("--teacher", "sentiment-en")
    found = error("--teacher", teacher, "--teacher-encoder", "my encoder")
    assert "--teacher-encoder 'my encoder' is for teachers" in found
    empty = lines(tmp_path, "empty.txt", "", " ")
    found = error("--teacher", teacher, "--unlabelled", empty)
    assert "empty.txt contains no text" in found
    found = error("--teacher", teacher, "--unlabelled", tmp_path / "no.txt")
    assert "no.txt" in found
    held = lines(tmp_path, "held.txt", *tiny_dataset().texts)
    found = error("--teacher", teacher, "--unlabelled", held)
    assert "No unlabelled text is left. 0 of 60 unlabelled texts are used" in found
    assert not output.exists()


@pytest.mark.slow
def test_labels_of_a_file(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tiny_dataset()
    rows = [f"{t}!!,{x}" for t, x in zip(data.texts, data.labels, strict=True)]
    rows += ["a splendid gift,joy", "nobody was trembling,fear"]
    labels = lines(tmp_path, "labels.csv", "text,label", *rows)
    output = tmp_path / "s.emoclf"
    command = ["distil", str(csv), "--teacher-labels", str(labels), "-o", str(output)]
    assert main([*command, "--json", *SMALL]) == 0
    facts = json.loads(capsys.readouterr().out)["distillation"]
    assert facts["teachers"] == ["labels.csv"]
    # All other texts are new: they differ from the labelled ones in a character.
    assert facts["texts"]["kept"] == 62
    wrong = lines(tmp_path, "wrong.csv", "text,anger,fear", "a gift,0.5,0.5")
    command[3] = str(wrong)
    assert main([*command, "--overwrite", *SMALL]) == 1
    assert "no column of probabilities for 'joy'" in capsys.readouterr().err
