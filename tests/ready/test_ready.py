"""The classifiers that come with the package, and the warning for unknown words."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emoclf import DataError, load_ready, predict_file
from emoclf.cli import main
from emoclf.errors import BundleError, SettingsError
from emoclf.folded import FoldedClassifier
from emoclf.ready import READY, model_path

FOLDERS = {name: Path(model_path(name)) for name in READY}
GERMAN = [
    "Ich habe mich sehr gefreut, als meine Schwester kam.",
    "Die Nachbarn waren laut, und niemand konnte schlafen.",
]


@pytest.fixture(scope="module", params=READY)
def ready(request: pytest.FixtureRequest) -> FoldedClassifier:
    return load_ready(request.param)


@pytest.mark.parametrize("name", READY)
def test_files_are_small_and_described(name: str) -> None:
    size = sum(path.stat().st_size for path in FOLDERS[name].iterdir())
    assert size <= 4_000_000
    card = (FOLDERS[name].parent / "README.md").read_text(encoding="utf-8")
    assert f"## {name}" in card


def test_emotions() -> None:
    classifier = load_ready("emotions-en")
    assert classifier.multilabel
    assert len(classifier.label_names) == 28
    texts = [
        "Thank you so much, you saved my day!",
        "I am so sorry, it was my fault.",
        "I can't stand this disgusting smell.",
        "The train leaves at nine from platform two.",
        "I miss my grandmother, she died last week :(",
    ]
    expected = ["gratitude", "remorse", "disgust", "neutral", "sadness"]
    for labels, label in zip(classifier.predict(texts), expected, strict=True):
        assert label in labels


def test_sentiment() -> None:
    classifier = load_ready("sentiment-en")
    assert sorted(classifier.label_names) == ["negative", "neutral", "positive"]
    texts = [
        "What a lovely day!",
        "This is the worst meal of my life.",
        "It is Tuesday.",
    ]
    assert classifier.predict(texts) == ["positive", "negative", "neutral"]


def test_equal_answers_alone_and_together(ready: FoldedClassifier) -> None:
    texts = ["I can't believe she left", "", "so happy 😂", "What? No!"] * 10
    together = ready.predict_proba(texts)
    alone = np.concatenate([ready.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_names_and_typos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"Did you mean 'emotions-en'.* Known:"):
        load_ready("emotion-en")
    with pytest.raises(BundleError, match="Did you mean 'sentiment-en'"):
        model_path("sentiments-en")
    assert model_path("emotions.emoclf") == "emotions.emoclf"
    # What is there wins.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "emotions-en").mkdir()
    assert model_path("emotions-en") == "emotions-en"


def test_damaged_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "emotions-en"
    shutil.copytree(FOLDERS["emotions-en"], folder)
    path = folder / "embedding.npy"
    path.write_bytes(path.read_bytes()[:-1000])
    monkeypatch.setattr("emoclf.ready._folder", lambda name: tmp_path / name)
    with pytest.raises(BundleError, match=r"embedding\.npy"):
        load_ready("emotions-en")


def test_unknown_words_warn_once(
    ready: FoldedClassifier, caplog: pytest.LogCaptureFixture
) -> None:
    fresh = FoldedClassifier(ready.folder)
    with caplog.at_level(logging.WARNING, "emoclf"):
        fresh.predict(["I can't believe she left", "asdf"])
        assert caplog.messages == []
        fresh = FoldedClassifier(ready.folder)
        for text in GERMAN * 3:
            fresh.predict([text])
    (message,) = caplog.messages
    assert "of the words of these texts are unknown" in message


def test_files_and_errors(tmp_path: Path) -> None:
    source, output = tmp_path / "a.csv", tmp_path / "b.jsonl"
    source.write_text("text\nWhat a lovely day!\n")
    predict_file("sentiment-en", source, output)
    (row,) = map(json.loads, output.read_text().splitlines())
    assert row["label"] == "positive"
    with pytest.raises(DataError):
        load_ready("sentiment-en").predict([3])  # type: ignore[list-item]


def test_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "sentiment-en", "--text", "What a lovely day!"]) == 0
    assert capsys.readouterr().out.startswith("positive\t0.")
    assert main(["show", "emotions-en"]) == 0
    assert "gratitude" in capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        main(["predict", "emotion-en", "--text", "x"])
    assert end.value.code == 2
    assert "Did you mean 'emotions-en'" in capsys.readouterr().err


def test_a_first_answer_needs_numpy_only() -> None:
    code = (
        "import sys, emoclf\n"
        "print(emoclf.load_ready('sentiment-en').predict(['What a lovely day!']))\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'sklearn', 'scipy', 'gensim'}\n"
        "print(heavy & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "['positive']\nset()\n"
