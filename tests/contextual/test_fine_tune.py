"""Fine-tuning of encoders; tests of emoclf.contextual.fine_tune."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra transformers is not installed")
pytest.importorskip("transformers", reason="the extra transformers is not installed")
pytest.importorskip("accelerate", reason="the extra transformers is not installed")

import teaching
from teaching import SETTINGS, teachable
from tiny_encoder import write_tiny_encoder

from emoclf.bundle.summary import TEXT_HASHES, read_summary
from emoclf.cli import main
from emoclf.contextual import fine_tune
from emoclf.contextual.fine_tune import fine_tune_encoder
from emoclf.contextual.length_groups import LengthGroups
from emoclf.contextual.transformer_classifier import TransformerClassifier
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import hold_out
from emoclf.errors import ModelError, ResumeError, SettingsError, TrainingError
from emoclf.evaluation.training_overlap import training_overlap
from emoclf.predictor import Predictor

# transformers and torch warn about each other's releases.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("an encoder"))


@pytest.fixture(scope="module")
def learnt(encoder: Path) -> TransformerClassifier:
    return fine_tune_encoder(teachable(), encoder, SETTINGS)


@pytest.fixture(scope="module")
def learnt_several(encoder: Path) -> TransformerClassifier:
    return fine_tune_encoder(teachable(multilabel=True), encoder, SETTINGS)


def test_it_learns(learnt: TransformerClassifier) -> None:
    assert learnt.label_names == ("joy", "sadness")
    assert learnt.predict(["so happy it was", "the sad and sad"]) == ["joy", "sadness"]
    metrics = learnt.fine_tuning.metrics
    assert metrics["held_out_texts"] == 16
    losses = [epoch["log_loss"] for epoch in metrics["epochs"]]
    assert metrics["best_epoch"] == 1 + int(np.argmin(losses))
    assert metrics["epochs"][-1]["accuracy"] == 1


def test_it_knows_its_training_texts(
    learnt: TransformerClassifier, tmp_path: Path
) -> None:
    data = Dataset.from_lists(["a new text", *teachable().texts[:3]], ["joy"] * 4)
    seen = training_overlap(learnt, data)
    assert seen is not None
    assert seen.tolist() == [False, True, True, True]
    path = learnt.save(tmp_path / "teacher")
    assert training_overlap(TransformerClassifier.load(path), data) is not None
    assert TEXT_HASHES not in read_summary(path)["metrics"]


def test_a_digest_is_that_of_what_predicts(
    learnt: TransformerClassifier, tmp_path: Path
) -> None:
    path = learnt.save(tmp_path / "teacher")
    loaded = TransformerClassifier.load(path)
    before = loaded.digest()
    loaded.predict_proba(["so happy", "it was so sad"])
    loaded.model.config.transformers_version = "1.0"
    assert loaded.digest() == before == learnt.digest()
    loaded.tokenizer.backend_tokenizer.normalizer = None
    assert loaded.digest() != before


def test_several_labels_have_thresholds(
    learnt_several: TransformerClassifier, tmp_path: Path
) -> None:
    assert learnt_several.multilabel
    about = learnt_several.fine_tuning
    assert about.thresholds is not None
    assert len(about.thresholds) == 2
    path = learnt_several.save(tmp_path / "teacher")
    loaded = TransformerClassifier.load(path)
    assert loaded.multilabel
    assert loaded.fine_tuning.thresholds == about.thresholds
    assert loaded.fine_tuning.temperature == about.temperature
    texts = list(teachable(multilabel=True).texts)
    np.testing.assert_array_equal(
        loaded.predict_proba(texts), learnt_several.predict_proba(texts)
    )
    assert loaded.predict(texts) == learnt_several.predict(texts)


def test_transformers_loads_the_folder(
    learnt: TransformerClassifier, tmp_path: Path
) -> None:
    import transformers

    path = learnt.save(tmp_path / "teacher")
    names = {file.name for file in path.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= names
    assert len({file.stat().st_mode for file in path.iterdir()}) == 1
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    pipeline = transformers.pipeline("text-classification", str(path), top_k=None)
    answers = {answer["label"]: answer["score"] for answer in pipeline(["so happy"])[0]}
    (row,) = learnt.predict_proba(["so happy"])
    # The pipeline knows no temperature.
    powers = row.astype(float) ** learnt.fine_tuning.temperature
    expected = dict(zip(learnt.label_names, powers / powers.sum(), strict=True))
    assert answers == pytest.approx(expected, abs=1e-4)
    with pytest.raises(ValueError, match=r"exists\. Choose another name"):
        learnt.save(path)
    learnt.save(path, overwrite=True)
    assert "held out" in (path / "README.md").read_text("utf-8")


def killed(encoder: Path, folder: Path, step: int) -> int:
    command = [sys.executable, "-W", "ignore", teaching.__file__]
    return subprocess.run([*command, str(encoder), str(folder), str(step)]).returncode


def reversed_hold_out(train: Dataset, *args: Any, **options: Any) -> Any:
    return tuple(len(train) - 1 - part for part in hold_out(train, *args, **options))


def test_a_killed_fine_tuning_continues(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Within the first epoch, after its first checkpoint.
    assert killed(encoder, tmp_path, 5) == -signal.SIGKILL
    run = tmp_path / "run"
    assert (run / "checkpoint-3").is_dir()
    assert not (tmp_path / "teacher").exists()
    settings = SETTINGS | {"epochs": 3, "saved_steps": 3}
    first = fine_tune_encoder(teachable(), encoder, settings)
    assert killed(encoder, tmp_path, 0) == 0
    second = TransformerClassifier.load(tmp_path / "teacher")
    texts = list(teachable().texts)
    np.testing.assert_array_equal(
        first.predict_proba(texts), second.predict_proba(texts)
    )
    epochs = [teacher.fine_tuning.metrics["epochs"] for teacher in (first, second)]
    assert epochs[0] == epochs[1]
    # What has ended is not trained again, and other data do not continue it.
    again = fine_tune_encoder(
        teachable(),
        encoder,
        settings,
        checkpoint=run,
        resume=True,
        progress=lambda done, total: pytest.fail("a step was trained"),
    )
    assert again.digest() == second.digest()
    # Other texts would be held out, which this run has been trained on.
    with monkeypatch.context() as patch:
        patch.setattr(fine_tune, "hold_out", reversed_hold_out)
        with pytest.raises(ResumeError, match=r"because.*: held-out texts differ"):
            fine_tune_encoder(
                teachable(), encoder, settings, checkpoint=run, resume=True
            )
    with pytest.raises(ResumeError, match="training texts differ"):
        fine_tune_encoder(teachable(70), encoder, settings, checkpoint=run, resume=True)


def test_two_precisions_in_one_process(encoder: Path) -> None:
    coarse = fine_tune_encoder(teachable(), encoder, SETTINGS, epochs=1, bfloat16=True)
    fine = fine_tune_encoder(teachable(), encoder, SETTINGS, epochs=1)
    assert coarse.digest() != fine.digest()


def test_a_divergence_is_said(encoder: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer, BertModel

    model = BertModel.from_pretrained(encoder)
    model.embeddings.LayerNorm.weight.data[:] = np.nan
    model.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(encoder).save_pretrained(tmp_path)
    message = r"diverged: the logits are not finite with learning_rate=0\.005"
    with pytest.raises(TrainingError, match=message):
        fine_tune_encoder(teachable(), tmp_path, SETTINGS)


def test_early_stopping(encoder: Path) -> None:
    settings = SETTINGS | {"learning_rate": 1e-9, "epochs": 30, "patience": 1}
    stopped = fine_tune_encoder(teachable(), encoder, settings)
    losses = [epoch["log_loss"] for epoch in stopped.fine_tuning.metrics["epochs"]]
    assert len(losses) < 30
    assert losses[-1] >= min(losses[:-1])


def test_the_commands(
    encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, teacher = tmp_path / "data.csv", tmp_path / "teacher"
    rows = [f"{text},{label}" for text, label in teachable(120)]
    data.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
    command = ["teach", str(data), "--encoder", str(encoder), "--fine-tune", "--quiet"]
    command += [*flags, "--near-duplicates=1", "-o", str(teacher)]
    assert main([*command, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    parts = {x["part"]: x["accuracy"] for x in reversed(printed["evaluations"])}
    assert parts == {"valid": 1, "test": 1}
    # A part of the training texts chose the epoch.
    assert not any(x["chose_epoch"] for x in printed["evaluations"])
    assert TEXT_HASHES not in printed
    assert not (tmp_path / "teacher.checkpoint").exists()
    assert main(command) == 1
    assert "exists. Choose another name" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 1
    assert "is finished; there is nothing to resume" in capsys.readouterr().err
    assert main(["predict", str(teacher), "--text", "so happy", "--text", "sad"]) == 0
    labels = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert labels == ["joy", "sadness"]
    assert main(["evaluate", str(teacher), str(data)]) == 0
    printed = capsys.readouterr()
    assert "fine-tuned an encoder" in printed.out
    assert "are training texts of teacher" in " ".join(printed.err.split())
    assert main(["show", str(teacher)]) == 0
    assert "BertForSequenceClassification" in capsys.readouterr().out


def test_a_head_is_the_default(
    encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EMOCLF_CACHE", str(tmp_path / "cache"))
    data, teacher = tmp_path / "data.csv", tmp_path / "teacher.emoclf"
    rows = [f"{text},{label}" for text, label in teachable(120)]
    data.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    command = ["teach", str(data), "-o", str(teacher), "--near-duplicates=1"]
    assert main(command) == 1
    assert "Give its folder, or its name on the Hugging" in capsys.readouterr().err
    assert main([*command, "--encoder", str(encoder), "--epochs=2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bundle"] == str(teacher)
    assert Predictor.load(teacher).architecture == "sentence_head"


def test_wrong_settings_and_encoders(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"'held_out'.*above 0"):
        fine_tune_encoder(teachable(), encoder, held_out=0)
    with pytest.raises(ModelError, match="is not the folder of an encoder"):
        fine_tune_encoder(teachable(), tmp_path / "none")
    (tmp_path / "file.txt").write_text("mine")
    with pytest.raises(ResumeError, match="is not empty, and not a checkpoint"):
        fine_tune_encoder(teachable(), encoder, checkpoint=tmp_path)
    assert (tmp_path / "file.txt").read_text() == "mine"


def test_length_groups() -> None:
    lengths = np.random.default_rng(0).integers(2, 60, 1000)
    groups = LengthGroups(lengths, 16, seed=3)
    first = list(groups)
    assert len(first) == len(groups) == 63
    assert sorted(np.concatenate(first).tolist()) == list(range(1000))
    # Close to no padding, and another order in the next epoch.
    padded = sum(len(batch) * lengths[batch].max() for batch in first)
    assert padded < 1.1 * lengths.sum()
    assert list(groups) == first
    groups.epoch = 1
    assert list(groups) != first
