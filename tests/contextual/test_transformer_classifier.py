"""Any sequence classifier of transformers; tests of ….transformer_classifier."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra transformers is not installed")
pytest.importorskip("transformers", reason="the extra transformers is not installed")

from tiny_encoder import write_tiny_encoder

from emoclf.bulk.predict_chunks import load_classifier, needs_tensorflow
from emoclf.cli import main
from emoclf.contextual.fine_tuned import FineTuning
from emoclf.contextual.transformer_classifier import TransformerClassifier
from emoclf.errors import BundleError, ModelError, SettingsError
from emoclf.text.vocabulary import FIRST_TOKEN_ID, UNKNOWN

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
TEXTS = ["It was lovely at home.", "", "Nobody came, and the night was dark!", "so sad"]


def write_classifier(folder: Path, encoder: Path, **options: Any) -> Path:
    """Write a classifier with random weights, as transformers does."""
    import torch
    from transformers import AutoTokenizer, BertForSequenceClassification

    torch.manual_seed(1)
    model = BertForSequenceClassification.from_pretrained(encoder, **options)
    # Random weights give nearly equal probabilities.
    for weight in model.parameters():
        weight.data *= 6
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(encoder).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def folder(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = dict(enumerate(["anger", "fear", "joy"]))
    place = tmp_path_factory.mktemp("others") / "model"
    return write_classifier(
        place, encoder, id2label=names, label2id={x: i for i, x in names.items()}
    )


def test_a_folder_of_another_tool(folder: Path) -> None:
    assert not needs_tensorflow(folder)
    classifier = load_classifier(folder)
    assert isinstance(classifier, TransformerClassifier)
    assert classifier.label_names == ("anger", "fear", "joy")
    assert not classifier.multilabel
    assert classifier.architecture == "BertForSequenceClassification"
    assert classifier.fine_tuning.max_tokens == 158
    probabilities = classifier.predict_proba(TEXTS)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    assert classifier.predict_proba([]).shape == (0, 3)
    with pytest.raises(SettingsError, match="is a fine-tuned encoder"):
        load_classifier(folder, engine="numba")


def test_the_texts_beside_it_do_not_matter(folder: Path) -> None:
    classifier = TransformerClassifier.load(folder)
    texts = [*TEXTS, "dark night " * 60, *TEXTS * 40]
    together = classifier.predict_proba(texts)
    alone = np.concatenate([classifier.predict_proba([text]) for text in texts[:5]])
    np.testing.assert_allclose(together[:5], alone, atol=1e-5)
    assert np.ptp(together, axis=0).max() > 0.01


def test_token_ids_tell_unknown_words(folder: Path) -> None:
    classifier = TransformerClassifier.load(folder)
    known, unknown, empty = classifier.token_ids(["so happy", "\u4e2d", ""])
    assert (known >= FIRST_TOKEN_ID).all()
    assert len(known) == 2
    assert unknown.tolist() == [UNKNOWN]
    assert len(empty) == 0
    labels = classifier.predict(["so happy", "\u4e2d"], abstain_below=0.0)
    assert labels[0] in classifier.label_names
    assert labels[1] is None


def test_several_labels(encoder: Path, tmp_path: Path) -> None:
    place = write_classifier(
        tmp_path / "model",
        encoder,
        num_labels=2,
        problem_type="multi_label_classification",
    )
    classifier = TransformerClassifier.load(place)
    assert classifier.multilabel
    assert classifier.thresholds.tolist() == [0.5, 0.5]
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(classifier.predict_proba(TEXTS).sum(1), 1)


def test_labels_without_names_are_said(
    encoder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = write_classifier(tmp_path / "model", encoder, num_labels=3)
    assert TransformerClassifier.load(place).label_names[0] == "LABEL_0"
    assert "does not name its labels" in caplog.text


def test_an_encoder_is_no_classifier(encoder: Path) -> None:
    with pytest.raises(ModelError, match=r"no fine-tuned classifier.*classifier\.bias"):
        TransformerClassifier.load(encoder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"problem_type": "regression"}, "predicts a number"),
        ({"id2label": {"0": "a", "1": "a", "2": "b"}}, "must have different names"),
    ],
)
def test_unusable_configurations(
    folder: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    place = tmp_path / "model"
    shutil.copytree(folder, place)
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(ModelError, match=message):
        TransformerClassifier.load(place)


def test_missing_tokenizer_and_pickled_weights(folder: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    no_tokenizer = tmp_path / "no tokenizer"
    ignored = shutil.ignore_patterns("*token*", "vocab.txt")
    shutil.copytree(folder, no_tokenizer, ignore=ignored)
    with pytest.raises(ModelError, match=r"its tokenizer has no words"):
        TransformerClassifier.load(no_tokenizer)
    pickled = tmp_path / "pickled"
    shutil.copytree(folder, pickled)
    weights = load_file(pickled / "model.safetensors")
    torch.save(weights, pickled / "pytorch_model.bin")
    (pickled / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"cannot be loaded.*safetensors"):
        TransformerClassifier.load(pickled)


def test_a_changed_folder_of_ours_is_refused(folder: Path, tmp_path: Path) -> None:
    loaded = TransformerClassifier.load(folder)
    about = FineTuning(max_tokens=16, temperature=2.0, base="tiny")
    ours = TransformerClassifier("tiny", loaded.tokenizer, loaded.model, about)
    path = ours.save(tmp_path / "ours")
    again = TransformerClassifier.load(path)
    assert again.fine_tuning == about
    assert again.digest() == ours.digest() != loaded.digest()
    # The temperature divides the logits.
    powers = loaded.predict_proba(TEXTS).astype(float) ** 0.5
    expected = powers / powers.sum(1, keepdims=True)
    np.testing.assert_allclose(again.predict_proba(TEXTS), expected, atol=1e-6)
    document = (path / "fine_tuning.json").read_text()
    (path / "fine_tuning.json").write_text(document.replace("2.0", "3.0"))
    with pytest.raises(BundleError, match="is damaged: its SHA-256"):
        TransformerClassifier.load(path)


def test_a_hub_name_without_a_network(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert main(["predict", "someone/some-model", "--text", "a"]) == 1
    assert "give the path of a folder" in capsys.readouterr().err
    with pytest.raises(BundleError, match="does not exist"):
        load_classifier(tmp_path / "none")
